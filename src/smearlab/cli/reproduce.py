"""``smearlab reproduce``: the papers' tables, reported beside obtained."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearlab.cli.plain_errors import said_plainly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smearlab.evaluation.reproductions import Record

_LIST, _REPORT = "list", "report"


def reproduce(
    name: Annotated[
        str,
        typer.Argument(help="An experiment, or 'list', or 'report'.", metavar="NAME|list|report"),
    ] = _LIST,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            envvar="SMEARLAB_DATA",
            help="A manifest, a folder with manifest.csv, or 'simulated'.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder of all experiments; they go on in it.")
    ] = Path("reproduced"),
    protocol: Annotated[
        str, typer.Option("--protocol", help="'honest', split by source and group, or 'paper'.")
    ] = "honest",
    scale: Annotated[
        str,
        typer.Option(
            "--scale", help="'smoke', two steps; 'cpu', what two cores do in hours; or 'paper'."
        ),
    ] = "cpu",
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            help="Recipe or element of the table that is trained; may be repeated.",
            show_default="all",
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", help="report: the page to write (OUT/index.html)."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Reproduce a paper's table: train, measure, print reported beside obtained.

    'smearlab reproduce list' shows every table that can be reproduced, the data it
    needs, and whether --data holds them. 'smearlab reproduce NAME' runs one; what
    was interrupted goes on. Its figures, with n, interval, data, deviations,
    hardware, time and commit, are kept in OUT/NAME/PROTOCOL-SCALE/record.json.
    With --only one part of a table is trained; what is trained already stays in it.
    'smearlab reproduce report' makes a page of all records in OUT.

    Needs the 'train' extra, except for 'report'.

    Example: smearlab reproduce list --data DIR

    Example: smearlab reproduce lwcnn --data DIR --scale cpu --out reproduced

    Example: smearlab reproduce report --out reproduced
    """
    with said_plainly():
        if name == _REPORT:
            _report(out, page)
            return
        try:
            import torch  # noqa: F401
        except ImportError:
            typer.echo("smearlab reproduce needs torch: install smearlab[train]", err=True)
            raise typer.Exit(2) from None
        if name == _LIST:
            _list(data)
            return
        _run(name, data, out, protocol, scale, tuple(only or ()), not quiet)


def _list(data: str | None) -> None:
    from rich.console import Console

    from smearlab.learn.reproduce.experiments import experiments_grid

    experiments_grid(data).show(Console())
    if data is None:
        typer.echo("Say --data DIR to see which data are here.")


def _run(
    name: str,
    data: str | None,
    out: Path,
    protocol: str,
    scale: str,
    only: tuple[str, ...],
    show: bool,
) -> None:
    from rich.console import Console

    from smearlab.errors import UsageError
    from smearlab.evaluation.reproduction_grids import record_grid
    from smearlab.evaluation.reproductions import RECORD
    from smearlab.learn.classifier_recipe import PROTOCOLS, Protocol
    from smearlab.learn.reproduce.experiment import SCALES, Asked, Scale
    from smearlab.learn.reproduce.experiments import EXPERIMENTS, folder_of
    from smearlab.learn.reproduce.experiments import reproduce as run
    from smearlab.registry import look_up

    experiment = look_up("experiment", EXPERIMENTS, name)
    protocols: dict[str, Protocol] = {one: one for one in PROTOCOLS}
    scales: dict[str, Scale] = {one: one for one in SCALES}
    split, size = look_up("protocol", protocols, protocol), look_up("scale", scales, scale)
    if data is None:
        raise UsageError("say what to learn from and measure on: --data DIR, or --data simulated")

    def say(line: str) -> None:
        typer.echo(line, err=True)

    asked = Asked(data, out, split, size, show, say, only)
    command = shlex.join(["smearlab", *sys.argv[1:]])
    try:
        record = run(experiment, asked, command)
    except FloatingPointError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
    record_grid(record).show(Console())
    for finding in record.findings:
        typer.echo(f"- {finding}")
    typer.echo(f"record: {folder_of(experiment, asked) / RECORD}")


def _report(out: Path, page: Path | None) -> None:
    from smearlab.errors import UsageError
    from smearlab.evaluation.reproductions import find_records

    records = find_records([out]) if out.is_dir() else []
    if not records:
        raise UsageError(
            f"{out} holds no record: run an experiment first (smearlab reproduce NAME --out {out})"
        )
    target = page or out / "index.html"
    _write_page(target, out, records)
    typer.echo(f"page: {target}")


def _write_page(target: Path, out: Path, records: Sequence[Record]) -> None:
    import os

    from smearlab.evaluation.reproduction_grids import title_of, wide_grids
    from smearlab.evaluation.reproductions import facts_of
    from smearlab.report.reproduction_page import ReproductionOnPage, write_reproduction_page

    shown = []
    for record in records:
        where = out / record.name / f"{record.protocol}-{record.scale}"
        shown.append(
            ReproductionOnPage(
                f"{record.name}-{record.protocol}-{record.scale}",
                title_of(record),
                wide_grids(record),
                facts_of(record),
                record.findings,
                [
                    Path(os.path.relpath(where / one, target.parent)).as_posix()
                    for one in record.pages
                ],
                _pictures(record, where),
            )
        )
    cautions = []
    smoke = [one.name for one in records if one.scale == "smoke"]
    if smoke:
        cautions.append(
            f"{', '.join(smoke)}: scale smoke, a few steps of training, which shows that all runs "
            "and nothing of what the networks can do."
        )
    if any(one.protocol == "paper" for one in records):
        cautions.append(
            "The paper's protocol does not keep pictures of one source or near-duplicates on one "
            "side, which flatters the figures."
        )
    cautions.append(
        "Reported figures come from the papers' own pictures; only where these are the same is "
        "the comparison exact."
    )
    write_reproduction_page(target, shown, cautions)


def _pictures(record: Record, folder: Path) -> dict[str, bytes]:
    """The record's pictures that are still there."""
    paths = [folder / page for page in record.pages if page.endswith((".png", ".webp"))]
    return {path.stem.replace("_", " "): path.read_bytes() for path in paths if path.is_file()}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reproduce")(reproduce)
