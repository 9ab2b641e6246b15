"""ONNX export."""

import onnx
import torch

OPSET = 14  # the first with HardSwish as one op


def export_onnx(model, path):
    """Writes the model with a static batch of 1."""
    model.eval()
    torch.onnx.export(model, torch.zeros(1, 1, 28, 28), str(path), opset_version=OPSET,
                      input_names=["image"], output_names=["logits"])
    exported = onnx.load(str(path))
    onnx.checker.check_model(exported)
