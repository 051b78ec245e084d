"""How much the pictures of a type differ from each other: what mode collapse takes away."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.results import RESAMPLES, SEED
from smearlab.metrics.pair_means import drawn_pairs, pair_mean_draws
from smearlab.metrics.picture_pairs import ms_ssim, ms_ssim_scales
from smearlab.metrics.resampling import draw_weights, percentile_interval, units_of

#: Pairs of a type, and pairs across types, that are looked at.
PAIRS = 100
Places = NDArray[np.intp]
#: Distance or similarity of pairs: pictures, numbers of the left and of the right ones → values.
OfPairs = Callable[[NDArray[np.uint8], Places, Places], NDArray[np.float64]]


def ms_ssim_of_pairs(
    pictures: NDArray[np.uint8], left: Places, right: Places
) -> NDArray[np.float64]:
    """:func:`smearlab.metrics.picture_pairs.ms_ssim` of pairs of one set."""
    return ms_ssim(pictures[left], pictures[right])


def pair_figures(
    of_pairs: OfPairs,
    pictures: NDArray[np.uint8],
    types: NDArray[np.str_],
    groups: NDArray[np.str_],
    *,
    pairs: int = PAIRS,
) -> dict[str, Any]:
    """Mean of a figure of pairs within each type, within all, and across types.

    Parameters
    ----------
    of_pairs : callable
    pictures : ndarray of uint8, shape (N, H, W, 3)
    types, groups : ndarray of str, shape (N,)
        Resamples take whole groups; pairs of one group count like others.
    pairs : int
        Drawn at most of each type.

    Returns
    -------
    dict
        ``types``: type → of that type; ``within``: of the same pairs together; ``across``: of
        pairs of different types. Each has ``value``, ``interval``, ``n_pairs``, ``n``.
    """
    found: dict[str, Any] = {"types": {}}
    kept = []
    for name in np.unique(types):
        rows = np.flatnonzero(types == name)
        a, b = drawn_pairs(types[rows], pairs, same=True, seed=SEED)
        values = of_pairs(pictures, rows[a], rows[b])
        kept.append((values, rows[a], rows[b]))
        found["types"][str(name)] = _mean(values, rows[a], rows[b], groups, len(rows))
    values, left, right = (np.concatenate(part) for part in zip(*kept, strict=True))
    found["within"] = _mean(values, left, right, groups, len(types))
    left, right = drawn_pairs(types, pairs, same=False, seed=SEED)
    values = of_pairs(pictures, left, right) if len(left) else np.empty(0)
    found["across"] = _mean(values, left, right, groups, len(types))
    return found


def _mean(
    values: NDArray[np.float64], left: Places, right: Places, groups: NDArray[np.str_], n: int
) -> dict[str, Any]:
    interval = (math.nan, math.nan)
    units, n_units = units_of(groups)
    if len(values) > 1:
        weights = draw_weights(n_units, resamples=RESAMPLES, seed=SEED)[:, units]
        interval = percentile_interval(pair_mean_draws(values, left, right, weights))
    value = float(values.mean()) if len(values) else math.nan
    return {"value": value, "interval": interval, "n_pairs": len(values), "n": n}


def diversity(
    real: tuple[NDArray[np.uint8], NDArray[np.str_], NDArray[np.str_]],
    fake: tuple[NDArray[np.uint8], NDArray[np.str_], NDArray[np.str_]],
    perceptual: OfPairs | None,
    network: str,
    *,
    pairs: int = PAIRS,
) -> dict[str, Any]:
    """Perceptual distance and MS-SSIM within and across types, of both sets.

    Parameters
    ----------
    real, fake : tuple of ndarray
        Pictures ``(N, H, W, 3)`` of one size, types and groups.
    perceptual : callable or None
    network : str
        What its distance is called.
    pairs : int

    Returns
    -------
    dict
        ``lpips`` (with ``network``) and ``ms_ssim`` (with ``scales``), each with ``real`` and
        ``synthetic`` of :func:`pair_figures`; one that cannot be had is None: pictures below
        11 px have no MS-SSIM.
    """
    scales = ms_ssim_scales(min(fake[0].shape[1:3]))
    found: dict[str, Any] = {"lpips": None, "ms_ssim": None}
    if perceptual is not None:
        found["lpips"] = {"network": network, **_of_both(perceptual, real, fake, pairs)}
    if scales:
        found["ms_ssim"] = {"scales": scales, **_of_both(ms_ssim_of_pairs, real, fake, pairs)}
    return found


def _of_both(
    of_pairs: OfPairs, real: tuple[Any, ...], fake: tuple[Any, ...], pairs: int
) -> dict[str, Any]:
    return {
        "real": pair_figures(of_pairs, *real, pairs=pairs),
        "synthetic": pair_figures(of_pairs, *fake, pairs=pairs),
    }
