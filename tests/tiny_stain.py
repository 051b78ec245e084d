"""A stain bundle whose network is one fixed blur and a change of colours: foretold answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiny_bundles import write_bundle

MULTIPLE_PX, CONTEXT_PX, TILE_PX = 4, 1, 8
CARD: dict[str, Any] = {
    "kind": "stain",
    "name": "blurred_negative",
    "multiple_px": MULTIPLE_PX,
    "context_px": CONTEXT_PX,
    "tile_px": TILE_PX,
    "from": "cream",
    "to": "pink",
    "network": "Blur",
}


def write_stain(folder: Path, **changed: Any) -> Path:
    """A bundle: mean over 3×3 px with the edge repeated, then 255 less that, red and blue swapped.

    It takes pictures whose sides are multiples of 4 px, and fails on others.
    """
    return write_bundle(folder, _model(), CARD, **changed)


def foretold(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the bundle answers to a whole picture, however it is padded and cut into tiles.

    Padded as the contract says: a side that is no multiple of 4 px is reflected.
    """
    height, width = pixels.shape[:2]
    grown = ((0, -height % MULTIPLE_PX), (0, -width % MULTIPLE_PX), (0, 0))
    whole = np.pad(pixels.astype(np.float64), grown, mode="reflect")
    padded = np.pad(whole, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows, columns = whole.shape[:2]
    sums = sum(padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3))
    levels = np.floor(255 - np.asarray(sums) / 9 + 0.5)[:height, :width, ::-1]
    return np.ascontiguousarray(levels.astype(np.uint8))


def write_pointwise_stain(folder: Path, **changed: Any) -> Path:
    """A bundle that looks at one pixel alone: 255 less its value, red and blue swapped."""
    card = {**CARD, "name": "negative", "multiple_px": 1, "context_px": 0}
    return write_bundle(folder, _model(blurs=False), card, **changed)


def _model(blurs: bool = True) -> bytes:
    from onnx import TensorProto, checker, helper, numpy_helper

    side = 3 if blurs else 1
    kernel = np.zeros((3, 3, side, side), np.float32)
    for channel in range(3):
        kernel[channel, 2 - channel] = -1 / side**2
    around = np.array([0, 0, side // 2, side // 2] * 2, np.int64)
    constants = {
        "kernel": kernel,
        "white": np.array(255.5, np.float32),  # half a level more, for the rounding
        "around": around,
    }
    step = MULTIPLE_PX if blurs else 1
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Pad", ["planes", "around"], ["grown"], mode="edge"),
        helper.make_node("Conv", ["grown", "kernel"], ["blurred"]),
        helper.make_node("Add", ["blurred", "white"], ["raised"]),
        helper.make_node("Floor", ["raised"], ["rounded"]),
        # SpaceToDepth refuses sides that are no multiples, as a network with strides would.
        helper.make_node("SpaceToDepth", ["rounded"], ["deep"], blocksize=step),
        helper.make_node("DepthToSpace", ["deep"], ["flat"], blocksize=step),
        helper.make_node("Transpose", ["flat"], ["pictures"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["pictures"], ["normalised"], to=TensorProto.UINT8),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.UINT8, ["n", "h", "w", 3])
        for name in ("pixels", "normalised")
    ]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "stain", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    return bytes(model.SerializeToString())
