"""Patches of pictures at many magnifications, none of which looks beyond a square."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from smearlab.errors import UsageError
from smearlab.learn.transforms.affine_ranges import Affine, AffineRanges


@dataclass(frozen=True)
class PatchRanges(AffineRanges):
    """A part of the middle square, anywhere in it, in one of its eight positions.

    What shall work at any magnification is shown all of a range, and cells stay round: the zoom is
    one for both sides, even in its logarithm. At the lowest zoom the whole square is shown, 1 /
    zoom times as wide as an unchanged view.

    Parameters
    ----------
    zoom : tuple of float
        Lowest and highest magnification.
    mirrored : float
        Share of pictures whose left and right are exchanged.
    turn, shift, shear
        Stay 0: turns are quarters, shifts what the zoom leaves room for.

    Raises
    ------
    UsageError
        If the last three are not 0; see also
        :class:`~smearlab.learn.transforms.affine_ranges.AffineRanges`.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("turn", "shift", "shear"):
            if getattr(self, name) != (0.0, 0.0):
                raise UsageError(f"patches have no {name} of their own; leave it (0, 0)")

    @property
    def reach(self) -> float:
        """How far from the middle a view can look, in sides of its window, at most."""
        return 0.5 / self.zoom[0]

    def draw(self, rng: np.random.Generator) -> Affine:
        """One change; all chance comes from ``rng``."""
        chance, (low, high) = rng.random(4).tolist(), self.zoom
        zoom = math.exp(math.log(low) + math.log(high / low) * chance[0])
        room = zoom / low - 1  # of the square beyond the view, in sides of the view
        right, down = (room * (share - 0.5) for share in chance[1:3])
        turn = 90.0 * int(rng.integers(4))
        return Affine(turn, (right, down), 0.0, (zoom, zoom), chance[3] < self.mirrored)


#: From two thirds more than an unchanged view shows to half of it.
STAIN_PATCHES = PatchRanges(zoom=(0.6, 2.0), mirrored=0.5)
