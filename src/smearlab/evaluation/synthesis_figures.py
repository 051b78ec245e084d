"""Generated pictures beside real ones: every figure of features, with n and interval.

The features' network is named in the result, since no figure means anything without it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.results import SEED
from smearlab.metrics.generative import (
    centred_interval,
    frechet_distance,
    inception_score,
    kernel_distance,
    kernel_draws,
    paired_distances,
    score_draws,
)
from smearlab.metrics.intervals import share_interval
from smearlab.metrics.manifolds import (
    K_DENSITY,
    K_PRECISION,
    density_coverage,
    precision_recall,
)
from smearlab.metrics.resampling import (
    Interval,
    draw_weights,
    percentile_interval,
    ratio,
    units_of,
)
from smearlab.metrics.transport import directions, wasserstein_draws

#: Resamples of every interval here; distances of distributions take long.
RESAMPLES = 100
#: Parts of the inception score; fewer where there are not so many pictures.
SPLITS = 10
_UNKNOWN: Interval = (math.nan, math.nan)


@dataclass(frozen=True, eq=False)
class SeenPictures:
    """Pictures as a network sees them.

    Parameters
    ----------
    features : ndarray of float64, shape (N, D)
    types, groups : ndarray of str, shape (N,)
        Type of each picture; the source or near-duplicate group that it shares with others.
    probabilities : ndarray of float64, shape (N, K), optional
        Of the classes of the same network, for the inception score.
    """

    features: NDArray[np.float64]
    types: NDArray[np.str_]
    groups: NDArray[np.str_]
    probabilities: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: NDArray[Any]) -> SeenPictures:
        """Some of the pictures, by a bool array or by their numbers."""
        return SeenPictures(
            self.features[rows],
            self.types[rows],
            self.groups[rows],
            None if self.probabilities is None else self.probabilities[rows],
        )

    def draws(self, resamples: int, seed: int) -> NDArray[np.int64]:
        """How often resamples of whole groups take each picture, shape (R, N)."""
        units, n_units = units_of(self.groups)
        return draw_weights(n_units, resamples=resamples, seed=seed)[:, units]


@dataclass(frozen=True)
class Figure:
    """One figure.

    Parameters
    ----------
    value : float
        NaN where it is not defined.
    interval : tuple of float
        95 %; NaN where there is none.
    deviation : float or None
        From part to part of the pictures, where the figure is a mean over parts.
    """

    value: float
    interval: Interval = _UNKNOWN
    deviation: float | None = None


def synthesis_figures(
    real: SeenPictures, fake: SeenPictures, *, resamples: int = RESAMPLES
) -> dict[str, Figure]:
    """Compare generated pictures with real ones.

    Parameters
    ----------
    real, fake : SeenPictures
    resamples : int
        0 for no intervals.

    Returns
    -------
    dict of str to Figure
        ``fid``, ``kid``, ``psi``, ``wasserstein_sliced``, ``wasserstein_feature`` (mean over
        the features), ``precision``, ``recall``, ``density``, ``coverage``, and
        ``inception_score`` where there are probabilities. Intervals resample groups of real
        pictures and single generated ones; those of precision, recall, density and coverage
        leave the balls of the other set as they are.
    """
    wa = real.draws(resamples, SEED) if resamples else np.empty((0, len(real)), np.int64)
    wb = fake.draws(resamples, SEED + 1) if resamples else np.empty((0, len(fake)), np.int64)
    found = {"fid": fid_figure(real, fake, wa, wb), "kid": _kid(real, fake, wa, wb)}
    if fake.probabilities is not None:
        found["inception_score"] = inception_figure(fake.probabilities, wb)
    found["psi"] = psi_of_types(real, fake, resamples)
    found |= _wasserstein(real, fake, wa, wb)
    return {**found, **_manifolds(real, fake, wa, wb)}


def fid_figure(
    real: SeenPictures, fake: SeenPictures, wa: NDArray[Any], wb: NDArray[Any]
) -> Figure:
    """Fréchet distance of features, with the interval of resamples.

    Parameters
    ----------
    real, fake : SeenPictures
    wa, wb : ndarray of int, shapes (R, N) and (R, M)
        How often each resample takes each picture; no resample gives no interval.
    """
    value = frechet_distance(real.features, fake.features)
    draws = [
        frechet_distance(real.features, fake.features, a, b) for a, b in zip(wa, wb, strict=True)
    ]
    return Figure(value, centred_interval(np.array(draws), value, floor=0.0))


def _kid(real: SeenPictures, fake: SeenPictures, wa: NDArray[Any], wb: NDArray[Any]) -> Figure:
    found = kernel_distance(real.features, fake.features, seed=SEED)
    draws = kernel_draws(real.features, fake.features, wa, wb) if len(wa) else np.empty(0)
    return Figure(found.value, centred_interval(draws, found.value), found.deviation)


def inception_figure(probabilities: NDArray[np.float64], weights: NDArray[Any]) -> Figure:
    """Inception score with the interval of resamples, not beyond 1 and the number of classes.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (N, K)
    weights : ndarray of int, shape (R, N)
        How often each resample takes each picture; R may be 0.
    """
    n, k = probabilities.shape
    if not n:
        return Figure(math.nan)
    found = inception_score(probabilities, min(SPLITS, n), SEED)
    draws = score_draws(probabilities, weights) if len(weights) else np.empty(0)
    low, high = centred_interval(draws, found.value, floor=1.0)
    return Figure(found.value, (low, min(high, float(k))), found.deviation)


def psi_of_types(real: SeenPictures, fake: SeenPictures, resamples: int = RESAMPLES) -> Figure:
    """Mean feature distance of pairs of a type, drawn without replacement by a fixed seed.

    Paper B's figure is of pairs (equation 16); a picture made from noise has no partner, so one
    of its type is drawn.
    """
    rng = np.random.default_rng(SEED)
    pairs = []
    for name in np.unique(fake.types):
        x = rng.permutation(np.flatnonzero(real.types == name))
        y = rng.permutation(np.flatnonzero(fake.types == name))
        n = min(len(x), len(y))
        pairs.append(paired_distances(real.features[x[:n]], fake.features[y[:n]]))
    apart = np.concatenate([*pairs, np.empty(0)])
    return mean_figure(apart, resamples)


def mean_figure(values: NDArray[np.float64], resamples: int = RESAMPLES) -> Figure:
    """Mean of independent values with its bootstrap interval; NaN without a value.

    Values that are all alike have no spread, and no interval.
    """
    if not len(values):
        return Figure(math.nan)
    if not resamples or np.ptp(values) == 0:
        return Figure(float(values.mean()))
    draws = draw_weights(len(values), resamples=resamples, seed=SEED) @ values / len(values)
    return Figure(float(values.mean()), percentile_interval(draws))


def _wasserstein(
    real: SeenPictures, fake: SeenPictures, wa: NDArray[Any], wb: NDArray[Any]
) -> dict[str, Figure]:
    whole = np.ones((1, len(real)), np.int64), np.ones((1, len(fake)), np.int64)
    along = directions(real.features.shape[1], seed=SEED)
    found = {}
    for name, a, b in (
        ("wasserstein_sliced", real.features @ along, fake.features @ along),
        ("wasserstein_feature", real.features, fake.features),
    ):
        value = float(wasserstein_draws(a, b, *whole)[0].mean())
        draws = wasserstein_draws(a, b, wa, wb).mean(1) if len(wa) else np.empty(0)
        found[name] = Figure(value, centred_interval(draws, value, floor=0.0))
    return found


def _manifolds(
    real: SeenPictures, fake: SeenPictures, wa: NDArray[Any], wb: NDArray[Any]
) -> dict[str, Figure]:
    found = dict.fromkeys(("precision", "recall", "density", "coverage"), Figure(math.nan))
    if min(len(real), len(fake)) > K_PRECISION:
        lying = precision_recall(real.features, fake.features)
        found["precision"] = _share(lying.fake_inside, fake, wb)
        found["recall"] = _share(lying.real_inside, real, wa)
    if len(real) > K_DENSITY and len(fake):
        covering = density_coverage(real.features, fake.features)
        found["density"] = mean_figure(covering.densities, len(wb))
        found["coverage"] = _share(covering.covered, real, wa)
    return found


def _share(hits: NDArray[np.bool_], among: SeenPictures, weights: NDArray[Any]) -> Figure:
    if not len(weights):
        return Figure(float(hits.mean()))
    draws = ratio(weights @ hits, weights.sum(1))
    return Figure(float(hits.mean()), share_interval(hits, units_of(among.groups)[0], draws))


def by_type(
    real: SeenPictures,
    fake: SeenPictures,
    beside: SeenPictures,
    network: str,
    *,
    resamples: int = RESAMPLES,
    advance: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """All figures for the pictures together and for each type, and what real pictures get.

    Parameters
    ----------
    real, fake : SeenPictures
        Real pictures of other types than the generated ones are left out.
    beside : SeenPictures
        Other real pictures, in the place of generated ones: what to compare the figures with.
    network : str
        Name of the features' network.
    resamples : int
    advance : callable
        Told each part before it is computed.

    Returns
    -------
    dict
        ``features``, ``dimensions``, ``classes_of_network`` (the bound of the inception score),
        ``resamples`` and ``parts``: ``all`` and each type → ``n_real``, ``n_synthetic``,
        ``n_beside``, ``figures`` (value, interval, deviation, ``real``: the value of the other
        real pictures) and ``notes``.
    """
    names = sorted(set(fake.types.tolist()))
    parts = {}
    for name in ["all", *names]:
        advance(name)
        wanted = names if name == "all" else [name]
        of_real, of_fake, of_beside = (
            one.take(np.isin(one.types, wanted)) for one in (real, fake, beside)
        )
        parts[name] = _part(of_real, of_fake, of_beside, resamples)
    known = fake.probabilities
    return {
        "features": network,
        "dimensions": fake.features.shape[1],
        "classes_of_network": None if known is None else known.shape[1],
        "resamples": resamples,
        "parts": parts,
    }


def _part(
    real: SeenPictures, fake: SeenPictures, beside: SeenPictures, resamples: int
) -> dict[str, Any]:
    figures = synthesis_figures(real, fake, resamples=resamples)
    floor: Mapping[str, Figure] = {}
    if len(beside):
        floor = synthesis_figures(real, beside, resamples=0)
    return {
        "n_real": len(real),
        "n_synthetic": len(fake),
        "n_beside": len(beside),
        "figures": {
            name: {
                "value": one.value,
                "interval": one.interval,
                "deviation": one.deviation,
                "real": floor[name].value if name in floor else math.nan,
            }
            for name, one in figures.items()
        },
        "notes": _notes(real, fake),
    }


def _notes(real: SeenPictures, fake: SeenPictures) -> list[str]:
    least, wide = min(len(real), len(fake)), real.features.shape[1]
    said = []
    if least <= wide:
        said.append(
            f"{least} pictures are not more than the {wide} features, so the covariances of FID "
            "have not full rank: compare it only with sets of the same size"
        )
    if least <= K_DENSITY:
        said.append(f"{least} pictures are too few for neighbours: some figures are undefined")
    return said
