"""Whether two pictures show the same place, and how much of it they share.

Points with like surroundings propose how the one lies on the other: turned, mirrored, shifted,
stretched. What they then have in common must agree in its fine detail, which two cells that
merely look alike do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.duplicates.candidates import MIRRORED
from smearlab.datasets.duplicates.fingerprints import (
    DESCRIPTOR_UNIT,
    DETAIL_SIDE_PX,
    DETAIL_UNIT,
    POINT_SIDE_PX,
    UNKNOWN,
    Fingerprint,
)

_ALIKE = 0.82  # cosine of two descriptors
_NEAR_PX, _EXACT_PX = 10.0, 4.0
_LEAST_POINTS = 4
_LEAST_PIXELS = 500  # of 96 × 96: fewer agree by chance
_WORTH_A_LOOK = 0.5
_PLACE_PX = 6.0  # standard deviation of the window of one place
_EMPTY = (0.6 * DETAIL_UNIT) ** 2  # variance of a window with nothing but noise in it
_GREATEST_SCALE, _GREATEST_STRETCH = 3.0, 1.8

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Likeness:
    """How alike two pictures are where they lie on each other.

    Parameters
    ----------
    similarity : float
        Correlation of their detail, −1 to 1; NaN if no way was found to lay them.
    overlap : float
        Share of the smaller picture that the other shows, too, 0 to 1.
    everywhere : float
        What four fifths of the shared places exceed when each is correlated on its own, −1 to 1.
        Two cells of one shape can correlate as wholes, by their outlines; what lies within and
        around them does not. NaN where ``similarity`` is too low to look.
    """

    similarity: float
    overlap: float
    everywhere: float


_APART = Likeness(float("nan"), 0.0, float("nan"))


def compare(first: Fingerprint, second: Fingerprint) -> Likeness:
    """Lay one picture on the other and compare them.

    Parameters
    ----------
    first, second : Fingerprint
        In any order; turned and mirrored as they are.

    Returns
    -------
    Likeness
        Not a number where fewer than four points agree on how they lie, or where they would have
        to be scaled by more than 3 or stretched by more than 1.8.
    """
    begin, end = _agreeing(first, second)
    if len(begin) < _LEAST_POINTS:
        return _APART
    found: Any = cv2.estimateAffine2D(
        begin, end, method=cv2.RANSAC, ransacReprojThreshold=_EXACT_PX, maxIters=500
    )[0]
    if found is None:  # against its stub, when no three points span a plane
        return _APART
    lay = np.asarray(found, dtype=np.float64)
    if not _plausible(lay):
        return _APART
    return _likeness(first.detail, second.detail, _at_detail(lay))


def _agreeing(first: Fingerprint, second: Fingerprint) -> tuple[Floats, Floats]:
    """Places of the points that agree on how the pictures lie, each of shape (n, 2)."""
    best = np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    if not len(first.points) or not len(second.points):
        return best
    one = first.descriptors.astype(np.float32) / np.float32(DESCRIPTOR_UNIT)
    other = second.descriptors.astype(np.float32) / np.float32(DESCRIPTOR_UNIT)
    for mirrored in (False, True):
        cosine = (one[:, MIRRORED] if mirrored else one) @ other.T
        partner = cosine.argmax(axis=1)
        alike = np.flatnonzero(cosine[np.arange(len(one)), partner] > _ALIKE)
        if len(alike) <= len(best[0]):
            continue
        a, b = first.points[alike], second.points[partner[alike]]
        kept = _largest_agreement(a, b, mirrored)
        if kept.sum() > len(best[0]):
            best = a[kept, :2], b[kept, :2]
    return best


def _largest_agreement(a: Floats, b: Floats, mirrored: bool) -> NDArray[np.bool_]:
    """Which of n pairs of points agree with the one pair that most others agree with.

    A point has a place, a size and a direction, so every pair says alone how the pictures lie:
    ``b = scale · rotation · (mirror) · a + shift``.
    """
    hand = -1.0 if mirrored else 1.0
    angle = np.deg2rad(b[:, 3] - hand * a[:, 3])
    scale = b[:, 2] / a[:, 2]
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.stack([cos, -hand * sin, sin, hand * cos], axis=-1).reshape(-1, 2, 2)
    place = a[:, :2]
    step = place[None, :, :] - place[:, None, :]  # from each proposing point to all points
    predicted = np.einsum("nij,nmj->nmi", turn, step) + b[:, None, :2]
    near = ((predicted - b[None, :, :2]) ** 2).sum(axis=-1) < _NEAR_PX**2
    return np.asarray(near[near.sum(axis=1).argmax()])


def _plausible(lay: NDArray[np.float64]) -> bool:
    large, small = np.linalg.svd(lay[:, :2], compute_uv=False)
    if small <= 0 or large / small > _GREATEST_STRETCH:
        return False
    return bool(1 / _GREATEST_SCALE <= np.sqrt(large * small) <= _GREATEST_SCALE)


def _at_detail(lay: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same map between the smaller squares; centres of corner pixels lie at 0."""
    ratio = DETAIL_SIDE_PX / POINT_SIDE_PX
    corner = lay[:, :2] @ np.full(2, 0.5)
    shift = (1 - ratio) * corner + ratio * (lay[:, 2] + 0.5) - 0.5
    return np.column_stack([lay[:, :2], shift])


def _likeness(
    first: NDArray[np.int8], second: NDArray[np.int8], lay: NDArray[np.float64]
) -> Likeness:
    size = (DETAIL_SIDE_PX, DETAIL_SIDE_PX)
    known = (first != UNKNOWN).astype(np.uint8)
    values = np.where(known > 0, first, 0).astype(np.float32)
    laid = np.asarray(cv2.warpAffine(values, lay, size, flags=cv2.INTER_LINEAR), dtype=np.float32)
    shared = cv2.warpAffine(known, lay, size, flags=cv2.INTER_NEAREST) > 0
    shared &= second != UNKNOWN
    n = int(shared.sum())
    if n < _LEAST_PIXELS:
        return _APART
    smaller = min(known.sum() * abs(np.linalg.det(lay[:, :2])), (second != UNKNOWN).sum())
    a, b = laid[shared], second[shared].astype(np.float32)
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    if spread == 0:
        return _APART
    similarity = float(a @ b) / spread
    everywhere = float("nan")
    if similarity >= _WORTH_A_LOOK:
        everywhere = _everywhere(laid, second.astype(np.float32), shared)
    return Likeness(similarity, min(1.0, n / float(smaller)), everywhere)


def _everywhere(a: Floats, b: Floats, shared: NDArray[np.bool_]) -> float:
    """The lower fifth of the correlations in windows that show something."""
    weight = shared.astype(np.float32)
    total = np.maximum(cv2.GaussianBlur(weight, (0, 0), _PLACE_PX), 1e-3)

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values * weight, (0, 0), _PLACE_PX) / total)

    mean_a, mean_b = mean(a), mean(b)
    variance_a, variance_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    correlation = covariance / np.sqrt(np.maximum(variance_a * variance_b, 1))
    something = shared & (np.maximum(variance_a, variance_b) > _EMPTY)
    if not something.any():
        return float("nan")
    return float(np.percentile(correlation[something], 20))
