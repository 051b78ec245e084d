"""Where simulated cells lie: positions that keep what the truth says countable.

White cells are placed first, red cells next, platelets last. A position is taken only when the
new cell and every cell it would cover keep a good part of themselves in sight, so no cell of the
truth is ever hidden.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.simulated_shapes import Floats, Tile, make_tile, reach_towards
from smearlab.types import Box

#: The least share of a cell's area that stays visible inside the field.
MIN_VISIBLE = 0.4
#: The least share of a cell's area that the edge of the field leaves.
MIN_INSIDE = 0.25


@dataclass(frozen=True, eq=False)
class Placed:
    """One cell with its place.

    Parameters
    ----------
    type, form : str
        Cell type, and the red cell's form.
    radii : ndarray of float32, shape (720,)
        Outline by angle, px.
    cx, cy : float
        Centre in the field, px.
    tile : Tile
        The pixels around it.

    Attributes
    ----------
    reach, mean : float
        Largest and mean of ``radii``.
    """

    type: str
    form: str
    radii: Floats
    cx: float
    cy: float
    tile: Tile
    reach: float = field(init=False)
    mean: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reach", float(self.radii.max()))
        object.__setattr__(self, "mean", float(self.radii.mean()))


@dataclass(eq=False)
class Ground:
    """The field while it is being filled.

    Parameters
    ----------
    height_px, width_px : int
        Size of the field.
    inside : bool
        Whether cells must lie entirely within the field.
    gap_px : float
        Least free distance between cells that do not touch.
    """

    height_px: int
    width_px: int
    inside: bool
    gap_px: float
    placed: list[Placed] = field(default_factory=list)
    owner: NDArray[np.int32] = field(init=False)
    _alone: int = 0
    _whole: list[int] = field(default_factory=list)
    _visible: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owner = np.zeros((self.height_px, self.width_px), np.int32)

    def add(
        self,
        rng: np.random.Generator,
        kind: tuple[str, str],
        radii: Floats,
        touch: float | None,
        tries: int = 60,
    ) -> bool:
        """Try to place one cell; says whether a place was found.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of chance.
        kind : tuple of str
            Type and form.
        radii : ndarray of float32, shape (720,)
            Outline by angle, px.
        touch : float or None
            None: at a distance from every other cell. Otherwise beside a cell of its own kind,
            overlapping by this share of the smaller mean radius.
        tries : int
            How many positions are looked at.
        """
        beside = [i for i, other in enumerate(self.placed) if other.type == kind[0]]
        for _ in range(tries):
            if touch is not None and beside:
                cx, cy = self._beside(rng, self.placed[int(rng.choice(beside))], radii, touch)
            else:
                cx, cy = self._anywhere(rng, radii)
            overlap = touch if touch is not None and beside else None
            if self._is_free(cx, cy, radii, kind[0], overlap) and self._put(kind, radii, cx, cy):
                return True
        return False

    def add_in_the_middle(self, kind: tuple[str, str], radii: Floats) -> bool:
        """Place the first cell so that its box has the field's middle; says whether it is whole.

        No later cell lies over or under it.
        """
        tile = make_tile(radii, 0.0, 0.0)
        x0, y0, x1, y1 = whole_box(tile)
        cx, cy = (self.width_px - x0 - x1) // 2, (self.height_px - y0 - y1) // 2
        fits = x0 + cx > 0 and y0 + cy > 0 and x1 + cx < self.width_px and y1 + cy < self.height_px
        if not fits or not self._put(kind, radii, float(cx), float(cy)):
            return False
        self._alone = len(self.placed)
        return True

    def add_over(
        self, rng: np.random.Generator, kind: tuple[str, str], radii: Floats, tries: int = 30
    ) -> bool:
        """Try to place one cell anywhere upon red cells, clear of all others."""
        for _ in range(tries):
            cx, cy = self._anywhere(rng, radii)
            others = [other for other in self.placed if other.type != "erythrocyte"]
            reach = float(radii.max()) + self.gap_px
            far = all(
                math.hypot(cx - other.cx, cy - other.cy) > reach + other.reach for other in others
            )
            if far and self._put(kind, radii, cx, cy):
                return True
        return False

    def _anywhere(self, rng: np.random.Generator, radii: Floats) -> tuple[float, float]:
        reach = float(radii.max())
        low = reach + 2 if self.inside else -0.3 * reach
        return (
            float(rng.uniform(low, max(self.width_px - low, low))),
            float(rng.uniform(low, max(self.height_px - low, low))),
        )

    @staticmethod
    def _beside(
        rng: np.random.Generator, other: Placed, radii: Floats, touch: float
    ) -> tuple[float, float]:
        angle = float(rng.uniform(0, 2 * math.pi))
        own, its = reach_towards(radii, angle + math.pi), reach_towards(other.radii, angle)
        distance = float(own + its) - touch * min(float(radii.mean()), other.mean)
        return other.cx + distance * math.cos(angle), other.cy + distance * math.sin(angle)

    def _is_free(
        self, cx: float, cy: float, radii: Floats, cell_type: str, touch: float | None
    ) -> bool:
        reach = float(radii.max())
        if self.inside:
            low = reach + 2
            if not (low <= cx <= self.width_px - low and low <= cy <= self.height_px - low):
                return False
        elif not (cx + reach >= 0 and cx - reach < self.width_px):
            return False
        near = [
            other
            for other in self.placed
            if math.hypot(other.cx - cx, other.cy - cy) <= reach + other.reach + self.gap_px
        ]
        if touch is None:
            return not near or self._is_clear(cx, cy, radii)
        return all(
            _apart(other, cx, cy, radii) >= -_allowed(other, radii, cell_type, touch)
            for other in near
        )

    def _is_clear(self, cx: float, cy: float, radii: Floats) -> bool:
        """Whether no pixel of another cell lies within the outline or the gap around it."""
        wide = make_tile(radii + np.float32(self.gap_px), cx, cy)
        in_tile, in_field = clip_to_field(wide, self.height_px, self.width_px)
        return in_field is None or not self.owner[in_field][wide.mask[in_tile]].any()

    def _put(self, kind: tuple[str, str], radii: Floats, cx: float, cy: float) -> bool:
        """Claim the cell's pixels if all cells stay visible."""
        tile = make_tile(radii, cx, cy)
        mask = tile.mask
        in_tile, in_field = clip_to_field(tile, self.height_px, self.width_px)
        if in_field is None:
            return False
        whole, part = int(mask.sum()), mask[in_tile]
        owner = self.owner[in_field]
        if self._alone and (owner[part] == self._alone).any():
            return False
        taken = part & ~self._kept(owner, kind[0])
        if part.sum() < MIN_INSIDE * whole or taken.sum() < MIN_VISIBLE * part.sum():
            return False
        lost = np.bincount(owner[taken], minlength=len(self.placed) + 1)
        for i in np.flatnonzero(lost[1:]):
            if self._visible[i] - lost[i + 1] < MIN_VISIBLE * self._whole[i]:
                return False
        for i in np.flatnonzero(lost[1:]):
            self._visible[i] -= int(lost[i + 1])
        self.placed.append(Placed(*kind, radii, cx, cy, tile))
        self._whole.append(int(part.sum()))
        self._visible.append(int(taken.sum()))
        owner[taken] = len(self.placed)
        return True

    def _kept(self, owner: NDArray[np.int32], cell_type: str) -> NDArray[np.bool_]:
        """Pixels that a cell of this type may not take: red cells lie under white ones."""
        if cell_type != "erythrocyte":
            return np.zeros(owner.shape, np.bool_)
        on_top = [0, *(int(other.type != "erythrocyte") for other in self.placed)]
        return np.array(on_top, np.bool_)[owner]


def _apart(other: Placed, cx: float, cy: float, radii: Floats) -> float:
    """Free distance between two outlines along the line of their centres, px; < 0: overlap."""
    angle = math.atan2(other.cy - cy, other.cx - cx)
    both = reach_towards(radii, angle) + reach_towards(other.radii, angle + math.pi)
    return math.hypot(other.cx - cx, other.cy - cy) - float(both)


def _allowed(other: Placed, radii: Floats, cell_type: str, touch: float) -> float:
    """How far a touching cell may reach over another, px; over other kinds only a little."""
    smaller = min(float(radii.mean()), other.mean)
    return ((touch if other.type == cell_type else min(touch, 0.1)) + 0.02) * smaller


Slices = tuple[slice, slice]


def clip_to_field(tile: Tile, height_px: int, width_px: int) -> tuple[Slices, Slices | None]:
    """Where a tile and the field meet: slices of the tile, slices of the field or None."""
    rows, columns = tile.r.shape
    x0, y0 = max(tile.x0, 0), max(tile.y0, 0)
    x1, y1 = min(tile.x0 + columns, width_px), min(tile.y0 + rows, height_px)
    in_tile = (slice(y0 - tile.y0, y1 - tile.y0), slice(x0 - tile.x0, x1 - tile.x0))
    if x1 <= x0 or y1 <= y0:
        return in_tile, None
    return in_tile, (slice(y0, y1), slice(x0, x1))


def amodal_box(tile: Tile, height_px: int, width_px: int) -> Box:
    """Half-open box of the whole shape, hidden parts included, clipped to the field."""
    x0, y0, x1, y1 = whole_box(tile)
    return max(x0, 0), max(y0, 0), min(x1, width_px), min(y1, height_px)


def whole_box(tile: Tile) -> Box:
    """Half-open box of the whole shape in the field's pixels; may leave the field."""
    mask = tile.mask
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return (
        tile.x0 + int(columns[0]),
        tile.y0 + int(rows[0]),
        tile.x0 + int(columns[-1]) + 1,
        tile.y0 + int(rows[-1]) + 1,
    )
