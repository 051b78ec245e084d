"""``smearlab data segment``: pictures of a manifest with nothing but one element."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearlab.cli.data.terminal import SHOWN, Root, Threads, progress, read
from smearlab.cli.plain_errors import said_plainly

if TYPE_CHECKING:
    from smearlab.datasets.segmented_manifest import SegmentReport


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command("segment")(segment)


def segment(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="Manifest of the pictures to segment.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the pictures; goes on if begun.")],
    element: Annotated[
        str,
        typer.Option("--element", metavar="rbc|wbc|plt|all", help="What the new pictures show."),
    ] = "wbc",
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="NAME|FOLDER",
            help="A shipped segmenter, a bundle folder, a folder with bundles in rbc, wbc and "
            "plt, or the name of one of these in $SMEARLAB_MODELS.",
        ),
    ] = "default",
    central: Annotated[
        bool, typer.Option("--central", help="Only the cell in the middle; leave out neighbours.")
    ] = False,
    keep_whole: Annotated[
        bool,
        typer.Option("--keep-whole", help="Keep pictures without the element, as they are."),
    ] = False,
    data: Root = None,
    threads: Threads = None,
) -> None:
    """Segment every picture of a manifest: the element's own pixels on black.

    Writes to DIR the pictures, in the folder images, and DIR/manifest.parquet,
    where labels, groups, sources, patients and splits are those of the given
    manifest. Pictures in which the element is not found are listed and left
    out, or kept whole. Interrupted, the same command goes on.

    Exit status: 0 all well, 1 some pictures could not be read (they are
    listed), 2 the call was wrong, or no picture is left.

    Example: smearlab data segment pbc.parquet --element wbc --central --out
    pbc-white-cells
    """
    import cv2

    from smearlab.batch.workers import usable_cores
    from smearlab.datasets.segmented_manifest import segment_manifest
    from smearlab.elements.models import find_model, read_elements
    from smearlab.elements.segmenter import ElementSegmenter

    with said_plainly():
        table = read(manifest, data)
        found = find_model(model)
        elements = read_elements([element], found)
        cv2.setNumThreads(1)  # the cores belong to the pictures that are segmented side by side
        with progress("pictures", len(table)) as advance:
            report = segment_manifest(
                table,
                out,
                ElementSegmenter(found, elements),
                elements,
                central=central,
                keep_whole=keep_whole,
                threads=threads or usable_cores(),
                advance=advance,
            )
    _say(report, out, keep_whole)
    if report.problems:
        raise typer.Exit(1)


def _say(report: SegmentReport, out: Path, keep_whole: bool) -> None:
    """What was made, and every picture that is missing or whole."""
    typer.echo(f"{len(report.manifest)} segmented pictures: {out / 'manifest.parquet'}")
    if report.not_found:
        what = "kept whole" if keep_whole else "left out"
        typer.echo(f"{len(report.not_found)} show no such cell and were {what}:", err=True)
        _list([f"not found: {path}" for path in report.not_found], out)
    _list(list(report.problems.values()), out)


def _list(lines: list[str], out: Path) -> None:
    for line in lines[:SHOWN]:
        typer.echo(line, err=True)
    if len(lines) > SHOWN:
        typer.echo(f"… and {len(lines) - SHOWN} more; see {out / 'segmented.jsonl'}", err=True)
