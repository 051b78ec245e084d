"""Results as plain numbers: intervals as pairs, NaN as None, since JSON has no NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.files import BadFile
from smearlab.metrics.resampling import percentile_interval

#: Resamples of every bootstrap interval, and the seed of their draws.
RESAMPLES = 1000
SEED = 0


def plain(value: Any) -> Any:
    """The same as dicts, lists, strings, numbers and None.

    Parameters
    ----------
    value : object
        Nested mappings, sequences, arrays and numbers.

    Returns
    -------
    object
        What :func:`json.dumps` writes without NaN; an undefined number is None.

    Examples
    --------
    >>> plain({"ap": float("nan"), "interval": (0.5, 1.0)})
    {'ap': None, 'interval': [0.5, 1.0]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return None if math.isnan(value) else float(value)
    return int(value) if isinstance(value, np.integer) else value


def intervals(draws: Mapping[str, NDArray[np.float64]], n: int) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals of figures whose resamples are at hand.

    Parameters
    ----------
    draws : mapping of str to ndarray, shape (R,)
        Figure → its value in each resample.
    n : int
        Units that were resampled; below two there is no spread to speak of.

    Returns
    -------
    dict of str to (float, float)
        Low and high end; NaN, NaN for ``n`` below 2.
    """
    if n < 2:
        return dict.fromkeys(draws, (math.nan, math.nan))
    return {name: percentile_interval(values) for name, values in draws.items()}


def failures(bad: Sequence[BadFile]) -> list[dict[str, str]]:
    """The list under ``"errors"``: file and reason."""
    return [{"file": one.path, "reason": one.reason} for one in bad]
