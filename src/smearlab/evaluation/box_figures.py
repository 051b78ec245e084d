"""Figures of boxed fields: per class, their mean, and their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.results import SEED, intervals
from smearlab.evaluation.type_names import BoxClass, box_class
from smearlab.metrics.average_precision import average_precision
from smearlab.metrics.detection import (
    COCO_IOUS,
    Matches,
    count_errors,
    hits_by_field,
    match_boxes,
    pool_matches,
    precision_recall,
    select_fields,
)
from smearlab.metrics.resampling import draw_weights, ratio
from smearlab.types import CELL_TYPES, ELEMENTS, Box, Cell, Element

Figures = dict[str, dict[str, NDArray[np.float64]]]


@dataclass(frozen=True)
class TrueBox:
    """A box that a person drew.

    Parameters
    ----------
    name : str
        Class, as the box set writes it.
    box : tuple of float
        ``(x0, y0, x1, y1)`` px, half-open.
    """

    name: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class FoundBox:
    """A candidate, without its contour, of which many fields would fill the memory.

    Parameters
    ----------
    box : tuple of int
        ``(x0, y0, x1, y1)`` px, half-open.
    score : float
        Detection score in [0, 1].
    element : {"RBC", "WBC", "PLT"}
        What it was found as.
    type : str
        Its type.
    """

    box: Box
    score: float
    element: Element
    type: str

    @classmethod
    def of(cls, cell: Cell) -> FoundBox:
        """What is needed of a cell."""
        return cls(cell.bbox, cell.detection_score, cell.element, cell.type)


@dataclass(frozen=True, eq=False)
class BoxedField:
    """What was found in one field, and what is there.

    Parameters
    ----------
    name : str
        Of the field.
    found : tuple of FoundBox
        Candidates, sure and unsure.
    true : tuple of TrueBox
        Boxes.
    """

    name: str
    found: tuple[FoundBox, ...]
    true: tuple[TrueBox, ...]


@dataclass(frozen=True)
class JudgedClass:
    """What is looked for under one name.

    Parameters
    ----------
    name : str
        ``"RBC"``, ``"WBC"``, ``"PLT"``, or a nucleated type that the box set names.
    element : {"RBC", "WBC", "PLT"}
        Whose shipped threshold applies.
    nucleated_type : str or None
        The type, for a class of one type.
    without : frozenset of str
        Types that do not count here because they are a class of their own.
    """

    name: str
    element: Element
    nucleated_type: str | None = None
    without: frozenset[str] = frozenset()

    def holds(self, element: Element, type_name: str | None) -> bool:
        """Whether a box or a cell of this element and type belongs to the class."""
        if element != self.element or type_name in self.without:
            return False
        return self.nucleated_type is None or self.nucleated_type == type_name


def judged_classes(names: Sequence[str]) -> tuple[JudgedClass, ...]:
    """The classes that a box set allows to judge.

    RBC, WBC and PLT always. All nucleated types count as WBC. Where the set names one, it is
    judged under its own name too: leukocyte types stay part of WBC as well, erythroblasts, which
    are no leukocytes, do not.

    Parameters
    ----------
    names : sequence of str
        Class names as the set writes them.

    Returns
    -------
    tuple of JudgedClass

    Raises
    ------
    UnknownNameError
        If a name is not understood.
    """
    meanings = [box_class(name).nucleated_type for name in names]
    named = frozenset(name for name in meanings if name is not None)
    apart = named & {"erythroblast"}
    elements = tuple(
        JudgedClass(element, element, without=apart if element == "WBC" else frozenset())
        for element in ELEMENTS
    )
    return elements + tuple(JudgedClass(n, "WBC", n) for n in CELL_TYPES if n in named)


def match_class(fields: Sequence[BoxedField], judged: JudgedClass) -> Matches:
    """Match the candidates of one class with its boxes, in every field.

    Parameters
    ----------
    fields : sequence of BoxedField
        At least one.
    judged : JudgedClass
        Which cells and boxes take part.

    Returns
    -------
    Matches
        At the ten IoU thresholds of COCO.
    """
    meaning: dict[str, BoxClass] = {
        name: box_class(name) for name in {box.name for field in fields for box in field.true}
    }
    matched = []
    for field in fields:
        found = [one for one in field.found if judged.holds(one.element, one.type)]
        true = [
            box.box
            for box in field.true
            if judged.holds(meaning[box.name].element, meaning[box.name].nucleated_type)
        ]
        scores = [one.score for one in found]
        matched.append(match_boxes([one.box for one in found], scores, true, COCO_IOUS))
    return pool_matches(matched)


def summarise(
    matches: Mapping[JudgedClass, Matches], thresholds: Mapping[Element, float], resamples: int
) -> dict[str, Any]:
    """All figures of a set of fields, with bootstrap intervals by field.

    Parameters
    ----------
    matches : mapping of JudgedClass to Matches
        Over the same F ≥ 1 fields, RBC, WBC and PLT among them.
    thresholds : mapping of str to float
        Element → score from which a candidate counts.
    resamples : int
        Of the bootstrap.

    Returns
    -------
    dict
        ``map50`` (mean AP50 over those of RBC, WBC, PLT that have boxes), ``map``,
        ``n_fields``; per class ``ap50``, ``ap``, ``precision``, ``recall``, ``count_mae``,
        ``count_bias``, ``count_mape``, ``n`` (boxes), ``n_found`` and ``count_mape_fields``
        (fields with boxes); ``intervals`` of the same shape. Undefined figures are NaN.
    """
    n_fields = next(iter(matches.values())).n_fields
    once = np.ones((1, n_fields), dtype=np.int64)
    point = _figures(matches, thresholds, once)
    drawn = _figures(matches, thresholds, draw_weights(n_fields, resamples=resamples, seed=SEED))
    result: dict[str, Any] = {
        **{name: value.item() for name, value in _means(point).items()},
        "n_fields": n_fields,
    }
    ends: dict[str, Any] = dict(intervals(_means(drawn), n_fields))
    for judged, one in matches.items():
        right, wrong = hits_by_field(one, thresholds[judged.element])
        result[judged.name] = {
            **{name: value.item() for name, value in point[judged.name].items()},
            "n": int(one.n_true.sum()),
            "n_found": int(right.sum() + wrong.sum()),
            "count_mape_fields": int((one.n_true > 0).sum()),
        }
        ends[judged.name] = intervals(drawn[judged.name], n_fields)
    return {**result, "intervals": ends}


def summarise_groups(
    matches: Mapping[JudgedClass, Matches],
    thresholds: Mapping[Element, float],
    groups: Sequence[str],
    resamples: int,
) -> dict[str, Any]:
    """The same figures for each group of fields.

    Parameters
    ----------
    matches, thresholds, resamples
        As for :func:`summarise`.
    groups : sequence of str
        The group of each of the F fields.

    Returns
    -------
    dict of str to dict
        Group → what :func:`summarise` returns for its fields.
    """
    result = {}
    for group in sorted(set(groups)):
        chosen = [index for index, name in enumerate(groups) if name == group]
        part = {judged: select_fields(one, chosen) for judged, one in matches.items()}
        result[group] = summarise(part, thresholds, resamples)
    return result


def _figures(
    matches: Mapping[JudgedClass, Matches],
    thresholds: Mapping[Element, float],
    weights: NDArray[np.int64],
) -> Figures:
    """Class → figure → its value in each of R resamples."""
    figures: Figures = {}
    for judged, one in matches.items():
        threshold = thresholds[judged.element]
        precision, recall = precision_recall(one, threshold, weights=weights)
        area = average_precision(one, weights=weights)
        right, wrong = hits_by_field(one, threshold)
        figures[judged.name] = {
            "ap50": area[:, 0],
            "ap": area.mean(axis=1),
            "precision": precision,
            "recall": recall,
            **count_errors(right + wrong, one.n_true, weights=weights),
        }
    return figures


def _means(figures: Figures) -> dict[str, NDArray[np.float64]]:
    """Means over the elements that have boxes."""
    means = {}
    for mean, name in (("map50", "ap50"), ("map", "ap")):
        values = np.stack([figures[element][name] for element in ELEMENTS])
        known = ~np.isnan(values)
        means[mean] = ratio(np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0))
    return means
