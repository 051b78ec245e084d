"""Generators whose networks are two products, so that every picture can be foretold.

A picture is of the colour of its type, moved by the first three numbers of its latent, and darker
towards the bottom.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TYPES = ("basophil", "eosinophil", "immature granulocyte")
LATENT, SIZE = 5, 16
#: Colours of the types, and by how much a number of the latent moves them.
COLOURS = np.array([[90, 60, 200], [220, 120, 60], [130, 180, 90]], np.float32)
MOVE = 9.0


def foretold(latents: np.ndarray, types: np.ndarray, size: int = SIZE) -> np.ndarray:
    """What :func:`generator_model` gives, by numpy: uint8 (N, size, size, 3)."""
    colour = types @ COLOURS[: types.shape[1]] + MOVE * latents[:, :3]
    shade = np.linspace(1, 0.5, size, dtype=np.float32)[None, :, None, None]
    whole = colour[:, None, None, :] * shade * np.ones((1, 1, size, 1), np.float32)
    return np.clip(whole, 0, 255).round().astype(np.uint8)


def write_generator(
    folder: Path, types: Sequence[str] = TYPES, size: int = SIZE, **changed: Any
) -> Path:
    """A bundle of it; keys given as None are left out of the card."""
    model = generator_model(len(types), size)
    card = {
        "kind": "generator",
        "name": "colours",
        "sha256": hashlib.sha256(model).hexdigest(),
        "classes": list(types),
        "latent_size": LATENT,
        "size_px": size,
        **changed,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    kept = {key: value for key, value in card.items() if value is not None}
    (folder / "card.json").write_text(json.dumps(kept), encoding="utf-8")
    return folder


def generator_model(n_types: int, size: int = SIZE, latent: str = "latent") -> bytes:
    """Colour of the type + MOVE · latent, times a shade that falls from 1 to ½."""
    onnx = pytest.importorskip("onnx", reason="tiny networks are written with onnx")
    helper, make, kind = onnx.helper, onnx.helper.make_node, onnx.TensorProto
    move = np.zeros((LATENT, 3), np.float32)
    move[[0, 1, 2], [0, 1, 2]] = MOVE
    shade = np.repeat(np.linspace(1, 0.5, size, dtype=np.float32)[:, None], size, axis=1)
    weights = {
        "colours": COLOURS[:n_types],
        "move": move,
        "shade": shade[None, :, :, None],
        "square": np.array([-1, 1, 1, 3], np.int64),
        "low": np.float32(0),
        "high": np.float32(255),
    }
    nodes = [
        make("MatMul", ["types", "colours"], ["colour"]),
        make("MatMul", [latent, "move"], ["moved"]),
        make("Add", ["colour", "moved"], ["sum"]),
        make("Reshape", ["sum", "square"], ["one"]),
        make("Mul", ["one", "shade"], ["whole"]),
        make("Clip", ["whole", "low", "high"], ["bright"]),
        make("Round", ["bright"], ["even"]),
        make("Cast", ["even"], ["pixels"], to=kind.UINT8),
    ]
    inputs = {latent: LATENT, "types": n_types}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(k, kind.FLOAT, ["n", v]) for k, v in inputs.items()],
        [helper.make_tensor_value_info("pixels", kind.UINT8, ["n", size, size, 3])],
        [onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
