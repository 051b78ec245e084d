"""How far pictures are turned, shifted, sheared, zoomed and mirrored, and the change drawn.

What is drawn is only numbers: whoever warps arrays or tensors takes the same
:class:`Affine`, so that a picture, its mask and its copy on another device go the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError

#: Lowest and highest value, both may be drawn.
Range = tuple[float, float]


@dataclass(frozen=True)
class Affine:
    """One change of a picture about its middle: mirror, zoom, shear, turn, shift, in this order.

    Parameters
    ----------
    turn : float
        Degrees, counter-clockwise as one sees it.
    shift : tuple of float
        To the right and downwards, shares of the picture's width and height.
    shear : float
        Pixels to the right for every pixel downwards.
    zoom : tuple of float
        Magnification of width and height.
    mirrored : bool
        Left and right exchanged.
    """

    turn: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    shear: float = 0.0
    zoom: tuple[float, float] = (1.0, 1.0)
    mirrored: bool = False

    @property
    def linear(self) -> NDArray[np.float64]:
        """Where a step from the middle leads, shape (2, 2): ``(x', y') = linear @ (x, y)``."""
        cos, sin = math.cos(math.radians(self.turn)), math.sin(math.radians(self.turn))
        wide, high = -self.zoom[0] if self.mirrored else self.zoom[0], self.zoom[1]
        # turn @ shear @ zoom, with rows that count downwards
        return np.array(
            [
                [cos * wide, (cos * self.shear + sin) * high],
                [-sin * wide, (cos - sin * self.shear) * high],
            ]
        )

    def matrix(
        self, window: tuple[float, float, float, float], size: tuple[int, int]
    ) -> NDArray[np.float64]:
        """The change together with cutting a window out and resizing it.

        Parameters
        ----------
        window : tuple of float
            ``(x0, y0, x1, y1)`` px of the source, half-open.
        size : tuple of int
            Width and height of the result, px.

        Returns
        -------
        ndarray of float64, shape (2, 3)
            From pixel numbers of the source to those of the result.
        """
        x0, y0, x1, y1 = window
        width, height = size
        (xx, xy), (yx, yy) = (self.linear * (width / (x1 - x0), height / (y1 - y0))).tolist()
        # Pixel i holds the light of [i, i + 1): the middle of n pixels is number (n - 1) / 2.
        x, y = (x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2
        right = (width - 1) / 2 + self.shift[0] * width - xx * x - xy * y
        down = (height - 1) / 2 + self.shift[1] * height - yx * x - yy * y
        return np.array([[xx, xy, right], [yx, yy, down]])


@dataclass(frozen=True)
class AffineRanges:
    """What may be drawn, each value evenly over its range.

    Parameters
    ----------
    turn : tuple of float
        Degrees, counter-clockwise.
    shift : tuple of float
        Shares of width and height, drawn apart.
    shear : tuple of float
        Pixels sideways for every pixel downwards.
    zoom : tuple of float
        Magnification of width and height, drawn apart; above 0.
    mirrored : float
        Share of pictures whose left and right are exchanged.

    Raises
    ------
    UsageError
        If a range does not rise, a zoom is not above 0, or ``mirrored`` is no share.
    """

    turn: Range = (0.0, 0.0)
    shift: Range = (0.0, 0.0)
    shear: Range = (0.0, 0.0)
    zoom: Range = (1.0, 1.0)
    mirrored: float = 0.0

    def __post_init__(self) -> None:
        for name in ("turn", "shift", "shear", "zoom"):
            low, high = getattr(self, name)
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise UsageError(f"{name} must be a rising range; received {low}, {high}")
        if self.zoom[0] <= 0:
            raise UsageError(f"zoom must be above 0; received {self.zoom[0]}, {self.zoom[1]}")
        if not 0 <= self.mirrored <= 1:
            raise UsageError(f"mirrored must lie within [0, 1]; received {self.mirrored}")

    @property
    def reach(self) -> float:
        """How far from the middle a view can look, in sides of its window, at most.

        A point of the view is at most half a side from the middle; shift, turn, shear and zoom
        are taken back one after the other, each at its worst.
        """
        angle = math.radians(min(45.0, max(map(abs, self.turn))))
        shift, shear = max(map(abs, self.shift)), max(map(abs, self.shear))
        turned = (0.5 + shift) * (math.cos(angle) + math.sin(angle))
        return turned * (1 + shear) / self.zoom[0]

    def draw(self, rng: np.random.Generator) -> Affine:
        """One change; all chance comes from ``rng``.

        Examples
        --------
        >>> PAPER_A.draw(np.random.default_rng(1)) == PAPER_A.draw(np.random.default_rng(1))
        True
        """
        chance = rng.random(7).tolist()
        ranges = (self.turn, self.shift, self.shift, self.shear, self.zoom, self.zoom)
        turn, right, down, shear, wide, high = (
            low + (end - low) * share for (low, end), share in zip(ranges, chance, strict=False)
        )
        return Affine(turn, (right, down), shear, (wide, high), chance[6] < self.mirrored)


@dataclass(frozen=True)
class EightVersionRanges:
    """Paper B's eight versions of a picture as changes about its middle, drawn evenly.

    The same eight as :class:`smearlab.learn.transforms.paper_augmentations.EightVersions`: the
    picture, its two mirror images, its three quarter turns, a crop, a mirrored crop.

    Parameters
    ----------
    crop : tuple of float
        Range of the share of a side that a crop keeps, above 0 and at most 1.

    Raises
    ------
    UsageError
        If it is no rising range of shares.
    """

    crop: Range = (0.7, 0.9)

    def __post_init__(self) -> None:
        if not 0 < self.crop[0] <= self.crop[1] <= 1:
            raise UsageError(f"crop must be a rising range within (0, 1]; received {self.crop}")

    @property
    def reach(self) -> float:
        """See :attr:`AffineRanges.reach`; a quarter turn of a square shows the square."""
        return 0.5

    def draw(self, rng: np.random.Generator) -> Affine:
        """One change; all chance comes from ``rng``."""
        version = int(rng.integers(8))
        low, high = self.crop
        chance = rng.random(3).tolist()
        if version == 2:  # upside down is a half turn of the mirror image
            return Affine(turn=180.0, mirrored=True)
        if version in (3, 4, 5):
            return Affine(turn=90.0 * (version - 2))
        mirrored = version in (1, 7)
        if version < 6:
            return Affine(mirrored=mirrored)
        share = low + (high - low) * chance[0]
        right, down = ((0.5 - place) * (1 - share) / share for place in chance[1:])
        return Affine(shift=(right, down), zoom=(1 / share, 1 / share), mirrored=mirrored)


#: Mondal et al. 2024, section 3.2.4: turns of −20° to 20°, shifts of −0.05 to 0.05, a shear λ and
#: a zoom of 0 to 0.05 (equations 3–6), horizontal flip. The text gives the scaling factors once as
#: "1 to 1.2" and once as a zoom of 0 to 0.05; the smaller is taken.
PAPER_A = AffineRanges((-20.0, 20.0), (-0.05, 0.05), (0.0, 0.05), (1.0, 1.05), 0.5)

#: Ferdousi et al. 2024, section 4: "15-degree rotation, 0.1-range width and height changes, 0.2
#: shearing factor, 0.2 zoom range, and horizontal flipping". No sign is given: all go either way.
PAPER_D = AffineRanges((-15.0, 15.0), (-0.1, 0.1), (-0.2, 0.2), (0.8, 1.2), 0.5)
#: Ours: a cell may lie any way round.
TURNED = AffineRanges((-180.0, 180.0), (-0.06, 0.06), (-0.05, 0.05), (0.88, 1.14), 0.5)
#: Mirrored and turned by quarters: nothing is interpolated. For pictures that were made at, or
#: resized to, the very size at which they are seen.
WHOLE_PIXELS = EightVersionRanges(crop=(1.0, 1.0))
