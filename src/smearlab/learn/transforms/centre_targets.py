"""From boxes to what the cell-centre network is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.box_masks import CODE_OF_ELEMENT, IGNORE
from smearlab.learn.transforms.views import View
from smearlab.types import ELEMENTS

_SPREAD = 0.54 / 6  # σ of a centre's heat over the side of its box (TTFNet)
_MIN_SIGMA = 0.55

Floats = NDArray[np.float32]


def centre_targets(view: View, grid: int = 4) -> dict[str, NDArray[Any]]:
    """Targets of one view.

    Every cell that is not cut gets a centre of heat 1 with a bell around it, and its box sides
    where the bell is high. Cut cells, and red cells that may lie without a box, get no weight.

    Parameters
    ----------
    view : View
    grid : int
        Pixels per step of the heat map.

    Returns
    -------
    dict
        ``pixels`` uint8 (S, S, 3); ``heat`` and ``heat_weight`` float32 (E, s, s); ``sides``
        float32 (4, s, s) px; ``sides_weight`` float32 (s, s); ``classes`` uint8 (S/2, S/2).
    """
    maps = _Maps(view.pixels.shape[0] // grid, grid)
    coarse = view.element_map[grid // 2 :: grid, grid // 2 :: grid]
    loose = view.incomplete[grid // 2 :: grid, grid // 2 :: grid] & (coarse == IGNORE)
    maps.weight[ELEMENTS.index("RBC")][loose] = 0

    areas = np.prod(view.boxes[:, 2:] - view.boxes[:, :2], axis=1)
    for n in np.argsort(-areas):  # small cells last: they win where cells overlap
        channel = CODE_OF_ELEMENT[view.elements[n]] - 1
        if view.cut[n]:
            maps.forget(channel, view.boxes[n])
        else:
            # Every cell weighs the same, whatever its size; the rarer elements a little more.
            maps.draw(channel, view.boxes[n], 1 if view.elements[n] == "RBC" else 2)
    return {
        "pixels": view.pixels,
        "heat": maps.heat,
        "heat_weight": maps.weight,
        "sides": maps.sides,
        "sides_weight": maps.sides_weight,
        "classes": np.ascontiguousarray(view.element_map[1::2, 1::2]),
    }


class _Maps:
    """The target maps, cell by cell."""

    def __init__(self, steps: int, grid: int) -> None:
        self.steps, self.grid = steps, grid
        self.heat: Floats = np.zeros((len(ELEMENTS), steps, steps), np.float32)
        self.weight: Floats = np.ones_like(self.heat)
        self.sides: Floats = np.ones((4, steps, steps), np.float32)
        self.sides_weight: Floats = np.zeros((steps, steps), np.float32)
        self._middle = (np.arange(steps, dtype=np.float32) + 0.5) * grid

    def forget(self, channel: int, box: Floats) -> None:
        """Claim nothing inside a box."""
        x0, y0, x1, y1 = (int(value / self.grid) for value in box)
        self.weight[channel, y0 : y1 + 1, x0 : x1 + 1] = 0

    def draw(self, channel: int, box: Floats, importance: int) -> None:
        """Centre, bell and sides of one cell."""
        x0, y0, x1, y1 = box
        cx, near_x, bell_x = self._bell((x0 + x1) / 2, x1 - x0)
        cy, near_y, bell_y = self._bell((y0 + y1) / 2, y1 - y0)
        around = (near_y, near_x)
        bell = np.exp(bell_x[None, :] + bell_y[:, None]).astype(np.float32)
        bell[bell < 0.02] = 0
        heat = self.heat[channel]
        np.maximum(heat[around], bell, out=heat[around])
        heat[cy, cx] = 1
        self.weight[channel, cy, cx] = 1

        share = bell / bell.sum() * importance
        mine = (bell > 0.1) & ((share > self.sides_weight[around]) | (bell > 0.6))
        x, y = self._middle[None, near_x], self._middle[near_y, None]
        gaps = np.stack(np.broadcast_arrays(x - x0, y - y0, x1 - x, y1 - y))
        self.sides[:, near_y, near_x] = np.where(mine, gaps, self.sides[:, near_y, near_x])
        self.sides_weight[around] = np.where(mine, share, self.sides_weight[around])

    def _bell(self, middle: np.float32, side: np.float32) -> tuple[int, slice, NDArray[Any]]:
        """Along one axis: step of the centre, steps around it, logarithm of the bell there."""
        centre = min(self.steps - 1, int(middle / self.grid))
        spread = side / self.grid * _SPREAD
        sigma = spread if spread > _MIN_SIGMA else _MIN_SIGMA
        reach = int(3 * sigma) + 1
        near = slice(max(0, centre - reach), min(self.steps, centre + reach + 1))
        return (
            centre,
            near,
            -((np.arange(near.start, near.stop) - centre) ** 2) / (2 * sigma * sigma),
        )
