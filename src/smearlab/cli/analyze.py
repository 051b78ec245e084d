"""``smearlab analyze``: a folder of smear pictures in, counts and pictures to check them out."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearlab.cli.long_work import long_work, shown_progress

if TYPE_CHECKING:
    from smearlab.batch.run import FieldAnalyzer, RunResult

    #: From the names of a segmenter and a classifier to what analyses fields.
    Load = Callable[[str, str], FieldAnalyzer]


class Export(StrEnum):
    """Annotation formats."""

    GEOJSON = "geojson"
    COCO = "coco"
    VOC = "voc"
    YOLO = "yolo"


Paths = Annotated[
    list[str], typer.Argument(metavar="PATH...", help="Pictures, folders of pictures, or patterns.")
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for all results.")]
UmPerPx = Annotated[
    float | None,
    typer.Option(
        "--um-per-px",
        help="Width of a pixel in micrometres, for all pictures. Without it the files' own "
        "resolution is used, and where there is none lengths stay in px.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", min=1, help="Fields at a time.", show_default="one a core"),
]
Exports = Annotated[
    list[Export] | None,
    typer.Option(
        "--export",
        help="Also write annotations to DIR/annotations: geojson (QuPath), coco, voc, yolo. "
        "May be given several times.",
        show_default=False,
    ),
]
_BUNDLE = "a shipped name, a bundle folder, or a name in $SMEARLAB_MODELS."
Segmenter = Annotated[str, typer.Option("--segmenter", help=f"Segmenter: {_BUNDLE}")]
Classifier = Annotated[str, typer.Option("--classifier", help=f"Classifier: {_BUNDLE}")]
Stain = Annotated[
    str | None,
    typer.Option(
        "--stain",
        metavar="MODEL",
        help="Put each field into another stain before anything is looked for: a file of smearlab "
        "stain fit, a stain bundle, or the name of either. Pictures show the field as it was.",
        show_default=False,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Begin anew where DIR holds the results of another run. Removes only what smearlab "
        "wrote there. The same run is always continued.",
    ),
]
Simulated = Annotated[
    bool, typer.Option("--simulated", help="Say in the report that the pictures are simulated.")
]
Overlays = Annotated[
    bool,
    typer.Option("--overlays/--no-overlays", help="Write each field with its cells outlined."),
]
MaxPixels = Annotated[
    int, typer.Option("--max-pixels", min=1, help="Refuse larger pictures, as likely bombs.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def register(app: typer.Typer, load: Load | None = None) -> None:
    """Add the command to the application.

    Parameters
    ----------
    app : typer.Typer
        The application.
    load : callable, optional
        Makes the analyser; by default that of the bundles.
    """

    @app.command("analyze")
    def analyze(
        paths: Paths,
        out: Out,
        um_per_px: UmPerPx = None,
        jobs: Jobs = None,
        export: Exports = None,
        segmenter: Segmenter = "default",
        classifier: Classifier = "default",
        stain: Stain = None,
        force: Force = False,
        simulated: Simulated = False,
        overlays: Overlays = True,
        max_pixels: MaxPixels = 200_000_000,
        quiet: Quiet = False,
    ) -> None:
        """Find, split, type and count the cells of smear pictures.

        Writes to DIR: report.html (open it in a browser), counts.json, cells.csv, errors.csv and
        the outlined fields in overlays. Ctrl-C or a crash loses at most the fields in hand: the
        same command goes on from there, with the same result.

        A picture that cannot be read costs only itself. Exit status: 0 all well, 1 some pictures
        failed or the results could not be written, 2 usage, 130 Ctrl-C.

        Example: smearlab analyze slides/*.jpg --out results --um-per-px 0.1 --export geojson
        """
        with long_work():
            from smearlab.batch.run import RunOptions, analyze_files

            options = RunOptions(
                um_per_px=um_per_px,
                max_pixels=max_pixels,
                overlays=overlays,
                simulated=simulated,
                exports=tuple(dict.fromkeys(str(form) for form in export or ())),
                jobs=jobs,
            )
            analyzer = (load or _load)(segmenter, classifier)
            if stain is not None:
                analyzer = _in_stain(analyzer, stain)
            with shown_progress(quiet) as progress:
                result = analyze_files(
                    paths, out, analyzer, options, force=force, progress=progress
                )
            if not quiet:
                _print_result(result)
        raise typer.Exit(1 if result.errors else 0)


def _load(segmenter: str, classifier: str) -> FieldAnalyzer:
    """The analyser of the bundles, made to be shared by threads."""
    import cv2

    from smearlab.pipeline import Analyzer

    cv2.setNumThreads(1)  # the cores belong to the fields that are analysed side by side
    return Analyzer.load(segmenter, classifier, threads=1)


def _in_stain(analyzer: FieldAnalyzer, stain: str) -> FieldAnalyzer:
    """The analyser behind a normaliser."""
    from smearlab.batch.normalised_fields import NormalisedFields
    from smearlab.stain.models import load_normaliser

    return NormalisedFields(analyzer, load_normaliser(stain))


def _print_result(result: RunResult) -> None:
    """The counts as a table, and where everything lies."""
    from rich.console import Console

    from smearlab.batch.summary import summary_table

    console = Console()
    n_done = result.n_inputs - len(result.errors)
    if n_done:
        console.print(summary_table(result.pooled))
    if result.untouched and result.n_before == n_done:
        typer.echo("Everything was done before; nothing was written anew.")
    if result.errors:
        typer.echo(
            f"{len(result.errors)} of {result.n_inputs} files failed: "
            f"{result.folder / 'errors.csv'}"
        )
    typer.echo(f"Report: {result.report}")
