"""What a network from stain to stain is worth: how near it comes, and what of a picture it keeps.

Figures of features mean something beside the name of their network only, which is the caller's to
tell. All are of pictures that nothing was learned from, with 95 % intervals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.picture_features import Features, TypedFeatures
from smearlab.evaluation.results import SEED
from smearlab.evaluation.synthesis_figures import (
    RESAMPLES,
    Figure,
    SeenPictures,
    fid_figure,
    inception_figure,
    mean_figure,
)
from smearlab.metrics.picture_pairs import l1, ssim

Pictures = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class StainedPictures:
    """Real pictures of a stain, and what was made of them; all uint8 (N, H, W, 3), row by row.

    Parameters
    ----------
    real : ndarray
    groups : ndarray of str, shape (N,)
        The source or near-duplicate group that a picture shares with others.
    made : ndarray or None
        In the other stain; None where there is no network of this way.
    back : ndarray or None
        Made, and made again in the stain that they had.
    same : ndarray or None
        What the network that leads to this very stain makes of them: they should stay.
    taught : ndarray or None
        What a teacher makes of them in the other stain.
    """

    real: Pictures
    groups: NDArray[np.str_]
    made: Pictures | None = None
    back: Pictures | None = None
    same: Pictures | None = None
    taught: Pictures | None = None


def stain_figures(
    a: StainedPictures, b: StainedPictures, features: Features, *, resamples: int = RESAMPLES
) -> dict[str, Figure]:
    """All figures that can be had.

    Parameters
    ----------
    a, b : StainedPictures
        Of either stain.
    features : Features
        For the Fréchet distances.
    resamples : int
        Of the intervals; 0 for none.

    Returns
    -------
    dict of str to Figure
        ``fid_raw``: A beside B as they are, what is to be bettered; ``fid_made_b``: A in the stain
        of B beside B; ``fid_made_a``: the other way; ``fid_back_a``: A there and back beside A;
        ``ssim_back_a``: structural similarity of the same; ``l1_same_b``: mean absolute
        difference, in [0, 1], of B and what the network to B makes of it; ``ssim_taught`` and
        ``l1_taught``: A in the stain of B beside the teacher's; and each of B likewise. Where
        ``features`` answers types, too: ``is_real_b`` and ``is_made_b``, inception scores of B
        and of A in its stain.
    """
    seen = {"a": _seen(a.real, a, features), "b": _seen(b.real, b, features)}
    found = {"fid_raw": _fid(seen["a"], seen["b"], resamples)}
    for name, one, other in (("a", a, b), ("b", b, a)):
        if other.made is not None:
            made = _seen(other.made, other, features)
            found[f"fid_made_{name}"] = _fid(seen[name], made, resamples)
            if made.probabilities is not None and seen[name].probabilities is not None:
                found[f"is_real_{name}"] = _inception(seen[name], resamples)
                found[f"is_made_{name}"] = _inception(made, resamples)
        if one.back is not None:
            back = _seen(one.back, one, features)
            found[f"fid_back_{name}"] = _fid(seen[name], back, resamples)
            found[f"ssim_back_{name}"] = mean_figure(ssim(one.back, one.real), resamples)
        if one.same is not None:
            found[f"l1_same_{name}"] = mean_figure(l1(one.same, one.real), resamples)
    if a.taught is not None and a.made is not None:
        found["ssim_taught"] = mean_figure(ssim(a.made, a.taught), resamples)
        found["l1_taught"] = mean_figure(l1(a.made, a.taught), resamples)
    return found


def defined(figures: dict[str, Figure]) -> dict[str, float]:
    """The values of those that are defined."""
    return {name: one.value for name, one in figures.items() if math.isfinite(one.value)}


def _seen(pictures: Pictures, of: StainedPictures, features: Features) -> SeenPictures:
    types = np.full(len(pictures), "", np.str_)
    if isinstance(features, TypedFeatures):
        seen, probabilities = features.both(pictures)
        return SeenPictures(seen, types, of.groups, probabilities)
    return SeenPictures(features(pictures), types, of.groups)


def _inception(seen: SeenPictures, resamples: int) -> Figure:
    assert seen.probabilities is not None
    draws = seen.draws(resamples, SEED) if resamples else np.empty((0, len(seen)), np.int64)
    return inception_figure(seen.probabilities, draws)


def _fid(real: SeenPictures, fake: SeenPictures, resamples: int) -> Figure:
    if not resamples:
        nothing = np.empty((0, 0), np.int64)
        return fid_figure(real, fake, nothing, nothing)
    return fid_figure(real, fake, real.draws(resamples, SEED), fake.draws(resamples, SEED + 1))
