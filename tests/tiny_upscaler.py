"""An upscaler whose network is one fixed blur, so that every answer can be foretold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiny_bundles import write_bundle

FACTOR, CONTEXT_PX = 2, 1
CARD: dict[str, Any] = {
    "kind": "upscaler",
    "name": "blurred_pairs",
    "factor": FACTOR,
    "context_px": CONTEXT_PX,
}


def write_upscaler(folder: Path, **changed: Any) -> Path:
    """A bundle that takes the mean over 3×3 px, black beyond the edge, and repeats every pixel."""
    return write_bundle(folder, _model(), CARD, **changed)


def foretold(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the bundle answers."""
    padded = np.pad(pixels.astype(np.float64), ((1, 1), (1, 1), (0, 0)))
    height, width = pixels.shape[:2]
    sums = sum(padded[y : y + height, x : x + width] for y in range(3) for x in range(3))
    blurred = np.floor(np.asarray(sums) / 9 + 0.5).astype(np.uint8)
    return blurred.repeat(FACTOR, 0).repeat(FACTOR, 1)


def _model() -> bytes:
    from onnx import TensorProto, checker, helper, numpy_helper

    kernel = np.zeros((3, 1, 3, 3), np.float32)
    kernel[:] = 1 / 9
    constants = {
        "kernel": kernel,
        "half": np.array(0.5, np.float32),
        "no_region": np.array([], np.float32),
        "scales": np.array([1, 1, FACTOR, FACTOR], np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernel"], ["blurred"], pads=[1] * 4, group=3),
        helper.make_node("Add", ["blurred", "half"], ["raised"]),
        helper.make_node("Floor", ["raised"], ["rounded"]),
        helper.make_node(
            "Resize",
            ["rounded", "no_region", "scales"],
            ["larger"],
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        ),
        helper.make_node("Transpose", ["larger"], ["pictures"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["pictures"], ["upscaled"], to=TensorProto.UINT8),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.UINT8, ["n", "h" * k, "w" * k, 3])
        for k, name in enumerate(("pixels", "upscaled"), 1)
    ]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "upscaler", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    return bytes(model.SerializeToString())
