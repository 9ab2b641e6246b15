#!/usr/bin/env python3
"""Trains the digits example: float with batch norm, then quantization-aware.

Writes digits-fp32.onnx (batch norm folded, before quantization) and
digits.onnx (fake-quantized: QuantizeLinear / DequantizeLinear) into --out.
Same seed, thread count, PyTorch build and kind of CPU: same files.
"""

import argparse
import copy
from itertools import islice
from pathlib import Path
from time import monotonic

import torch
from torch.nn import functional as F

from data import batches, load_split, to_input
from export import export_onnx
from model import DigitNet
from quantize import calibrate, freeze_activation_ranges, freeze_all, insert_fake_quantize

CALIBRATION_BATCHES = 50


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with the four MNIST idx files")
    parser.add_argument("--out", type=Path, default=Path("examples/digits"),
                        help="folder for the models (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=12,
                        help="float epochs (default: %(default)s)")
    parser.add_argument("--qat-epochs", type=int, default=5,
                        help="quantization-aware epochs (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=128, help="batch size (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="random seed (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default: %(default)s)")
    return parser.parse_args()


def train(model, data, options, epochs, rate, before_epoch=lambda epoch: None):
    """Adam with a one-cycle learning rate that peaks at `rate` and ends near 0."""
    images, labels = data
    steps = -(-len(images) // options.batch)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps * epochs, pct_start=0.2)
    model.train()
    for epoch in range(epochs):
        before_epoch(epoch)
        start, total = monotonic(), 0.0
        for inputs, targets in batches(images, labels, options.batch, training=True):
            loss = F.cross_entropy(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(targets)
        print(f"  epoch {epoch + 1}/{epochs}: loss {total / len(images):.4f}, "
              f"{monotonic() - start:.0f} s", flush=True)


def accuracy(model, data):
    """Percentage of correct predictions."""
    model.eval()
    with torch.no_grad():
        correct = sum((model(inputs).argmax(1) == targets).sum().item()
                      for inputs, targets in batches(*data, 500, training=False))
    return 100 * correct / len(data[0])


def train_float(data, options):
    """A trained float model with its batch norms folded."""
    model = DigitNet()
    train(model, data, options, options.epochs, rate=1e-2)
    model.eval()
    model.fold_batch_norm()
    return model


def fine_tune_quantized(float_model, data, options):
    """A fake-quantized copy of the model, fine-tuned, its scales final."""
    model = copy.deepcopy(float_model)
    insert_fake_quantize(model)
    samples = batches(*data, options.batch, training=True)
    calibrate(model, (inputs for inputs, _ in islice(samples, CALIBRATION_BATCHES)))

    def before_epoch(epoch):
        # The weights settle best to ranges that no longer move.
        if epoch == options.qat_epochs // 2:
            freeze_activation_ranges(model)

    train(model, data, options, options.qat_epochs, 5e-4, before_epoch)
    model.eval()
    freeze_all(model, to_input(data[0][:1]))
    return model


def main():
    """Trains, exports and prints the accuracy of both models."""
    options = parse_arguments()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)
    training, test = (load_split(options.data, split) for split in ("train", "test"))
    options.out.mkdir(parents=True, exist_ok=True)

    print("float training")
    model = train_float(training, options)
    export_onnx(model, options.out / "digits-fp32.onnx")
    print(f"test accuracy, float: {accuracy(model, test):.2f} %")

    print("quantization-aware fine-tuning")
    quantized = fine_tune_quantized(model, training, options)
    export_onnx(quantized, options.out / "digits.onnx")
    print(f"test accuracy, fake-quantized: {accuracy(quantized, test):.2f} %")


if __name__ == "__main__":
    main()
