"""``smearlab evaluate RUN…``: how good trained classifiers are on their test pictures."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from smearlab.cli.plain_errors import said_plainly
from smearlab.cli.result_files import refuse_unwritable, write_figures
from smearlab.errors import DataError, RunError, UsageError

if TYPE_CHECKING:
    from smearlab.evaluation.tested_runs import TestedRun
    from smearlab.report.run_page import RunOnPage, WrongPicture

NAME = "run"


class RunsOrCommands(TyperGroup):
    """A group whose first argument is a command, or else a run: then ``run`` is meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` before a run, and before options that no command precedes."""
        if args and self._means_a_run(ctx, args[0]):
            args = [NAME, *args]
        return list(super().parse_args(ctx, args))

    def _means_a_run(self, ctx: Any, first: str) -> bool:
        if first in self.commands or first in ctx.help_option_names:
            return False
        # A command with a slip of the pen is better answered by "No such command".
        slip = difflib.get_close_matches(first, self.commands, n=1)
        return not slip or Path(first).exists()


def run(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders that smearlab train wrote; of folds, the one above them."),
    ],
    json: Annotated[
        Path | None, typer.Option("--json", help="Write the figures and curves to this file, too.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a report with curves and pictures, one file."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Folder that the picture paths start from, where the pictures are no longer "
            "where the run found them. The report shows those that were answered worst, with "
            "Grad-CAM maps where torch is there.",
        ),
    ] = None,
    most_wrong: Annotated[
        int, typer.Option("--most-wrong", min=0, help="How many of these pictures.")
    ] = 24,
    grad_cam: Annotated[
        bool, typer.Option("--grad-cam/--no-grad-cam", help="Whether to make the maps.")
    ] = True,
) -> None:
    """Measure trained classifiers on the test pictures of their runs.

    Accuracy, balanced accuracy, precision, recall = sensitivity, specificity and
    F1 of each type and as means, areas under ROC curves, calibration before and
    after temperature scaling on the validation pictures, accuracy against
    coverage, folds and origins, beside the figures that the paper reports.
    The word run may be left out.

    Exit status: 0 all well, 2 the call was wrong or a run is not finished.

    Example: smearlab evaluate runs/lwcnn --json lwcnn.json --html lwcnn.html

    Example: smearlab evaluate run runs/lwcnn runs/w_net --html nets.html --data pbc
    """
    from rich.console import Console

    from smearlab.evaluation.run_figures import evaluate_run
    from smearlab.evaluation.run_grids import origins_grid, text_grids
    from smearlab.evaluation.tested_runs import open_runs

    with said_plainly():
        refuse_unwritable({"--json": json, "--html": html})
        _check_data(data, html)
        opened = open_runs(runs)
        console = Console()
        results = []
        for one in opened:
            result = evaluate_run(one, most_wrong=most_wrong)
            results.append(result)
            for grid in text_grids(result):
                grid.show(console)
        origins = origins_grid(results)
        if origins is not None:
            origins.show(console)
        if json is not None:
            write_figures(json, {"runs": results})
        if html is not None:
            from smearlab.report.run_page import write_run_page

            pages = [
                _page(one, result, data, grad_cam)
                for one, result in zip(opened, results, strict=True)
            ]
            write_run_page(html, pages, origins)
            typer.echo(f"report: {html}")


def _check_data(data: Path | None, html: Path | None) -> None:
    if data is None:
        return
    if html is None:
        raise UsageError("--data is for the pictures of the report; name its file with --html")
    if not data.is_dir():
        raise UsageError(f"--data {data} is no folder; name the one that picture paths start from")


def _page(run: TestedRun, result: dict[str, Any], data: Path | None, maps: bool) -> RunOnPage:
    """A run with its tables, training curves, and pictures where they can be had."""
    from smearlab.evaluation.run_grids import page_grids
    from smearlab.evaluation.training_log import training_curves
    from smearlab.report.run_page import RunOnPage
    from smearlab.report.wrong_pictures import read_wrong

    notes: list[str] = []
    pictures: Sequence[WrongPicture] = ()
    wrong = result["most_wrong"]
    folder = data or _pictures_of(run)
    there = folder is not None and any((folder / row["path"]).is_file() for row in wrong)
    if wrong and data is not None and not there:
        raise UsageError(
            f"none of the pictures of {run.name} is in {data}, not even {wrong[0]['path']}: "
            "name the folder that the picture paths start from"
        )
    if wrong and folder is not None and there:
        drawn: list[Any] | None = None
        if maps:
            drawn, why_not = _maps(run, wrong, folder)
            notes += why_not
        pictures = read_wrong(wrong, folder, drawn)
        notes.insert(0, _what_is_shown(drawn))
    elif wrong:
        notes.append("The pictures are not where the run found them: give their folder by --data.")
    curves = tuple(training_curves(folder) for folder in run.folders)
    return RunOnPage(result, page_grids(result), curves, pictures, notes)


def _pictures_of(run: TestedRun) -> Path | None:
    """Where the run found its pictures; None if it does not tell."""
    from smearlab.evaluation.runs import MANIFEST

    path = run.folders[0] / MANIFEST
    if not path.is_file():
        return None
    try:
        from smearlab.datasets.manifest.table import read_manifest
    except ImportError:  # the data extra is missing
        return None
    try:
        return read_manifest(path).root
    except DataError:
        return None


def _what_is_shown(drawn: Sequence[Any] | None) -> str:
    said = "Wrong answers, those first of which the network held the truth for least likely."
    if drawn is not None and any(one is not None for one in drawn):
        said += (
            " Left: the picture. Right: what the network saw, with its Grad-CAM map: red speaks "
            "most for the answer that it gave."
        )
    return said


def _maps(
    run: TestedRun, rows: Sequence[dict[str, Any]], data: Path
) -> tuple[list[Any] | None, list[str]]:
    """Grad-CAM maps, each by the network of its fold; or why there are none."""
    try:
        from smearlab.learn.gradcam import maps_of_run
    except ImportError:
        return None, ["No Grad-CAM maps: they need torch, in the train extra."]
    found: list[Any] = [None] * len(rows)
    try:
        for place, folder in enumerate(run.folders):
            mine = [number for number, row in enumerate(rows) if row["fold"] == place]
            if mine:
                drawn = maps_of_run(folder, [rows[number] for number in mine], data)
                for number, one in zip(mine, drawn, strict=True):
                    found[number] = one
    except (UsageError, RunError) as error:
        return None, [f"No Grad-CAM maps: {error}"]
    return found, []
