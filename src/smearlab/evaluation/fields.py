"""Found cells against boxes that people drew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from smearlab.errors import UsageError
from smearlab.evaluation.box_figures import (
    BoxedField,
    FoundBox,
    TrueBox,
    judged_classes,
    match_class,
    summarise,
    summarise_groups,
)
from smearlab.evaluation.files import over_files
from smearlab.evaluation.protocols import CellDetector
from smearlab.evaluation.results import RESAMPLES, SEED, failures, plain
from smearlab.io.images import read_field
from smearlab.types import Field

#: Candidates from this score on take part in average precision.
MIN_SCORE = 0.05
#: Reads the boxes of a picture; the field tells its size.
BoxReader = Callable[[Path, Field], Sequence[TrueBox]]
#: Name of the group of fields that a table of groups leaves out.
UNGROUPED = "(no group)"


def evaluate_fields(
    detector: CellDetector,
    images: Sequence[Path],
    read_boxes: BoxReader,
    *,
    class_names: Sequence[str] = (),
    groups: Mapping[str, str] | None = None,
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Measure how well a detector finds and counts red cells, nucleated cells and platelets.

    Average precision is COCO's (101 recall points; ``ap`` over IoU .50 … .95) over all
    candidates from :data:`MIN_SCORE` on. Precision, recall and counts are at IoU 0.5 and the
    detector's own thresholds. Intervals are 95 % bootstrap intervals by field.

    Parameters
    ----------
    detector : CellDetector
        What is measured.
    images : sequence of Path
        Pictures.
    read_boxes : callable
        Gives the boxes of a picture; see :func:`smearlab.evaluation.box_sets.open_box_set`.
    class_names : sequence of str
        Names that the box set has, also those that do not occur in these fields.
    groups : mapping of str to str, optional
        Name of a picture, with or without suffix → group; every group is measured apart too.
    jobs : int
        Threads.
    advance : callable
        Called after every field.
    resamples : int
        Of the bootstrap.

    Returns
    -------
    dict
        As :func:`smearlab.evaluation.box_figures.summarise`, and ``groups`` where asked for,
        ``settings``, ``errors``. Undefined figures are None.

    Raises
    ------
    UsageError
        If no field could be evaluated.
    UnknownNameError
        If a class name is not understood.
    """

    def look(image: Path) -> BoxedField:
        field = read_field(image)
        true = tuple(read_boxes(image, field))
        found = tuple(FoundBox.of(cell) for cell in detector.detect(field, MIN_SCORE))
        return BoxedField(image.name, found, true)

    judged_classes(class_names)  # a name that is not understood costs no waiting
    fields, bad = over_files(images, look, path_of=lambda p: p, jobs=jobs, advance=advance)
    if not fields:
        reason = f"; the first: {bad[0].reason}" if bad else ""
        raise UsageError(f"none of the {len(images)} fields could be evaluated{reason}")
    occurring = {box.name for field in fields for box in field.true}
    classes = judged_classes(sorted({*class_names, *occurring}))
    matches = {judged: match_class(fields, judged) for judged in classes}
    thresholds = detector.thresholds
    result = summarise(matches, thresholds, resamples)
    if groups is not None:
        result["groups"] = summarise_groups(
            matches, thresholds, [_group(field.name, groups) for field in fields], resamples
        )
    result["settings"] = {
        "iou": 0.5,
        "interpolation": "COCO, 101 recall points",
        "min_score": MIN_SCORE,
        "thresholds": dict(thresholds),
        "box_classes": sorted({*class_names, *occurring}),
        "resamples": resamples,
        "seed": SEED,
    }
    return dict(plain({**result, "errors": failures(bad)}))


def _group(name: str, groups: Mapping[str, str]) -> str:
    """Group of a picture by its name, or by its name without suffix."""
    return groups.get(name) or groups.get(Path(name).stem) or UNGROUPED
