"""Bundles whose networks are a few fixed convolutions, so that every answer can be foretold.

The segmenter sees red discs as RBC, blue ones as WBC, green ones as PLT, each about
:data:`DISC_PX` across; the classifier calls pale blue lymphocytes, deep blue ones neutrophils, and
what is red an erythrocyte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

#: Diameter of the discs that the segmenter's kernel fits and its boxes have.
DISC_PX = 24
STRIDE = 8
COLOURS = {"RBC": (255, 0, 0), "WBC": (0, 0, 255), "PLT": (0, 200, 0)}
#: Lymphocytes, and cells that are as much neutrophils, to the classifier.
PALE, BETWEEN = (110, 110, 255), (55, 55, 255)

SEGMENTER_CARD: dict[str, Any] = {
    "kind": "segmenter",
    "name": "colour_discs",
    "classes": ["background", "RBC", "WBC", "PLT"],
    "decoder": "centres",
    "stride": STRIDE,
    "context_px": 24,
    "map_step": 2,
    "grid_step": 4,
    "cell_diameter_px": DISC_PX,
    "cell_diameter_range_px": [16, 36],
    "first_look_px": 256,
    "suppress": {"same": 0.5, "other": 0.6},
    "thresholds": {"RBC": 0.5, "WBC": 0.4, "PLT": 0.3},
}
#: Side of the tiles that the element networks see, and pitch at which discs are red cells.
TILE_PX = 64
DISC_UM_PER_PX = 7.5 / DISC_PX
ELEMENT_CARD: dict[str, Any] = {
    "kind": "segmenter",
    "decoder": "watershed",
    "stride": TILE_PX,
    "context_px": 0,
    "map_step": 1,
    "cell_diameter_px": DISC_PX,
    "blend": {"tile_px": TILE_PX, "overlap_px": 24},
    "segmented": True,
    "noise": {"size": 4, "keep": 0.5},
}
CLASSIFIER_CARD: dict[str, Any] = {
    "kind": "classifier",
    "name": "mean_colours",
    "classes": ["erythrocyte", "neutrophil", "lymphocyte"],
    "input_px": 16,
    "context": 1.2,
    "threshold": 0.5,
}


def write_bundle(folder: Path, model: bytes, card: dict[str, Any], **changed: Any) -> Path:
    """Write ``model.onnx`` and ``card.json``; keys given as None are left out of the card."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    full = {"sha256": hashlib.sha256(model).hexdigest(), **card, **changed}
    full = {key: value for key, value in full.items() if value is not None}
    (folder / "card.json").write_text(json.dumps(full), encoding="utf-8")
    return folder


def write_segmenter(folder: Path, **changed: Any) -> Path:
    """A bundle that finds coloured discs."""
    return write_bundle(folder, segmenter_model(), SEGMENTER_CARD, **changed)


def write_element(folder: Path, element: str, /, **changed: Any) -> Path:
    """A bundle that draws the discs of one element's colour on black, in tiles of one size."""
    card = {
        **ELEMENT_CARD,
        "name": f"discs_{element.lower()}",
        "element": element,
        "classes": ["background", element],
    }
    noise = changed.get("noise", ELEMENT_CARD["noise"]) is not None
    return write_bundle(folder, element_model(element, noise), card, **changed)


def write_elements(folder: Path, *elements: str, **changed: Any) -> Path:
    """A model: a bundle for each element, in the folder of its name."""
    for element in elements:
        write_element(folder / element.lower(), element, **changed)
    return folder


def write_classifier(folder: Path, **changed: Any) -> Path:
    """A bundle that types crops by their mean colour."""
    return write_bundle(folder, classifier_model(), CLASSIFIER_CARD, **changed)


def draw_discs(
    discs: Sequence[tuple[float, float, str | tuple[int, int, int]]],
    size: tuple[int, int] = (192, 160),
    diameter_px: float = DISC_PX,
) -> np.ndarray:
    """A white field with discs at (x, y), of an element's colour or one of their own."""
    pixels = np.full((size[1], size[0], 3), 255, np.uint8)
    for x, y, colour in discs:
        rgb = COLOURS[colour] if isinstance(colour, str) else colour
        centre = (round((x - 0.5) * 16), round((y - 0.5) * 16))
        cv2.circle(
            pixels, centre, round(diameter_px * 8), rgb, cv2.FILLED, lineType=cv2.LINE_AA, shift=4
        )
    return pixels


def segmenter_model() -> bytes:
    """Colour → presence of each element → class map (÷ 2), smoothed presence as heat (÷ 4)."""
    onnx = pytest.importorskip("onnx", reason="tiny networks are written with onnx")
    make = onnx.helper.make_node
    colour = np.array([[1, -0.5, -0.5], [-0.5, -0.5, 1], [-0.6, 1.2, -0.6]], np.float32) / 255
    y, x = np.mgrid[-3:4, -3:4] * 4.0  # px
    kernel = (np.hypot(x, y) < DISC_PX / 2).astype(np.float32)
    kernel = kernel * np.exp(-(x**2 + y**2) / (2 * 8.0**2)).astype(np.float32)
    weights = {
        "colour": colour[:, :, None, None],
        "heat_kernel": np.repeat((kernel / kernel.sum())[None, None], 3, axis=0),
        "no_weight": np.zeros((4, 3, 1, 1), np.float32),
        "half_side": np.full(4, DISC_PX / 2, np.float32),
        "low": np.float32(0),
        "high": np.float32(1),
        "sharp": np.float32(1.6),
    }
    nodes = [
        make("Cast", ["pixels"], ["float"], to=onnx.TensorProto.FLOAT),
        make("Transpose", ["float"], ["nchw"], perm=[0, 3, 1, 2]),
        make("Conv", ["nchw", "colour"], ["likeness"]),
        make("Clip", ["likeness", "low", "high"], ["presence"]),
        make("AveragePool", ["presence"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        make("Mul", ["half", "sharp"], ["sharpened"]),
        make("Clip", ["sharpened", "low", "high"], ["elements"]),
        make("ReduceMax", ["elements"], ["any"], axes=[1], keepdims=1),
        make("Sub", ["high", "any"], ["background"]),
        make("Concat", ["background", "elements"], ["maps"], axis=1),
        make("Transpose", ["maps"], ["classes"], perm=[0, 2, 3, 1]),
        make("AveragePool", ["presence"], ["quarter"], kernel_shape=[4, 4], strides=[4, 4]),
        make("Conv", ["quarter", "heat_kernel"], ["warm"], group=3, pads=[3, 3, 3, 3]),
        make("Transpose", ["warm"], ["heat"], perm=[0, 2, 3, 1]),
        make("Conv", ["quarter", "no_weight", "half_side"], ["reach"]),
        make("Transpose", ["reach"], ["sides"], perm=[0, 2, 3, 1]),
    ]
    outputs = {"classes": 4, "heat": 3, "sides": 4}
    shapes = {name: ["one", name + " h", name + " w", k] for name, k in outputs.items()}
    return _save(nodes, weights, ["one", "height", "width", 3], shapes)


def element_model(element: str, noise: bool = True) -> bytes:
    """Pixel by pixel: colour → presence, times the mean factor of the noise → drawn picture."""
    onnx = pytest.importorskip("onnx", reason="tiny networks are written with onnx")
    make = onnx.helper.make_node
    likeness = {"RBC": (1, -0.5, -0.5), "WBC": (-0.5, -0.5, 1), "PLT": (-0.6, 1.2, -0.6)}[element]
    weights = {
        "colour": np.array(likeness, np.float32)[:, None] / 255,
        "white": np.float32(255),
        "low": np.float32(0),
        "high": np.float32(1),
        "certain": np.float32(0.3),
    }
    inputs = {"keep": [1, ELEMENT_CARD["noise"]["size"]]} if noise else {}
    factor = [make("ReduceMean", ["keep"], ["factor"], keepdims=0)] if noise else []
    nodes = [
        make("Cast", ["pixels"], ["float"], to=onnx.TensorProto.FLOAT),
        make("MatMul", ["float", "colour"], ["likeness"]),
        make("Clip", ["likeness", "low", "high"], ["presence"]),
        *factor,
        make("Mul", ["presence", "factor" if noise else "high"], ["noisy"]),
        make("Div", ["float", "white"], ["light"]),
        make("Mul", ["light", "noisy"], ["drawn"]),
        make("Clip", ["drawn", "low", "high"], ["segmented"]),
        make("ReduceMax", ["segmented"], ["brightest"], axes=[3], keepdims=1),
        make("Div", ["brightest", "certain"], ["sure"]),
        make("Clip", ["sure", "low", "high"], ["there"]),
        make("Sub", ["high", "there"], ["background"]),
        make("Concat", ["background", "there"], ["classes"], axis=3),
    ]
    side = [1, TILE_PX, TILE_PX]
    outputs = {"classes": [*side, 2], "segmented": [*side, 3]}
    return _save(nodes, weights, [*side, 3], outputs, inputs)


def classifier_model() -> bytes:
    """Softmax over three linear functions of a crop's mean colour."""
    onnx = pytest.importorskip("onnx", reason="tiny networks are written with onnx")
    make = onnx.helper.make_node
    weights = {
        # erythrocyte: red − blue; neutrophil: blue − red; lymphocyte: green (it is pale)
        "colour": np.array([[20, -20, 0], [0, 0, 20], [-20, 20, 0]], np.float32) / 255,
        "offset": np.array([0, -8.6, -11.4], np.float32),
    }
    nodes = [
        make("Cast", ["pixels"], ["float"], to=onnx.TensorProto.FLOAT),
        make("ReduceMean", ["float"], ["mean"], axes=[1, 2], keepdims=0),
        make("MatMul", ["mean", "colour"], ["product"]),
        make("Add", ["product", "offset"], ["logits"]),
        make("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    side = CLASSIFIER_CARD["input_px"]
    return _save(nodes, weights, ["cells", side, side, 3], {"probabilities": ["cells", 3]})


def _save(
    nodes: Sequence[Any],
    weights: dict[str, Any],
    shape: Sequence[Any],
    outputs: dict[str, Sequence[Any]],
    more_inputs: dict[str, Sequence[Any]] | None = None,
) -> bytes:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("pixels", TensorProto.UINT8, shape),
            *(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, shape in (more_inputs or {}).items()
            ),
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in outputs.items()
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()
