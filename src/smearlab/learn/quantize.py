"""Bundles with eight-bit weights and activations: smaller, faster where the processor can."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from smearlab.errors import UsageError

#: Cells in one call while ranges are measured: bounds memory.
_BATCH = 16


class _Views(CalibrationDataReader):  # type: ignore[misc]
    """Hands out the calibration pictures, a few at a time."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._rest: Iterator[NDArray[np.uint8]] = iter(
            np.array_split(pixels, -(-len(pixels) // _BATCH))
        )

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Some pictures under the name of the input; None when all were given."""
        part = next(self._rest, None)
        return None if part is None else {"pixels": part}


def quantized(model: Path, pixels: NDArray[np.uint8]) -> bytes:
    """An int8 version of a classifier's graph (static, QDQ, weights by channel).

    Weights use seven of the eight bits, so that processors without VNNI do not overflow and the
    answers are the same everywhere.

    Parameters
    ----------
    model : Path
        ``model.onnx`` of a bundle.
    pixels : ndarray of uint8, shape (N, S, S, 3)
        Pictures as the network sees them, on which the ranges of activations are measured.

    Returns
    -------
    bytes
        The graph.

    Raises
    ------
    UsageError
        If there are no pictures.
    """
    if not len(pixels):
        raise UsageError(
            "quantisation measures the ranges of activations on pictures, and there are none: "
            "name the folder of the run's pictures with --data"
        )
    with tempfile.TemporaryDirectory() as folder, _quiet():
        whole, small = Path(folder) / "whole.onnx", Path(folder) / "int8.onnx"
        # Folds the casts of half-float weights away: only constants are quantised.
        quant_pre_process(model, whole, skip_symbolic_shape=True)
        quantize_static(
            whole,
            small,
            _Views(pixels),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        graph: Any = onnx.load(small)
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice that the quantiser logs, which names files nobody will see."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
