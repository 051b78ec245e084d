"""Whether one segmenter is better than another on the same fields, or only luckier."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.evaluation.element_objects import box_hit_figures
from smearlab.evaluation.elements import object_figures
from smearlab.evaluation.results import RESAMPLES, SEED
from smearlab.metrics.mask_overlap import overlap_figures
from smearlab.metrics.resampling import draw_weights, sums_by_unit, units_of
from smearlab.metrics.significance import Difference, paired_difference

_Compute = Callable[..., dict[str, NDArray[np.float64]]]
_TABLE_OF = {
    "dice": "masks",
    "iou": "masks",
    "boundary_f1": "masks",
    "object_f1_50": "objects",
    "panoptic_quality": "objects",
}
#: Sums of a field by boxes: hits, wrong, missed.
_BY_BOX = 3


@dataclass(frozen=True)
class FieldDifference:
    """How much better the first segmenter is than the second.

    Parameters
    ----------
    value : float
        First minus second, pooled over the fields that both have.
    low, high : float
        Ends of its 95 % interval; NaN with fewer than two groups.
    p : float
        Two-sided; NaN with fewer than two groups.
    n, n_groups : int
        Fields, and places of a smear that they show.
    """

    value: float
    low: float
    high: float
    p: float
    n: int
    n_groups: int


def field_difference(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    figure: str,
    resamples: int = RESAMPLES,
) -> FieldDifference:
    """The difference of a figure, with a paired bootstrap by group.

    Parameters
    ----------
    first, second : mapping
        Figures of one element and source, as
        :func:`smearlab.evaluation.elements.evaluate_elements` gives them.
    figure : {"dice", "iou", "boundary_f1", "object_f1_50", "panoptic_quality"}
    resamples : int
        Of the bootstrap; both get the same.

    Raises
    ------
    UsageError
        If they have no field in common, or the figure is not known of both.
    """
    theirs = {one["name"]: one for one in second["fields"]}
    pairs = [(one, theirs[one["name"]]) for one in first["fields"] if one["name"] in theirs]
    table = _TABLE_OF[figure]
    if not pairs or any(table not in one["sums"] for pair in pairs for one in pair):
        raise UsageError(f"{figure} is not known of both segmenters on the same fields")
    rows = [np.array([pair[side]["sums"][table] for pair in pairs], np.float64) for side in (0, 1)]
    compute = _computed(table, rows[0].shape[1])
    units, n_groups = units_of(np.array([one["group"] for one, _ in pairs]))
    weights = draw_weights(n_groups, resamples=resamples, seed=SEED)
    value = float(np.subtract(*(compute(side, None)[figure][0] for side in rows)))
    drawn = [compute(sums_by_unit(side, units, n_groups), weights)[figure] for side in rows]
    none = Difference(value, (math.nan, math.nan), math.nan)
    found = none if n_groups < 2 else paired_difference(value, drawn[0] - drawn[1])
    return FieldDifference(value, *found.interval, found.p, len(pairs), n_groups)


def _computed(table: str, n_columns: int) -> _Compute:
    if table == "masks":
        return overlap_figures
    return box_hit_figures if n_columns == _BY_BOX else object_figures
