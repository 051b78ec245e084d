"""``smearlab evaluate``: how good models are on fields, masks and cells that you labelled."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smearlab.cli import evaluate_runs
from smearlab.cli.plain_errors import said_plainly
from smearlab.cli.result_files import refuse_unwritable, write_figures

if TYPE_CHECKING:
    from rich.table import Table

    from smearlab.evaluation.reference_masks import MaskKind
    from smearlab.pipeline import Analyzer


class BoxFormat(StrEnum):
    """Formats of boxes."""

    YOLO = "yolo"
    VOC = "voc"


class Elements(StrEnum):
    """Which found cells are compared."""

    RBC = "RBC"
    WBC = "WBC"
    PLT = "PLT"
    ALL = "all"


class MaskValues(StrEnum):
    """What the values of a mask mean."""

    AUTO = "auto"
    BINARY = "binary"
    NUCLEUS = "nucleus"
    INSTANCES = "instances"


class Border(StrEnum):
    """What becomes of cells at the edge of a field."""

    IGNORE = "ignore"
    COUNT = "count"


Json = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file, too.")]
Segmenter = Annotated[
    str, typer.Option("--segmenter", help="Segmenter: a shipped name or a bundle folder.")
]
Classifier = Annotated[
    str, typer.Option("--classifier", help="Classifier: a shipped name or a bundle folder.")
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", min=1, help="Pictures at a time.", show_default="one a core"),
]

_NOTES_SHOWN = 5

commands = typer.Typer(
    name="evaluate",
    help="Measure the models on pictures that you labelled: boxes, masks, or cells sorted into "
    "folders; or trained classifiers on the test pictures of their runs. Every figure comes with "
    "its 95 % interval. A first argument that is none of the commands is a run: smearlab evaluate "
    "RUN… is smearlab evaluate run RUN….",
    no_args_is_help=True,
    cls=evaluate_runs.RunsOrCommands,
)
commands.command(evaluate_runs.NAME)(evaluate_runs.run)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(commands, name="evaluate")


@commands.command("fields")
def fields(
    images: Annotated[Path, typer.Option("--images", help="Folder of pictures.")],
    boxes: Annotated[Path, typer.Option("--boxes", help="Folder of boxes, named alike.")],
    format: Annotated[BoxFormat, typer.Option("--format", help="How the boxes are written.")],
    classes: Annotated[
        Path | None,
        typer.Option(
            "--classes",
            help="YOLO only: file with one class name a line; without it, classes.txt beside the "
            "boxes or up to two folders above.",
        ),
    ] = None,
    json: Json = None,
    groups: Annotated[
        Path | None,
        typer.Option("--groups", help="CSV of picture,group: figures for each group, too."),
    ] = None,
    segmenter: Segmenter = "default",
    classifier: Classifier = "default",
    jobs: Jobs = None,
) -> None:
    """Measure finding and counting against boxes.

    AP50 and AP (IoU .50 to .95) as COCO defines them, precision and recall at
    IoU 0.5, and how far the counts are off, for red cells, nucleated cells
    (WBC) and platelets. Class names such as Platelets, leukocyte or neutrophil
    are understood. Nucleated types that the box set names are measured apart as
    well; where it names erythroblasts, they do not count as WBC.

    Exit status: 0 all well, 1 some files failed (they are listed), 2 the call
    was wrong.

    Example: smearlab evaluate fields --images val/images --boxes val/labels
    --format yolo --classes classes.txt --json fields.json
    """
    from smearlab.evaluation.box_sets import open_box_set, read_groups
    from smearlab.evaluation.fields import evaluate_fields
    from smearlab.evaluation.tables import fields_table

    with said_plainly():
        refuse_unwritable({"--json": json})
        box_set = open_box_set(images, boxes, format.value, classes)
        by_name = read_groups(groups) if groups is not None else None
        analyzer = _load(segmenter, classifier)
        with _progress("fields", len(box_set.images)) as advance:
            result = evaluate_fields(
                analyzer,
                box_set.images,
                box_set.read,
                class_names=box_set.class_names,
                groups=by_name,
                jobs=jobs or _cores(),
                advance=advance,
            )
        tables = [fields_table(result)]
        tables += [fields_table(part, name) for name, part in result.get("groups", {}).items()]
        _finish({**result, "notes": list(box_set.notes)}, analyzer, json, tables)


@commands.command("masks")
def masks(
    images: Annotated[Path, typer.Option("--images", help="Folder of pictures.")],
    masks: Annotated[Path, typer.Option("--masks", help="Folder of masks, named alike.")],
    json: Json = None,
    element: Annotated[
        list[Elements] | None,
        typer.Option(
            "--element", help="Found cells to compare; may be repeated.", show_default="all"
        ),
    ] = None,
    mask_kind: Annotated[
        MaskValues,
        typer.Option(
            "--mask-kind",
            help="binary: black and white; nucleus: 128 cytoplasm, 255 nucleus; instances: one "
            "value or colour a cell; auto: looks at each mask.",
        ),
    ] = MaskValues.AUTO,
    min_area: Annotated[
        int,
        typer.Option("--min-area", min=0, help="Specks of fewer px² are ignored on both sides."),
    ] = 30,
    border: Annotated[
        Border,
        typer.Option("--border", help="Cells cut by the edge of the field."),
    ] = Border.IGNORE,
    segmenter: Segmenter = "default",
    classifier: Classifier = "default",
    jobs: Jobs = None,
) -> None:
    """Measure outlines and splitting against masks.

    Pixel accuracy, precision, sensitivity, IoU and Dice; F1 of whole cells at
    IoU 0.5 and 0.75, panoptic quality, cells split and merged. Cells of
    black-and-white masks are 4-connected pieces. Public masks leave out many
    cells that the edge of the field cuts, so those are ignored unless you say
    --border count; the JSON holds the figures of both rules.

    Exit status: 0 all well, 1 some files failed (they are listed), 2 the call
    was wrong.

    Example: smearlab evaluate masks --images images --masks masks --json
    masks.json
    """
    from smearlab.evaluation.masks import MaskRules, evaluate_masks, find_masks
    from smearlab.evaluation.tables import masks_table
    from smearlab.types import ELEMENTS

    with said_plainly():
        refuse_unwritable({"--json": json})
        wanted = {one.value for one in element or [Elements.ALL]}
        rules = MaskRules(
            elements=tuple(e for e in ELEMENTS if e in wanted or "all" in wanted),
            kind=_kind(mask_kind),
            min_area_px=min_area,
            border=border.value,
        )
        pairs = find_masks(images, masks)
        analyzer = _load(segmenter, classifier)
        with _progress("fields", len(pairs)) as advance:
            result = evaluate_masks(analyzer, pairs, rules, jobs=jobs or _cores(), advance=advance)
        _finish(result, analyzer, json, [masks_table(result)])


@commands.command("cells")
def cells(
    images: Annotated[Path, typer.Option("--images", help="Folder of type folders.")],
    json: Json = None,
    segmenter: Segmenter = "default",
    classifier: Classifier = "default",
    jobs: Jobs = None,
) -> None:
    """Measure typing on pictures of single cells.

    The folders are called as archives call them: ig, NEUTROPHIL, Lymph, SNE,
    NRBC; a name that is no known type is refused, with a list of those that
    are. An unidentified answer counts as wrong; how many there were is said.
    Accuracy, balanced accuracy, precision, recall and F1 of each type, who was
    taken for whom, and how far confidence can be trusted.

    Exit status: 0 all well, 1 some files failed (they are listed), 2 the call
    was wrong.

    Example: smearlab evaluate cells --images cells/test --json cells.json
    """
    from smearlab.evaluation.cells import evaluate_cells, find_typed_pictures
    from smearlab.evaluation.tables import cells_tables

    with said_plainly():
        refuse_unwritable({"--json": json})
        _refuse_generated(images)
        pictures = find_typed_pictures(images)
        analyzer = _load(segmenter, classifier)
        with _progress("cells", len(pictures)) as advance:
            result = evaluate_cells(analyzer, pictures, jobs=jobs or _cores(), advance=advance)
        _finish(result, analyzer, json, cells_tables(result))


def _refuse_generated(images: Path) -> None:
    """Pictures of generators are known by the files beside them; without pyarrow there are none."""
    import importlib.util

    if importlib.util.find_spec("pyarrow") is not None:
        from smearlab.synthesis.pictures import refuse_generated

        refuse_generated(images)


def _kind(asked: MaskValues) -> MaskKind | None:
    """The kind of mask, None to look at each."""
    from smearlab.evaluation.reference_masks import MASK_KINDS

    return next((kind for kind in MASK_KINDS if kind == asked.value), None)


def _load(segmenter: str, classifier: str) -> Analyzer:
    from smearlab.pipeline import Analyzer

    return Analyzer.load(segmenter, classifier, threads=1)


def _cores() -> int:
    """Cores that this process may use."""
    import os

    with contextlib.suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _progress(unit: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with items per second and the time left, on the error stream."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Items per second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f} {unit}/s" if speed else f"– {unit}/s")

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(unit), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(unit, total=total)
        yield lambda: bar.advance(task)


def _finish(
    result: dict[str, Any], analyzer: Analyzer, path: Path | None, tables: Iterable[Table]
) -> None:
    """Print, write, and end with the status that fits."""
    from rich.console import Console

    models = {
        kind: {"name": bundle.name, "sha256": bundle.sha256}
        for kind, bundle in analyzer.bundles.items()
    }
    errors = result.pop("errors")
    whole = {**result, "models": models, "errors": errors}
    console = Console()
    for table in tables:
        console.print(table)
    notes = result.get("notes", [])
    for note in notes[:_NOTES_SHOWN]:
        typer.echo(f"note: {note}")
    if len(notes) > _NOTES_SHOWN:
        typer.echo(f"note: and {len(notes) - _NOTES_SHOWN} more, all in the file of --json")
    if path is not None:
        write_figures(path, whole)
    if errors:
        typer.echo(f"{len(errors)} files failed:", err=True)
        for one in errors:
            typer.echo(f"  {one['file']}: {one['reason']}", err=True)
        raise typer.Exit(1)
