"""Stain normalisers judged on pictures: colours against the target's, structure, ground, speed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import ImageError
from smearlab.evaluation.results import plain
from smearlab.evaluation.synthesis_figures import mean_figure
from smearlab.metrics.resampling import ratio
from smearlab.metrics.stain import (
    ciede2000,
    delta_e_76,
    ground_moved,
    lab_of,
    mask_dice,
    mean_colour,
    plane_ssim,
)
from smearlab.preprocess.nucleus import extract_nucleus
from smearlab.stain.density import Pixels
from smearlab.stain.ground import CLEAR, density_of, ground_of, is_stained
from smearlab.stain.normaliser import Normaliser
from smearlab.stain.nuclei import least_purple, purple

#: Figure of one picture → what it is.
FIGURES: Mapping[str, str] = {
    "ground_de00": "CIEDE2000 of the ground to the target's",
    "ground_de76": "CIE 1976 difference of the ground to the target's",
    "nucleus_de00": "CIEDE2000 of the nucleus to the target's",
    "nucleus_de76": "CIE 1976 difference of the nucleus to the target's",
    "ssim_lightness": "SSIM of L* with the picture before",
    "ssim_azure": "SSIM of azure (green more than blue light taken up) with the picture before",
    "nucleus_dice": "Dice of the nucleus with that of the picture before",
    "ground_moved": "share of ground pixels that stand out from the ground otherwise than before",
}
#: How much more of green than of blue light, as a density, is the top of the scale of azure's SSIM.
_DENSE = 2.0
_LEAST_PX = 11


@dataclass(frozen=True, eq=False)
class TargetColours:
    """The colours that pictures of the target have.

    Parameters
    ----------
    ground, nucleus : ndarray of float64, shape (3,)
        L*a*b*, medians over the pictures.
    n, n_nuclei : int
        Pictures, and those of them with a nucleus.
    """

    ground: NDArray[np.float64]
    nucleus: NDArray[np.float64]
    n: int
    n_nuclei: int


def target_colours(pictures: Sequence[Pixels]) -> TargetColours:
    """Measure what the target looks like.

    Parameters
    ----------
    pictures : sequence of ndarray of uint8, shape (H, W, 3)
        At least one.

    Raises
    ------
    ImageError
        If none of them shows a nucleus.
    """
    grounds = [lab_of(ground_of(pixels)) for pixels in pictures]
    masks = [nucleus_of(pixels) for pixels in pictures]
    nuclei = [mean_colour(one, mask) for one, mask in zip(pictures, masks, strict=True)]
    known = [colour for colour in nuclei if not np.isnan(colour).any()]
    if not known:
        raise ImageError(
            f"none of the {len(pictures)} pictures of the target shows a nucleus, so its colour is "
            "not known; add fields with white cells"
        )
    return TargetColours(np.median(grounds, 0), np.median(known, 0), len(pictures), len(known))


def nucleus_of(pixels: Pixels) -> NDArray[np.bool_]:
    """Where the largest white cell of a picture has its nucleus.

    By :func:`smearlab.preprocess.nucleus.extract_nucleus`, which takes the darkest of three tones;
    here it must also be purple, so that red cells that lie over each other are none.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of bool, shape (H, W)
        Empty where there is none.
    """
    try:
        mask = extract_nucleus(pixels).mask
    except ImageError:
        return np.zeros(pixels.shape[:2], np.bool_)
    optical = density_of(pixels)
    tone = purple(optical)
    least = least_purple(tone[is_stained(optical) & ~mask])
    return mask if tone[mask].mean() >= least else np.zeros_like(mask)


def picture_figures(before: Pixels, after: Pixels, target: TargetColours) -> dict[str, float]:
    """Figures of one picture.

    Parameters
    ----------
    before, after : ndarray of uint8, shape (H, W, 3)
        At least 11 px wide and high.
    target : TargetColours

    Returns
    -------
    dict of str to float
        See :data:`FIGURES`; NaN where a picture has no nucleus or no ground.

    Raises
    ------
    ImageError
        If the picture is smaller.
    """
    if min(before.shape[:2]) < _LEAST_PX:
        raise ImageError(
            f"a picture of {before.shape[1]} × {before.shape[0]} px is too small to be judged; "
            f"{_LEAST_PX} px is the least"
        )
    optical = [density_of(pixels) for pixels in (before, after)]
    lightness = [lab_of(pixels)[..., 0] for pixels in (before, after)]
    azure = [purple(values).clip(0, _DENSE) for values in optical]
    nucleus = nucleus_of(before)
    return {
        **colour_figures(after, nucleus, target),
        "ssim_lightness": plane_ssim(lightness[0], lightness[1], 100.0),
        "ssim_azure": plane_ssim(azure[0], azure[1], _DENSE),
        "nucleus_dice": mask_dice(nucleus, nucleus_of(after)) if nucleus.any() else float("nan"),
        "ground_moved": ground_moved(before, after, optical[0].mean(-1) < CLEAR),
    }


def colour_figures(
    pixels: Pixels, nucleus: NDArray[np.bool_], target: TargetColours
) -> dict[str, float]:
    """Distances of a picture's colours from the target's.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    nucleus : ndarray of bool, shape (H, W)
    target : TargetColours

    Returns
    -------
    dict of str to float
        The first four of :data:`FIGURES`.
    """
    ground, own = lab_of(ground_of(pixels)), mean_colour(pixels, nucleus)
    return {
        "ground_de00": float(ciede2000(ground, target.ground)),
        "ground_de76": float(delta_e_76(ground, target.ground)),
        "nucleus_de00": float(ciede2000(own, target.nucleus)),
        "nucleus_de76": float(delta_e_76(own, target.nucleus)),
    }


def judge(
    normaliser: Normaliser, pictures: Sequence[Pixels], target: TargetColours
) -> dict[str, Any]:
    """Normalise pictures and measure what came of it.

    Parameters
    ----------
    normaliser : Normaliser
    pictures : sequence of ndarray of uint8, shape (H, W, 3)
        At least one.
    target : TargetColours

    Returns
    -------
    dict
        ``before`` (colours only) and ``after``: figure → ``value``, the mean over the pictures,
        ``low`` and ``high``, its 95 % interval by bootstrap over pictures, and ``n``, the pictures
        that define it; ``n``, ``unchanged``, ``megapixels_per_s``. Undefined numbers are None.
    """
    before, after, unchanged, seconds = [], [], 0, 0.0
    for pixels in pictures:
        begun = time.perf_counter()
        made = normaliser.normalise(pixels)
        seconds += time.perf_counter() - begun
        unchanged += not made.changed
        before.append(colour_figures(pixels, nucleus_of(pixels), target))
        after.append(picture_figures(pixels, made.pixels, target))
    megapixels = sum(pixels.shape[0] * pixels.shape[1] for pixels in pictures) / 1e6
    return dict(
        plain(
            {
                "before": _means(before),
                "after": _means(after),
                "n": len(after),
                "unchanged": unchanged,
                "megapixels_per_s": float(ratio(megapixels, seconds)),
            }
        )
    )


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows], np.float64)
        known = values[~np.isnan(values)]
        figure = mean_figure(known)
        low, high = figure.interval
        found[name] = {"value": figure.value, "low": low, "high": high, "n": len(known)}
    return found
