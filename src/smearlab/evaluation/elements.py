"""Segmented elements against masks and boxes: paper B's figures, and those that it lacks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.evaluation.element_objects import BoxHits, box_hit_figures, box_hits
from smearlab.evaluation.files import over_files
from smearlab.evaluation.masks import MIN_AREA_PX
from smearlab.evaluation.protocols import ElementPictures, FoundElement
from smearlab.evaluation.results import RESAMPLES, SEED, failures, intervals, plain
from smearlab.instances.watershed import split_touching
from smearlab.metrics.mask_overlap import (
    BOUNDARY_TOLERANCE_PX,
    MaskOverlap,
    mask_overlap,
    overlap_figures,
    overlap_rows,
)
from smearlab.metrics.resampling import draw_weights, sums_by_unit, units_of
from smearlab.metrics.segmentation import FieldOverlap, overlap, segmentation_figures, sums
from smearlab.metrics.segmented_pictures import (
    PictureLikeness,
    likeness,
    likeness_figures,
    likeness_rows,
)
from smearlab.types import Element, Field

#: Diameter of a red cell, px, at which boundaries may be :data:`BOUNDARY_TOLERANCE_PX` apart.
TOLERANCE_DIAMETER_PX = 64.0
#: Grounds on which pictures are compared. Ours are black; those of paper B must have been white.
GROUNDS: Mapping[str, int] = {"black": 0, "white": 255}
#: What pictures are compared: those that a network drew, or the field's pixels inside its mask.
GENERATED, CUT_OUT = "generated", "cut out"
#: Tables whose sums are kept with every field.
SUMS = ("masks", "objects")
_OBJECTS = ("object_f1_50", "object_f1_75", "panoptic_quality")
_Figures = dict[str, NDArray[np.float64]]


class TruePair(Protocol):
    """A picture and where one element lies in it; an ``ElementPair`` is one."""

    @property
    def name(self) -> str:
        """Unique."""
        ...

    @property
    def group(self) -> str:
        """Pictures of one group are resampled together."""
        ...

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """sRGB, shape (H, W, 3)."""
        ...

    @property
    def target(self) -> NDArray[np.bool_]:
        """True on the element, shape (H, W)."""
        ...

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """True where nothing is claimed, shape (H, W)."""
        ...

    @property
    def diameter_px(self) -> float:
        """Of the red cells; NaN where unknown."""
        ...

    @property
    def objects(self) -> NDArray[np.int32] | None:
        """One label a cell, shape (H, W)."""
        ...

    @property
    def boxes(self) -> NDArray[np.float32] | None:
        """Boxes of the element, shape (N, 4)."""
        ...


class PairEntry(Protocol):
    """What is known of a pair before it is read; a ``PairFile`` is one."""

    @property
    def name(self) -> str:
        """Unique."""
        ...

    @property
    def element(self) -> Element:
        """What the target shows."""
        ...

    @property
    def source(self) -> str:
        """Where targets of its kind come from: figures of two sources are never pooled."""
        ...


Entry = TypeVar("Entry", bound=PairEntry)


@dataclass(frozen=True)
class _Judged:
    """One field."""

    name: str
    group: str
    element: Element
    source: str
    pictures: str
    likeness: Mapping[str, PictureLikeness]
    overlap: MaskOverlap
    objects: FieldOverlap | BoxHits | None


def evaluate_elements(
    segmenter: ElementPictures,
    pairs: Sequence[Entry],
    load: Callable[[Entry], TruePair],
    *,
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Measure how well elements are segmented.

    Figures are pooled over fields; intervals are 95 % bootstrap intervals by group. Pixels about
    which the truth claims nothing are not judged. Pictures are those that a network drew, or, where
    it draws none, the field's own pixels inside the found mask; ``pictures`` says which.

    Cells are those that the segmenter tells apart, else those of the watershed of the found mask.
    Where the truth knows them as objects, they match at their masks' IoU, and those that the edge
    of the field cuts are ignored; where it knows boxes, at the boxes' IoU, and a found object
    without partner is ignored if most of it lies where nothing is claimed.

    Parameters
    ----------
    segmenter : ElementPictures
        What is measured.
    pairs : sequence
        See :func:`smearlab.datasets.element_pairs.list_pairs`; of one or several elements.
    load : callable
        Reads a pair: :func:`smearlab.datasets.element_pairs.load_pair`.
    jobs : int
        Threads.
    advance : callable
        Called after every pair.
    resamples : int
        Of the bootstrap.

    Returns
    -------
    dict
        ``elements``: element → source of the truth → figures. ``pcc``, ``pce``, and in ``on``,
        for a black and a white ground, ``ssim``, ``psnr``, ``snr``, ``mae``
        (:mod:`smearlab.metrics.segmented_pictures`); ``dice``, ``iou``, ``precision``,
        ``sensitivity``, ``boundary_f1`` (:mod:`smearlab.metrics.mask_overlap`); ``object_f1_50``,
        with masks also ``object_f1_75`` and ``panoptic_quality``
        (:mod:`smearlab.metrics.segmentation`); ``n`` fields, ``n_groups``, ``n_true`` and
        ``n_found`` objects; ``pictures``, what ``on`` is of: ``generated`` or ``cut out``;
        ``intervals``; ``fields``: the figures of every field, and in ``sums`` what they are
        quotients of, for :mod:`smearlab.evaluation.element_differences`; all of it under each
        element and source. ``settings`` and ``errors``. Undefined figures are None, and so are
        infinite ones (identical pictures).

    Raises
    ------
    UsageError
        If no pair could be evaluated.
    """

    def judge(pair: Entry) -> _Judged:
        return _judge(segmenter, pair, load(pair))

    judged, bad = over_files(
        pairs, judge, path_of=lambda pair: Path(pair.name), jobs=jobs, advance=advance
    )
    if not judged:
        reason = f"; the first: {bad[0].reason}" if bad else ""
        raise UsageError(f"none of the {len(pairs)} pairs could be evaluated{reason}")
    kinds = sorted({(one.element, one.source) for one in judged})
    elements: dict[str, dict[str, Any]] = {}
    for element, source in kinds:
        own = [one for one in judged if (one.element, one.source) == (element, source)]
        elements.setdefault(element, {})[source] = _summary(own, resamples)
    settings = {
        "boundary_tolerance": f"{BOUNDARY_TOLERANCE_PX:g} px where a red cell measures "
        f"{TOLERANCE_DIAMETER_PX:g} px",
        "min_area_px": MIN_AREA_PX,
        "resamples": resamples,
        "seed": SEED,
    }
    return dict(plain({"elements": elements, "settings": settings, "errors": failures(bad)}))


def _judge(segmenter: ElementPictures, entry: PairEntry, pair: TruePair) -> _Judged:
    """Segment one field and compare."""
    found = segmenter.segment(Field(pair.pixels, pair.name), (entry.element,))[entry.element]
    judged = ~pair.unknown
    scale = pair.diameter_px / TOLERANCE_DIAMETER_PX if pair.diameter_px > 0 else 1.0
    return _Judged(
        name=pair.name,
        group=pair.group,
        element=entry.element,
        source=entry.source,
        pictures=CUT_OUT if found.generated is None else GENERATED,
        likeness={
            name: likeness(
                _on_ground(found, ground),
                np.where(pair.target[..., None], pair.pixels, np.uint8(ground)),
                found.mask,
                pair.target,
                judged,
            )
            for name, ground in GROUNDS.items()
        },
        overlap=mask_overlap(
            found.mask, pair.target, judged, tolerance_px=BOUNDARY_TOLERANCE_PX * scale
        ),
        objects=_objects(found, pair),
    )


def _on_ground(found: FoundElement, ground: int) -> NDArray[np.uint8]:
    """The drawn picture as it is, or cut out by the mask and laid on another ground."""
    picture = found.segmented if found.generated is None else found.generated
    if ground == 0:
        return picture
    return np.where(found.mask[..., None], picture, np.uint8(ground))


def _objects(found: FoundElement, pair: TruePair) -> FieldOverlap | BoxHits | None:
    """Found cells against true ones, by mask if they are known, else by box."""
    if pair.objects is None and pair.boxes is None:
        return None
    labels = _without_gaps(found)
    if pair.objects is not None:
        return overlap(labels, pair.objects, min_area_px=MIN_AREA_PX, ignore_border=True)
    assert pair.boxes is not None
    return box_hits(labels, pair.boxes, pair.unknown)


def _without_gaps(found: FoundElement) -> NDArray[np.int32]:
    """Labels of the found cells, 1 … N."""
    if found.labels is None:
        return split_touching(found.mask, min_area_px=MIN_AREA_PX).array
    known = np.unique(found.labels[found.labels > 0])
    numbers = np.zeros(int(known.max(initial=0)) + 1, np.int32)
    numbers[known] = np.arange(1, len(known) + 1, dtype=np.int32)
    return numbers[found.labels]


def _summary(judged: Sequence[_Judged], resamples: int) -> dict[str, Any]:
    """Figures, intervals, numbers."""
    units, n_groups = units_of(np.array([one.group for one in judged]))
    weights = draw_weights(n_groups, resamples=resamples, seed=SEED)
    tables = _tables(judged)
    figures: dict[str, Any] = {}
    ends: dict[str, Any] = {}
    for rows, compute in tables.values():
        figures |= {name: _number(value[0]) for name, value in compute(rows, None).items()}
        drawn = compute(sums_by_unit(rows, units, n_groups), weights)
        ends |= intervals({name: _finite(value) for name, value in drawn.items()}, n_groups)
    return {
        **_by_ground(figures),
        "n": len(judged),
        "n_groups": n_groups,
        **_object_numbers(judged),
        "pictures": ", ".join(sorted({one.pictures for one in judged})),
        "intervals": _by_ground(ends),
        "fields": _per_field(judged, tables),
    }


def _tables(
    judged: Sequence[_Judged],
) -> dict[str, tuple[NDArray[np.float64], Callable[..., _Figures]]]:
    """Rows of sums, and what makes figures of them."""
    tables: dict[str, tuple[NDArray[np.float64], Callable[..., _Figures]]] = {
        ground: (likeness_rows([one.likeness[ground] for one in judged]), _named(ground))
        for ground in GROUNDS
    }
    tables["masks"] = overlap_rows([one.overlap for one in judged]), overlap_figures
    by_mask = [one.objects for one in judged if isinstance(one.objects, FieldOverlap)]
    by_box = [one.objects for one in judged if isinstance(one.objects, BoxHits)]
    if len(by_mask) == len(judged):
        tables["objects"] = sums(by_mask), object_figures
    elif len(by_box) == len(judged):
        tables["objects"] = np.array([one.row for one in by_box], np.float64), box_hit_figures
    return tables


def _named(ground: str) -> Callable[..., _Figures]:
    """The figures of pictures under names that tell the ground; PCC and PCE have none."""

    def compute(rows: NDArray[np.float64], weights: NDArray[np.int64] | None) -> _Figures:
        return {
            name if name in ("pcc", "pce") else f"{ground}.{name}": value
            for name, value in likeness_figures(rows, weights).items()
        }

    return compute


def object_figures(
    rows: NDArray[np.float64], weights: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Object F1 and panoptic quality of :func:`smearlab.metrics.segmentation.sums`.

    Parameters
    ----------
    rows : ndarray of float64, shape (F, K)
    weights : ndarray of int64, shape (R, F), optional
        Resamples; without them there is one row, every field once.
    """
    figures = segmentation_figures(rows, weights)
    return {name: figures[name] for name in _OBJECTS}


def _by_ground(figures: Mapping[str, Any]) -> dict[str, Any]:
    """``{"black.ssim": …}`` as ``{"on": {"black": {"ssim": …}}}``."""
    on: dict[str, dict[str, Any]] = {ground: {} for ground in GROUNDS}
    rest: dict[str, Any] = {}
    for name, value in figures.items():
        ground, dot, figure = name.partition(".")
        if dot:
            on[ground][figure] = value
        else:
            rest[name] = value
    return {**rest, "on": on}


def _object_numbers(judged: Sequence[_Judged]) -> dict[str, int]:
    known = [one.objects for one in judged if one.objects is not None]
    if not known:
        return {}
    return {
        "n_true": sum(one.n_true for one in known),
        "n_found": sum(one.n_found for one in known),
    }


def _per_field(
    judged: Sequence[_Judged],
    tables: Mapping[str, tuple[NDArray[np.float64], Callable[..., _Figures]]],
) -> list[dict[str, Any]]:
    """Figures of every field by itself."""
    fields = []
    for n, one in enumerate(judged):
        figures: dict[str, float] = {}
        for rows, compute in tables.values():
            alone = compute(rows[n : n + 1], None)
            figures |= {name: _number(value[0]) for name, value in alone.items()}
        sums_of = {name: tables[name][0][n].tolist() for name in SUMS if name in tables}
        own = {"name": one.name, "group": one.group, "sums": sums_of}
        fields.append({**own, **_by_ground(figures)})
    return fields


def _number(value: float) -> float:
    """NaN for what is infinite: JSON knows neither."""
    return float(value) if math.isfinite(value) else math.nan


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)
