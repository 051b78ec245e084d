"""``smearlab data erythrocytes``: red cells cut out of pictures of other cells."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from smearlab.cli.data.terminal import SHOWN, Root, read
from smearlab.cli.plain_errors import said_plainly


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command("erythrocytes")(erythrocytes)


def erythrocytes(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="Manifest of the pictures to cut from.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the cells; goes on if begun.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many cells.")] = 1200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which pictures come first.")] = 1,
    dataset: Annotated[
        str, typer.Option("--dataset", help="Set to cut from, as the manifest calls it.")
    ] = "pbc",
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Cut from synthetic pictures, too.")
    ] = False,
    per_picture: Annotated[
        int, typer.Option("--per-picture", min=1, help="At most so many from one picture.")
    ] = 3,
    context: Annotated[
        float, typer.Option("--context", help="Side of the cut over the cell's, 1 to 4.")
    ] = 1.2,
    data: Root = None,
    segmenter: Annotated[
        str, typer.Option("--segmenter", help="Segmenter: a shipped name or a bundle folder.")
    ] = "default",
) -> None:
    """Cut whole red cells out of pictures that were taken of other cells.

    The Barcelona set has eight types; its pictures show red cells around them.
    The segmenter finds and splits them; those that are whole, alone, and of the
    size and roundness usual in their picture are cut out. Pictures go to
    DIR/images, masks (128 the cell) to DIR/masks, and DIR/manifest.parquet has
    a row a cell with the group, the split and the fold of the picture it came
    from, so that no split parts them. Interrupted, the same command goes on.

    Exit status: 0 all well, 1 pictures could not be read (they are listed) or
    gave fewer cells than asked for, 2 the call was wrong.

    Example: smearlab data erythrocytes pbc.parquet --out erythrocytes --n 1200
    --seed 1
    """
    from smearlab.batch.workers import usable_cores
    from smearlab.datasets.erythrocytes import cut_erythrocytes
    from smearlab.datasets.whole_red_cells import CutRules
    from smearlab.pipeline import Analyzer

    with said_plainly():
        rules = CutRules(per_picture=per_picture, context=context)
        table = read(manifest, data)
        analyzer = Analyzer.load(segmenter, None, threads=usable_cores())
        with _bar(n) as advance:
            report = cut_erythrocytes(
                table,
                out,
                n,
                seed,
                analyzer,
                dataset=dataset,
                synthetic=synthetic,
                rules=rules,
                advance=advance,
            )
    found = len(report.manifest)
    typer.echo(f"{found} red cells of {report.n_pictures} pictures: {out / 'manifest.parquet'}")
    problems = list(report.problems.values())
    for problem in problems[:SHOWN]:
        typer.echo(problem, err=True)
    if len(problems) > SHOWN:
        typer.echo(
            f"… and {len(problems) - SHOWN} more pictures; see {out / 'cut.jsonl'}", err=True
        )
    if found < n:
        typer.echo(
            f"{n} were asked for; these pictures have no more: raise --per-picture", err=True
        )
    if problems or found < n:
        raise typer.Exit(1)


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A bar of cells with the time left, on the error stream."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("red cells"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("red cells", total=total)
        yield lambda done: bar.update(task, completed=done)
