"""From a trained model to a bundle: preprocessing inside the graph, weights as half floats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from smearlab.io.atomic import write_bytes, write_text
from smearlab.learn.objectives import image_batch


class CentresGraph(nn.Module):
    """Cell-centre network as its bundle contract asks."""

    outputs = ("classes", "heat", "sides")
    dynamic = {0: "one", 1: "height", 2: "width"}

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """uint8 ``(1, H, W, 3)`` → classes, heat, sides, channels last."""
        heat, sides, classes = self.model(image_batch(pixels))
        maps = (classes.softmax(1), heat.sigmoid(), sides)
        return tuple(value.permute(0, 2, 3, 1) for value in maps)


class ForegroundGraph(nn.Module):
    """A one-channel foreground network (logits) as a segmenter of background and cell."""

    outputs = ("classes",)
    dynamic = CentresGraph.dynamic

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """uint8 ``(1, H, W, 3)`` → probabilities of background and cell."""
        cell = self.model(image_batch(pixels)).sigmoid().permute(0, 2, 3, 1)
        return (torch.cat([1 - cell, cell], dim=-1),)


class TypesGraph(nn.Module):
    """Classifier with its temperature."""

    outputs = ("probabilities",)
    dynamic = {0: "cells"}

    def __init__(self, model: nn.Module, temperature: float = 1.0) -> None:
        super().__init__()
        self.model = model
        self.temperature = temperature

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """uint8 ``(N, S, S, 3)`` → probabilities ``(N, K)``."""
        return ((self.model(image_batch(pixels)) / self.temperature).softmax(1),)


def freeze(model: nn.Module) -> nn.Module:
    """Make a trained network what ships: batch norms folded in, weights rounded to half floats.

    In place. Figures are measured on the result, so rounding is part of them.
    """
    model.eval()
    for parent in model.modules():
        if not isinstance(parent, nn.Sequential):
            continue
        for first, second in zip(range(len(parent)), range(1, len(parent)), strict=False):
            conv, norm = parent[first], parent[second]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                parent[first] = fuse_conv_bn_eval(conv, norm)
                parent[second] = nn.Identity()
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.half().float())
    return model


def _store_half(graph: onnx.ModelProto) -> None:
    """Store float32 weights that half floats hold exactly as half floats plus a cast."""
    kept, casts = [], []
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16) if values.dtype == np.float32 else None
        if half is None or values.size < 64 or not np.array_equal(half.astype(np.float32), values):
            kept.append(tensor)
            continue
        kept.append(numpy_helper.from_array(half, tensor.name + "_half"))
        node = helper.make_node(
            "Cast", [tensor.name + "_half"], [tensor.name], to=TensorProto.FLOAT
        )
        casts.append(node)
    nodes = [*casts, *graph.graph.node]
    del graph.graph.initializer[:], graph.graph.node[:]
    graph.graph.initializer.extend(kept)
    graph.graph.node.extend(nodes)


def write_bundle(
    folder: Path, wrapped: nn.Module, example: Tensor, card: Mapping[str, Any]
) -> Path:
    """Write ``model.onnx`` and ``card.json``.

    Parameters
    ----------
    folder : Path
        Made if missing.
    wrapped : Module
        One of the graphs above around a trained model in evaluation mode.
    example : Tensor of uint8
        An input of valid shape.
    card : mapping
        Everything but the checksum.

    Returns
    -------
    Path
        The folder.
    """
    import io
    import warnings

    buffer = io.BytesIO()
    with warnings.catch_warnings():  # the tracing exporter announces its successor
        warnings.simplefilter("ignore")
        torch.onnx.export(
            wrapped.eval(),
            (example,),
            buffer,
            input_names=["pixels"],
            output_names=list(wrapped.outputs),  # type: ignore[call-overload]
            dynamic_axes={"pixels": wrapped.dynamic},
            opset_version=17,
            dynamo=False,
        )
    graph = onnx.load_from_string(buffer.getvalue())
    _store_half(graph)
    onnx.checker.check_model(graph)
    data = graph.SerializeToString()
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "model.onnx", data)
    full = {**card, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    write_text(folder / "card.json", json.dumps(full, indent=1, ensure_ascii=False) + "\n")
    return folder
