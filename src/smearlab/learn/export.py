"""From a trained model to a bundle: preprocessing inside the graph, weights as half floats."""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from smearlab.errors import SmearlabError
from smearlab.io.atomic import write_bytes, write_text
from smearlab.learn.objectives import image_batch

#: Smaller weights are not worth a node of their own.
_SMALLEST_STORED_HALF = 64


class BundleGraph(nn.Module):
    """A network as its bundle contract asks: uint8 pixels in, named answers out.

    Parameters
    ----------
    model : Module
        The trained network.
    """

    #: Names of the answers, in their order.
    outputs: ClassVar[tuple[str, ...]]
    #: Axes of the pixels whose length is free, by name.
    dynamic: ClassVar[Mapping[int, str]]

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def free_axes(self) -> Mapping[str, Mapping[int, str]]:
        """Inputs and outputs with axes of free length: name → number of the axis → its name."""
        return {"pixels": self.dynamic} if self.dynamic else {}


class CentresGraph(BundleGraph):
    """Cell-centre network: classes, heat and sides."""

    outputs = ("classes", "heat", "sides")
    dynamic: ClassVar[Mapping[int, str]] = {0: "one", 1: "height", 2: "width"}

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """uint8 ``(1, H, W, 3)`` → classes, heat, sides, channels last."""
        heat, sides, classes = self.model(image_batch(pixels))
        maps = (classes.softmax(1), heat.sigmoid(), sides)
        return tuple(value.permute(0, 2, 3, 1) for value in maps)


class MirroredCentresGraph(CentresGraph):
    """The same, averaged over the field and its mirror image: twice the work, steadier answers."""

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """uint8 ``(1, H, W, 3)`` → classes, heat, sides, channels last."""
        x = image_batch(pixels)
        heat, sides, classes = self.model(torch.cat([x, torch.flip(x, [3])]))
        maps = []
        for value in (classes.softmax(1), heat.sigmoid(), sides):
            there = torch.flip(value[1:], [3])
            if value is sides:  # left and right change places
                there = there[:, [2, 1, 0, 3]]
            maps.append(((value[:1] + there) / 2).permute(0, 2, 3, 1))
        return tuple(maps)


class ForegroundGraph(BundleGraph):
    """A one-channel foreground network (logits) as a segmenter of background and cell."""

    outputs = ("classes",)
    dynamic = CentresGraph.dynamic

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """uint8 ``(1, H, W, 3)`` → probabilities of background and cell, channels last."""
        cell = self.model(image_batch(pixels)).sigmoid().permute(0, 2, 3, 1)
        return (torch.cat([1 - cell, cell], dim=-1),)


class TypesGraph(BundleGraph):
    """Classifier with its temperature.

    Parameters
    ----------
    model : Module
        The trained network.
    temperature : float
        Logits are divided by it; above 0.
    """

    outputs = ("probabilities",)
    dynamic: ClassVar[Mapping[int, str]] = {0: "cells"}

    def __init__(self, model: nn.Module, temperature: float = 1.0) -> None:
        super().__init__(model)
        self.temperature = temperature

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """uint8 ``(N, S, S, 3)`` → probabilities ``(N, K)``."""
        return ((self.model(image_batch(pixels)) / self.temperature).softmax(1),)


def freeze(model: nn.Module) -> nn.Module:
    """Make a trained network what ships: batch norms folded in, weights rounded to half floats.

    In place. Figures are measured on the result, so rounding is part of them.

    Parameters
    ----------
    model : Module
        Its batch norms follow their convolution inside a ``Sequential``.

    Returns
    -------
    Module
        The same, in evaluation mode.

    Raises
    ------
    SmearlabError
        If a weight is beyond what half floats hold.
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
        for name, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            rounded = tensor.half().float()
            if not bool(torch.isfinite(rounded).all()):
                largest = float(tensor.abs().max())
                raise SmearlabError(
                    f"{name} reaches {largest:g}, which half floats (65504) cannot hold: the "
                    "training has diverged; train with a lower train.lr"
                )
            tensor.copy_(rounded)
    return model


def _store_half(graph: onnx.ModelProto) -> None:
    """Store float32 weights that half floats hold exactly as half floats plus a cast."""
    kept, casts = [], []
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16) if values.dtype == np.float32 else None
        exact = half is not None and np.array_equal(half.astype(np.float32), values)
        if half is None or not exact or values.size < _SMALLEST_STORED_HALF:
            kept.append(tensor)
            continue
        name = f"{tensor.name}_half"
        kept.append(numpy_helper.from_array(half, name))
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.initializer[:], graph.graph.node[:]
    graph.graph.initializer.extend(kept)
    graph.graph.node.extend(nodes)


def _traced(wrapped: BundleGraph, inputs: Mapping[str, Tensor]) -> onnx.ModelProto:
    """The graph as ONNX, weights as float32."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter announces its successor
        path = Path(folder) / "traced.onnx"
        torch.onnx.export(
            wrapped.eval(),
            tuple(inputs.values()),
            path,
            input_names=list(inputs),
            output_names=list(wrapped.outputs),
            dynamic_axes=wrapped.free_axes() or None,
            opset_version=17,
            dynamo=False,
        )
        return onnx.load(path)


def write_bundle(
    folder: Path,
    wrapped: BundleGraph,
    example: Tensor | Mapping[str, Tensor],
    card: Mapping[str, Any],
) -> Path:
    """Write ``model.onnx`` and ``card.json``.

    Parameters
    ----------
    folder : Path
        Made if missing.
    wrapped : BundleGraph
        Around a trained model in evaluation mode.
    example : Tensor of uint8, or mapping of str to Tensor
        Pixels of valid shape; or all inputs by name, in the order of the graph's ``forward``.
    card : mapping
        Everything but the checksum and the size.

    Returns
    -------
    Path
        The folder.
    """
    inputs = {"pixels": example} if isinstance(example, Tensor) else example
    graph = _traced(wrapped, inputs)
    _store_half(graph)
    onnx.checker.check_model(graph)
    data = graph.SerializeToString()
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "model.onnx", data)
    full = {**card, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    write_text(folder / "card.json", json.dumps(full, indent=1, ensure_ascii=False) + "\n")
    return folder
