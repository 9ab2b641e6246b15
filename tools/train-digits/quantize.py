"""Fake quantization: where it goes, and how its scales are found."""

import torch
from torch.ao.quantization import FakeQuantize, MovingAverageMinMaxObserver
from torch.ao.quantization.observer import ObserverBase

from model import Classifier, ConvUnit, DigitNet, Residual


class ChannelMaxObserver(ObserverBase):
    """Scale = max|w| / 127 per output channel of the weights as they are now.

    PyTorch's own observer divides by 127.5 (so the largest positive weight
    clips) and remembers the widest range seen in training.
    """

    def __init__(self, dtype, qscheme, quant_min, quant_max):
        super().__init__(dtype)
        self.qscheme, self.ch_axis = qscheme, 0
        self.quant_min, self.quant_max = quant_min, quant_max
        self.max_abs = torch.ones(1)

    def forward(self, weight):
        self.max_abs = weight.detach().flatten(1).abs().amax(1)
        return weight

    def calculate_qparams(self):
        """(scales, zero points) of the last weights seen."""
        scale = (self.max_abs / 127).clamp_min(torch.finfo(torch.float32).eps)
        return scale, torch.zeros_like(scale, dtype=torch.int32)


def weight_quantizer():
    """s8, symmetric, per output channel."""
    return FakeQuantize(ChannelMaxObserver, -128, 127, dtype=torch.qint8,
                        qscheme=torch.per_channel_symmetric)


def activation_quantizer():
    """u8, affine, per tensor."""
    return FakeQuantize(MovingAverageMinMaxObserver, 0, 255, dtype=torch.quint8,
                        qscheme=torch.per_tensor_affine)


def insert_fake_quantize(model):
    """Fills the empty quantization places of a folded model."""
    for module in list(model.modules()):
        if isinstance(module, (ConvUnit, Classifier)):
            module.weight_quant = weight_quantizer()
        if isinstance(module, Residual) or getattr(module, "quantize_output", False):
            module.output_quant = activation_quantizer()
        if isinstance(module, DigitNet):
            module.input_quant = activation_quantizer()
            module.features_quant = activation_quantizer()


def quantizers(model, of_weights):
    """The model's weight or activation quantizers."""
    for module in model.modules():
        if isinstance(module, FakeQuantize) and module.is_per_channel == of_weights:
            yield module


def calibrate(model, inputs):
    """Initial activation ranges, from the float model's own values."""
    every = [*quantizers(model, True), *quantizers(model, False)]
    for quantizer in every:
        quantizer.disable_fake_quant()
    model.eval()
    with torch.no_grad():
        for batch in inputs:
            model(batch)
    for quantizer in every:
        quantizer.enable_fake_quant()


def freeze_activation_ranges(model):
    """Stops the activation observers; weight scales keep following the weights."""
    for quantizer in quantizers(model, False):
        quantizer.disable_observer()


def freeze_all(model, example):
    """Takes the weight scales of the final weights, then stops every observer."""
    freeze_activation_ranges(model)
    with torch.no_grad():
        model(example)
    for quantizer in quantizers(model, True):
        quantizer.disable_observer()
