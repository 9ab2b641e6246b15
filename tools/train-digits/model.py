"""The digit classifier: one layer of each kind that the compiler fuses.

Each unit has empty places (`weight_quant`, `output_quant`) where `quantize.py`
puts fake quantization, so the float and the quantized model are the same code.
"""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval


class ConvUnit(nn.Module):
    """Convolution, batch norm (until folded) and activation."""

    def __init__(self, channels_in, channels_out, kernel=3, stride=1, groups=1,
                 activation=nn.ReLU, quantize_output=True):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2,
                              groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)
        self.activation = activation()
        self.weight_quant = nn.Identity()
        self.output_quant = nn.Identity()
        self.quantize_output = quantize_output

    def forward(self, x):
        conv = self.conv
        y = F.conv2d(x, self.weight_quant(conv.weight), conv.bias, conv.stride, conv.padding,
                     conv.dilation, conv.groups)
        return self.output_quant(self.activation(self.norm(y)))

    def fold_batch_norm(self):
        """Moves the batch norm into the convolution's weights and a bias."""
        self.conv = fuse_conv_bn_eval(self.conv, self.norm)
        self.norm = nn.Identity()


class Separable(nn.Module):
    """Depthwise 3x3, then pointwise 1x1."""

    def __init__(self, channels_in, channels_out, stride=1, activation=nn.ReLU):
        super().__init__()
        self.depthwise = ConvUnit(channels_in, channels_in, 3, stride, groups=channels_in)
        self.pointwise = ConvUnit(channels_in, channels_out, 1, activation=activation)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class Residual(nn.Module):
    """relu(x + conv(relu(conv(x)))).

    The second convolution has no quantization of its own: the sum is rounded
    once, after the relu.
    """

    def __init__(self, channels):
        super().__init__()
        self.first = ConvUnit(channels, channels)
        self.second = ConvUnit(channels, channels, activation=nn.Identity, quantize_output=False)
        self.activation = nn.ReLU()
        self.output_quant = nn.Identity()

    def forward(self, x):
        return self.output_quant(self.activation(self.second(self.first(x)) + x))


class Classifier(nn.Module):
    """Fully connected layer on quantized features; its logits stay float."""

    def __init__(self, features, classes):
        super().__init__()
        self.linear = nn.Linear(features, classes)
        self.weight_quant = nn.Identity()

    def forward(self, x):
        return F.linear(x, self.weight_quant(self.linear.weight), self.linear.bias)


class DigitNet(nn.Module):
    """image f32 [n,1,28,28] in 0..1 -> logits f32 [n,10]."""

    def __init__(self):
        super().__init__()
        self.input_quant = nn.Identity()
        self.stem = ConvUnit(1, 16, stride=2)
        self.separable1 = Separable(16, 32)
        self.residual = Residual(32)
        self.separable2 = Separable(32, 64, stride=2, activation=nn.Hardswish)
        self.max_pool = nn.MaxPool2d(2)
        self.average_pool = nn.AdaptiveAvgPool2d(1)
        self.features_quant = nn.Identity()
        self.flatten = nn.Flatten()
        self.classifier = Classifier(64, 10)

    def forward(self, image):
        x = self.separable1(self.stem(self.input_quant(image)))
        x = self.max_pool(self.separable2(self.residual(x)))
        x = self.features_quant(self.average_pool(x))
        return self.classifier(self.flatten(x))

    def fold_batch_norm(self):
        """Folds every batch norm; the model must be in eval mode."""
        with torch.no_grad():
            for module in list(self.modules()):
                if isinstance(module, ConvUnit):
                    module.fold_batch_norm()
