"""What the commands on manifests have in common: arguments, refusals, tables, progress."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from smearlab.datasets.manifest.table import Manifest

Table = Annotated[Path, typer.Argument(metavar="IN", help="Manifest, .parquet or .csv.")]
Out = Annotated[Path, typer.Option("--out", help="Manifest to write, .parquet or .csv.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what --out names.")]
Root = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the pictures, if not where the manifest says."),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", min=1, help="Pictures at a time.", show_default="one a core"),
]
#: Lines of a long list that are printed.
SHOWN = 20


def read(path: Path, root: Path | None = None) -> Manifest:
    from smearlab.datasets.manifest.table import read_manifest

    return read_manifest(path, root)


def write(path: Path, manifest: Manifest) -> None:
    from smearlab.datasets.manifest.table import write_manifest

    write_manifest(path, manifest)
    typer.echo(f"{len(manifest)} rows: {path}")


def refuse_existing(
    path: Path, force: bool, inputs: list[Path], suffixes: tuple[str, ...] = (".parquet", ".csv")
) -> None:
    """Refuse an output before the work, not after."""
    from smearlab.errors import UsageError

    if path.suffix not in suffixes:
        raise UsageError(f"{path} must end in {' or '.join(suffixes)}")
    if path.resolve() in [one.resolve() for one in inputs]:
        raise UsageError(f"{path} is read as well; write to another file")
    if path.exists() and not force:
        raise UsageError(f"{path} exists; name another file, or replace it with --force")


def note_unsought(manifest: Manifest) -> None:
    """Say so where copies could be on two sides of a split because nobody looked for them."""
    from smearlab.datasets.manifest.leaks import duplicates_sought

    if not duplicates_sought(manifest):
        typer.echo(
            "note: nobody has looked for near-duplicates among these rows; smearlab data "
            "duplicates does, before the split"
        )


def names_in(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def print_table(heads: list[str], cells: list[list[Any]], left: int) -> None:
    """A table on the output; all columns from the ``left``-th on are numbers."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=box.SIMPLE_HEAD)
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place < left else "right", overflow="fold")
    for line in cells:
        table.add_row(*(Text(str(cell)) for cell in line))
    Console().print(table)


@contextlib.contextmanager
def progress(unit: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with the time left, on the error stream."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(unit, total=total)
        yield lambda: bar.advance(task)
