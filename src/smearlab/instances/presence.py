"""From heat to the probability that a person would count the cell.

A cell's heat says how much the picture looks like its centre. Whether people count it depends, at
the edge of a field, also on how much of it is left: annotators box a cell cut in half, and leave
out one of which a sliver shows. Both are joined by logistic curves (Platt 1999), whose coefficients
are on the bundle's card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from smearlab.errors import BundleError
from smearlab.instances.ellipse import complete_box

#: Cells of more heat say how large cells are in a field.
LIKELY_HEAT = 0.5
_CLOSEST = 1e-6  # heat of 0 and 1 has no finite logit


@dataclass(frozen=True)
class Presence:
    """Logistic curves of whole cells and of those that the field's edge has cut.

    Parameters
    ----------
    whole : tuple of float
        Slope on the logit of the heat, above 0, and offset.
    cut : tuple of float
        The same, and the slope on the visible share.
    """

    whole: tuple[float, float]
    cut: tuple[float, float, float]

    @classmethod
    def of_card(cls, entry: Mapping[str, object]) -> Presence:
        """Read an element's entry of a card's ``presence``.

        Raises
        ------
        BundleError
            If ``whole`` is not two numbers and ``cut`` three, each with the first above 0.
        """
        slope, offset = _numbers("whole", entry.get("whole"), 2)
        return cls((slope, offset), tuple(_numbers("cut", entry.get("cut"), 3)))  # type: ignore[arg-type]

    def __call__(
        self, heat: NDArray[np.float32], visible: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Probability that a person counts each cell, float32, shape (N,).

        Parameters
        ----------
        heat : ndarray of float32, shape (N,)
            In [0, 1].
        visible : ndarray of float64, shape (N,)
            See :func:`visible_shares`.
        """
        curve = np.array([*self.whole, *self.cut])
        return np.asarray(expit(evidence(heat, visible) @ curve), np.float32)

    def least_heat(self, probability: float) -> float:
        """Heat below which no cell reaches a probability, however much of it is seen."""
        wanted = logit(np.clip(probability, _CLOSEST, 1 - _CLOSEST))
        slope, offset, share = self.cut
        needed = (
            (wanted - self.whole[1]) / self.whole[0],
            (wanted - offset - max(share, 0.0)) / slope,
        )
        return float(expit(min(needed)))


def _numbers(name: str, value: object, length: int) -> list[float]:
    if (
        not isinstance(value, list | tuple)
        or len(value) != length
        or not all(isinstance(v, int | float) and np.isfinite(v) for v in value)
        or value[0] <= 0
    ):
        raise BundleError(
            f"presence.{name} on the card must be {length} numbers, the first above 0; received "
            f"{value!r}: export the bundle anew"
        )
    return [float(v) for v in value]


def evidence(heat: NDArray[np.float32], visible: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the curves weigh: logit and 1 of whole cells; logit, 1, share of cut ones; (N, 5)."""
    strength = logit(heat.astype(np.float64).clip(_CLOSEST, 1 - _CLOSEST))
    cut = np.isfinite(visible)
    columns = (strength * ~cut, ~cut, strength * cut, cut, np.where(cut, visible, 0.0))
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def visible_shares(
    boxes: NDArray[np.float32], heat: NDArray[np.float32], width_px: int, height_px: int
) -> NDArray[np.float64]:
    """How much of each cell at the field's edge is seen, as far as boxes tell.

    The lesser of two answers: the area of the box over that of the square it is completed to across
    the edge, and over the typical area of the whole cells of the field.

    Parameters
    ----------
    boxes : ndarray of float32, shape (N, 4)
        ``(x0, y0, x1, y1)`` of cells of one element, clipped to the field, px.
    heat : ndarray of float32, shape (N,)
        In [0, 1]; whole cells with more than :data:`LIKELY_HEAT` say what is typical.
    width_px, height_px : int
        Size of the field.

    Returns
    -------
    ndarray of float64, shape (N,)
        Above 0; NaN for cells that end inside the field.
    """
    margin_px = max(2.5, 0.004 * max(width_px, height_px))
    x0, y0, x1, y1 = boxes.T
    cut = (
        (x0 <= margin_px)
        | (y0 <= margin_px)
        | (x1 >= width_px - margin_px)
        | (y1 >= height_px - margin_px)
    )
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).astype(np.float64)
    shares = np.full(len(boxes), np.nan)
    squares = np.array(
        [complete_box(box, width_px, height_px, margin_px) for box in boxes[cut].tolist()]
    ).reshape(-1, 4)
    shares[cut] = areas[cut] / (squares[:, 2:] - squares[:, :2]).prod(axis=1)
    whole = areas[~cut & (heat > LIKELY_HEAT)]
    if whole.size:
        shares[cut] = np.minimum(shares[cut], areas[cut] / float(np.median(whole)))
    return shares
