"""MNIST from its raw idx files, held in memory, with a light augmentation."""

import struct
from pathlib import Path

import torch

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
MAX_SHIFT = 2  # pixels, each way


def read_idx(path):
    """The uint8 tensor stored in one idx file."""
    content = Path(path).read_bytes()
    zeros, dtype, rank = struct.unpack_from(">HBB", content)
    if zeros != 0 or dtype != 8:
        raise ValueError(f"{path}: not an idx file of unsigned bytes")
    shape = struct.unpack_from(f">{rank}I", content, 4)
    return torch.frombuffer(bytearray(content[4 + 4 * rank:]), dtype=torch.uint8).reshape(shape)


def load_split(folder, split):
    """(images uint8 [n,28,28], labels int64 [n]) of `train` or `test`."""
    images, labels = (read_idx(Path(folder) / name) for name in FILES[split])
    if len(images) != len(labels):
        raise ValueError(f"{folder}: {len(images)} images but {len(labels)} labels")
    return images, labels.long()


def to_input(images):
    """Network input of uint8 images: f32 [n,1,28,28], pixel / 255."""
    return images.unsqueeze(1).float() / 255


def shift_randomly(images):
    """Each image moved by its own random offset, the gap filled with background."""
    count, height, width = images.shape
    padded = torch.nn.functional.pad(images, [MAX_SHIFT] * 4)
    offsets = torch.randint(0, 2 * MAX_SHIFT + 1, (2, count, 1))
    rows = (torch.arange(height) + offsets[0])[:, :, None]
    columns = (torch.arange(width) + offsets[1])[:, None, :]
    return padded[torch.arange(count)[:, None, None], rows, columns]


def batches(images, labels, size, training):
    """Yields (input, labels); shuffled and shifted when training."""
    order = torch.randperm(len(images)) if training else torch.arange(len(images))
    for chosen in order.split(size):
        picked = images[chosen]
        yield to_input(shift_randomly(picked) if training else picked), labels[chosen]
