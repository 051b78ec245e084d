"""What is kept of a picture so that its copies can be known: points, their surroundings, detail.

Every picture is first squeezed to one square. A change of scale, also one that differs in x and
y, is thereby undone; a quarter turn stays a quarter turn. Points are SIFT (Lowe 2004,
doi:10.1023/B:VISI.0000029664.99615.94) with the square-root normalisation of Arandjelović and
Zisserman (2012, doi:10.1109/CVPR.2012.6248018).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

#: Side of the square in which points are found, px.
POINT_SIDE_PX = 160
#: Side of the square in which pictures are compared, px.
DETAIL_SIDE_PX = 96
#: Most points of a picture.
MAX_POINTS = 64
#: With fewer points a picture is too plain to be told from others.
MIN_POINTS = 8
#: Value of ``detail`` where the picture shows nothing, such as the corners of a turned one.
UNKNOWN = -128
#: Value of ``detail`` that stands for one local spread.
DETAIL_UNIT = 30.0
#: Length of a descriptor, 4 × 4 places × 8 directions.
DESCRIPTOR = 128
#: What a descriptor of length 1 is multiplied with.
DESCRIPTOR_UNIT = 512.0

_BLACK = 12  # grey level; JPEG makes black corners uneven
_LEAST_FILL = 0.002  # share of the picture
_FINE_PX, _COARSE_PX = 0.8, 6.0


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What is kept of one picture, about 18 KB.

    Parameters
    ----------
    points : ndarray of float32, shape (K, 4)
        x, y and diameter in px of the square, direction in degrees; K ≤ :data:`MAX_POINTS`.
    descriptors : ndarray of uint8, shape (K, 128)
        Surroundings of each point, of length about :data:`DESCRIPTOR_UNIT`.
    detail : ndarray of int8, shape (96, 96)
        Brightness against the surroundings, in units of its own local spread;
        :data:`UNKNOWN` where there is no picture.
    """

    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8]
    detail: NDArray[np.int8]

    @property
    def is_plain(self) -> bool:
        """Whether there is too little in the picture to compare."""
        return len(self.points) < MIN_POINTS


def fingerprint(pixels: NDArray[np.uint8]) -> Fingerprint:
    """Take the fingerprint of a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        sRGB.

    Returns
    -------
    Fingerprint
        The same for the same pixels; hardly changed by brightness, compression and scale.

    Examples
    --------
    >>> print_of_grey = fingerprint(np.full((64, 64, 3), 128, np.uint8))
    >>> print_of_grey.is_plain
    True
    """
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    shown = _shown(grey)
    points, descriptors = _points(
        _squeezed(grey, POINT_SIDE_PX), _squeezed_mask(shown, POINT_SIDE_PX)
    )
    detail = _detail(_squeezed(grey, DETAIL_SIDE_PX), _squeezed_mask(shown, DETAIL_SIDE_PX))
    return Fingerprint(points, descriptors, detail)


def _shown(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1 where the picture shows something, 0 in black areas that reach its edge."""
    dark = (grey <= _BLACK).astype(np.uint8)
    edge = (dark[0], dark[-1], dark[:, 0], dark[:, -1])
    if not any(side.any() for side in edge):
        return np.ones_like(grey)
    _, piece, facts, _ = cv2.connectedComponentsWithStats(dark, connectivity=4)
    at_edge = np.unique(np.concatenate([piece[0], piece[-1], piece[:, 0], piece[:, -1]]))
    large = facts[:, cv2.CC_STAT_AREA] >= _LEAST_FILL * grey.size
    filled = [one for one in at_edge if one and large[one]]
    return (~np.isin(piece, filled)).astype(np.uint8)


def _squeezed(grey: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    method = cv2.INTER_AREA if min(grey.shape) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (side, side), interpolation=method), dtype=np.uint8)


def _squeezed_mask(shown: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The mask at that size, without the seam where black and picture mix."""
    if shown.all():
        return np.ones((side, side), np.uint8)
    small = cv2.resize(shown, (side, side), interpolation=cv2.INTER_NEAREST)
    return _shrunk(np.asarray(small, dtype=np.uint8), 2)


def _shrunk(mask: NDArray[np.uint8], by_px: int) -> NDArray[np.uint8]:
    size = 2 * by_px + 1
    kernel = np.ones((size, size), np.uint8)
    # The edge of the picture itself is no seam.
    return np.asarray(cv2.erode(mask, kernel, borderType=cv2.BORDER_REPLICATE), dtype=np.uint8)


def _points(
    grey: NDArray[np.uint8], shown: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    nothing = np.zeros((0, 4), np.float32), np.zeros((0, DESCRIPTOR), np.uint8)
    if not shown.any():
        return nothing
    seen = grey[shown > 0]
    low, high = np.percentile(seen, (1, 99))
    # What is not shown must not make points: it becomes ground.
    filled = np.where(shown > 0, grey, np.median(seen)).astype(np.float32)
    stretched = np.clip((filled - low) * (255 / max(high - low, 16)), 0, 255).astype(np.uint8)
    sift = cv2.SIFT.create(contrastThreshold=0.01, edgeThreshold=15)
    found = sift.detect(stretched, _shrunk(shown, 3))
    found = sorted(found, key=lambda p: (-p.response, p.pt, p.angle))[:MAX_POINTS]
    found, raw = sift.compute(stretched, found)
    if raw is None or not len(found):
        return nothing
    share = raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-6)
    descriptors = np.minimum(np.sqrt(share) * DESCRIPTOR_UNIT, 255).round().astype(np.uint8)
    points = np.array([(*p.pt, p.size, p.angle) for p in found], np.float32)
    return points, descriptors


def _detail(grey: NDArray[np.uint8], shown: NDArray[np.uint8]) -> NDArray[np.int8]:
    weight = shown.astype(np.float32)

    def blurred(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
        """Gaussian mean over what is shown."""
        total = cv2.GaussianBlur(values * weight, (0, 0), sigma)
        return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3))

    values = grey.astype(np.float32)
    band = blurred(values, _FINE_PX) - blurred(values, _COARSE_PX)
    # The floor keeps the noise of empty ground from looking like detail.
    spread = np.sqrt(blurred(band * band, _COARSE_PX) + 4)
    detail = np.clip(band / spread * DETAIL_UNIT, -127, 127).round().astype(np.int8)
    detail[shown == 0] = UNKNOWN
    return detail
