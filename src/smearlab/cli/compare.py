"""``smearlab compare``: trained classifiers in one table, beside what their papers report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smearlab.cli.plain_errors import said_plainly
from smearlab.cli.result_files import refuse_unwritable, write_figures

_KINDS = (".html", ".json", ".md")


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders that smearlab train wrote; of folds, the one above them."),
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            help="Write the tables to this file, too; its ending says how: .md, .json or .html. "
            "May be repeated.",
        ),
    ] = None,
    tests: Annotated[
        bool,
        typer.Option(
            "--tests/--no-tests",
            help="Test whether the best is better than each other by more than chance. Without, "
            "the runs may have been tested on different pictures.",
        ),
    ] = True,
) -> None:
    """Compare trained classifiers: reported beside obtained, size, cost, significance.

    One row a run: accuracy, precision, recall and F1 with their intervals and
    beside them what the paper reports; parameters, multiply-accumulate steps,
    size of the exported bundle, training time and pictures per second. The best
    run is tested against every other on the same pictures: paired bootstrap by
    group and the exact McNemar test, raised after Holm.

    Exit status: 0 all well, 2 the call was wrong, a run is not finished, or the
    runs know different classes or were tested on different pictures.

    Example: smearlab compare runs/lwcnn runs/w_net --out table.md --out table.html
    """
    from rich.console import Console

    from smearlab.errors import UsageError
    from smearlab.evaluation.comparison import compare_runs
    from smearlab.evaluation.comparison_grids import comparison_grids
    from smearlab.evaluation.tested_runs import open_runs
    from smearlab.io.atomic import write_text

    with said_plainly():
        files = list(out or [])
        for file in files:
            if file.suffix.lower() not in _KINDS:
                raise UsageError(
                    f"--out {file}: the ending says what is written; choose one of "
                    f"{', '.join(_KINDS)}"
                )
            refuse_unwritable({"--out": file})
        result = compare_runs(open_runs(runs), tests=tests)
        grids = comparison_grids(result)
        console = Console()
        for grid in grids:
            grid.show(console)
        for file in files:
            kind = file.suffix.lower()
            if kind == ".json":
                write_figures(file, result)
                continue
            if kind == ".md":
                write_text(file, "\n".join(grid.markdown() for grid in grids))
            else:
                from smearlab.report.comparison_page import write_comparison_page

                write_comparison_page(file, result, grids)
            typer.echo(f"table: {file}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(compare)
