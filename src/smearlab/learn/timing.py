"""How long classifiers take for a cell, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError

Call = Callable[[NDArray[np.uint8]], object]


def ms_per_cell(
    calls: Mapping[str, Call], pixels: NDArray[np.uint8], rounds: int = 7
) -> dict[str, float]:
    """Milliseconds a cell, each the median of rounds in which all take turns.

    Parameters
    ----------
    calls : mapping of str to callable
        Each takes the whole batch.
    pixels : ndarray of uint8, shape (N, S, S, 3)
    rounds : int
        At least 1; one more comes first and is not counted.

    Returns
    -------
    dict of str to float

    Raises
    ------
    UsageError
        If there are no rounds or no cells.
    """
    if rounds < 1 or not len(pixels):
        raise UsageError(
            f"timing needs a round and a cell; received {rounds} rounds, {len(pixels)} cells"
        )
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call(pixels)
            if turn:
                times[name].append(time.perf_counter() - began)
    return {name: 1000 * median(taken) / len(pixels) for name, taken in times.items()}
