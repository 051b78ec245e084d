"""From boxes to what the cell-centre network is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.box_masks import CODE_OF_ELEMENT, IGNORE
from smearlab.learn.transforms.views import View
from smearlab.types import ELEMENTS

_SPREAD = 0.54 / 6  # σ of a centre's heat over the side of its box (TTFNet)
_MIN_SIGMA = 0.55


def centre_targets(view: View, grid: int = 4) -> dict[str, NDArray[np.generic]]:
    """Targets of one view.

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
    steps = view.pixels.shape[0] // grid
    heat = np.zeros((len(ELEMENTS), steps, steps), np.float32)
    weight = np.ones_like(heat)
    sides = np.ones((4, steps, steps), np.float32)
    sides_weight = np.zeros((steps, steps), np.float32)
    middle = (np.arange(steps, dtype=np.float32) + 0.5) * grid

    coarse = view.element_map[grid // 2 :: grid, grid // 2 :: grid]
    loose = view.incomplete[grid // 2 :: grid, grid // 2 :: grid] & (coarse == IGNORE)
    weight[ELEMENTS.index("RBC")][loose] = 0

    areas = np.prod(view.boxes[:, 2:] - view.boxes[:, :2], axis=1)
    for n in np.argsort(-areas):  # small cells last: they win where cells overlap
        x0, y0, x1, y1 = view.boxes[n]
        channel = CODE_OF_ELEMENT[view.elements[n]] - 1
        if view.cut[n]:
            window = (slice(int(y0 / grid), int(y1 / grid) + 1),) + (
                slice(int(x0 / grid), int(x1 / grid) + 1),
            )
            weight[(channel, *window)] = 0
            continue
        cx = min(steps - 1, int((x0 + x1) / 2 / grid))
        cy = min(steps - 1, int((y0 + y1) / 2 / grid))
        sx = max(_MIN_SIGMA, (x1 - x0) / grid * _SPREAD)
        sy = max(_MIN_SIGMA, (y1 - y0) / grid * _SPREAD)
        rx, ry = int(3 * sx) + 1, int(3 * sy) + 1
        ys = slice(max(0, cy - ry), min(steps, cy + ry + 1))
        xs = slice(max(0, cx - rx), min(steps, cx + rx + 1))
        bell = np.exp(
            -((np.arange(xs.start, xs.stop) - cx)[None, :] ** 2) / (2 * sx * sx)
            - ((np.arange(ys.start, ys.stop) - cy)[:, None] ** 2) / (2 * sy * sy)
        ).astype(np.float32)
        bell[bell < 0.02] = 0
        np.maximum(heat[channel, ys, xs], bell, out=heat[channel, ys, xs])
        heat[channel, cy, cx] = 1
        weight[channel, cy, cx] = 1
        # Every cell weighs the same, whatever its size; the rarer elements a little more.
        share = bell / bell.sum() * (1 if view.elements[n] == "RBC" else 2)
        mine = (bell > 0.1) & ((share > sides_weight[ys, xs]) | (bell > 0.6))
        gaps = np.stack(
            np.broadcast_arrays(
                middle[None, xs] - x0,
                middle[ys, None] - y0,
                x1 - middle[None, xs],
                y1 - middle[ys, None],
            )
        )
        sides[:, ys, xs] = np.where(mine, gaps, sides[:, ys, xs])
        sides_weight[ys, xs] = np.where(mine, share, sides_weight[ys, xs])
    return {
        "pixels": view.pixels,
        "heat": heat,
        "heat_weight": weight,
        "sides": sides,
        "sides_weight": sides_weight,
        "classes": np.ascontiguousarray(view.element_map[1::2, 1::2]),
    }
