"""``smearlab data list | info | fetch | import | check``: public sets, one adapter a set."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smearlab.cli.plain_errors import said_plainly

if TYPE_CHECKING:
    from smearlab.datasets.adapters.base import Adapter, Download
    from smearlab.datasets.adapters.download import Progress as Told
    from smearlab.datasets.adapters.reading import Reading

_SHOWN = 20

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a set; see data list.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the unpacked archive.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Threads.", show_default="one a core")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.command("list")(list_sets)
    app.command("info")(info)
    app.command("fetch")(fetch)
    app.command("import")(import_set)
    app.command("check")(check)


def list_sets() -> None:
    """List the sets that smearlab knows.

    Example: smearlab data list && smearlab data info pbc
    """
    from rich.console import Console
    from rich.table import Table

    from smearlab.datasets.adapters import describe
    from smearlab.datasets.adapters.registry import ADAPTERS

    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("pictures", justify="right")
    table.add_column("get", no_wrap=True)
    table.add_column("what")
    table.add_column("licence")
    for name, one in ADAPTERS.items():
        table.add_row(name, describe.pictures(one), describe.way(one), one.title, one.licence)
    Console().print(table)


def info(name: Name) -> None:
    """Tell all that is known of a set: layout, counts, licence, citation, traps.

    Example: smearlab data info pbc
    """
    from smearlab.datasets.adapters.describe import describe

    with said_plainly():
        for what, text in describe(_adapter(name)):
            typer.echo(f"{what}: {text}")


def fetch(
    name: Name,
    out: Annotated[Path, typer.Option("--out", help="New or empty folder for the set.")],
    url: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="Address of a mirror.")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", help="What the archive must have.")
    ] = None,
) -> None:
    """Download a set and unpack it. The only command that uses the network.

    Licence and citation are printed first. A download that was interrupted goes
    on where it stopped when the same command runs again. The archive's SHA-256
    is compared with the published one, or recorded in fetched.json where none
    is published. Sets that are given on request only say whom to ask.

    Example: smearlab data fetch pbc --out archives/pbc
    """
    from smearlab.datasets.adapters.fetching import fetch as fetch_set
    from smearlab.datasets.adapters.fetching import plan

    with said_plainly():
        adapter = _adapter(name)
        downloads = plan(adapter, url, sha256)
        typer.echo(f"licence: {adapter.licence}; may serve: {adapter.allowed}")
        for paper in adapter.citation:
            typer.echo(f"cite: {paper}")
        for file in downloads:
            typer.echo(f"download: {file.url}")
        with _bytes_bar() as bar:
            done = fetch_set(adapter, out, downloads, progress=bar)
        for one in done:
            how = "as expected" if one.verified else "none published to compare with; recorded"
            typer.echo(f"{one.size_bytes:,} bytes, sha256 {one.sha256} ({how})")
        typer.echo(f"{out}: {', '.join(item for one in done for item in one.names)}")
        typer.echo(f"next: smearlab data check {name} {out}")


def import_set(
    name: Name,
    folder: Folder,
    out: Annotated[
        Path, typer.Option("--out", help="The manifest to write: a .parquet or .csv file.")
    ],
    dataset: Annotated[
        str | None,
        typer.Option("--name", help="Only with 'folder': what to call your set in the manifest."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the manifest.")] = False,
    drop_masks: Annotated[
        bool,
        typer.Option("--drop-masks", help="Take pictures whose mask is wrong, without the mask."),
    ] = False,
    jobs: Jobs = None,
) -> None:
    """Write the manifest of a set: a row a picture, whatever the archive looks like.

    Every file is hashed and its size is read; the archive itself stays as it is.
    Pictures that cannot be read are listed and get no row. Where the mask of one
    cannot be read or has another size, nothing is written, but for --drop-masks.

    Exit status: 0 all well, 1 some pictures were left out or lost their mask
    (they are listed), 2 the call was wrong, the folder does not hold this set,
    or masks are wrong.

    Example: smearlab data import pbc archives/pbc --out pbc.parquet
    """
    import dataclasses

    from smearlab.errors import OutputExistsError, UsageError

    with said_plainly():
        adapter = _adapter(name)
        if dataset is not None:
            if name != "folder":
                raise UsageError(f"--name is for 'folder'; {name} has its name already")
            adapter = dataclasses.replace(adapter, name=dataset)
        if out.suffix not in (".parquet", ".csv"):
            raise UsageError(f"--out {out}: a manifest ends in .parquet or .csv")
        if out.exists() and not force:
            raise OutputExistsError(f"--out {out} exists; give --force to overwrite it")
        try:
            import pyarrow  # noqa: F401
        except ImportError as error:
            raise UsageError("manifests need pyarrow: install smearlab[data]") from error
        reading = _read(adapter, folder, jobs)
        wrong = {one.path for one in reading.problems if one.kind == "mask"}
        if wrong and not drop_masks:
            _list_problems(reading)
            raise UsageError(
                f"{len(wrong):,} pictures of {folder} have a wrong mask (listed above): nothing is "
                "written. Mend the masks, or give --drop-masks to take these pictures without them"
            )
        rows = [row | {"mask": None} if row["path"] in wrong else row for row in reading.rows]
        reading = dataclasses.replace(reading, rows=rows)
        _write(reading, out)
    _list_problems(reading)
    if any(one.kind != "suffix" for one in reading.problems):
        raise typer.Exit(1)


def check(
    name: Name,
    folder: Folder,
    decode: Annotated[
        bool, typer.Option("--decode", help="Decode every picture to its last pixel; slower.")
    ] = False,
    jobs: Jobs = None,
) -> None:
    """Compare a set with what was published of it.

    Counts of pictures, types, parts and boxes; pictures that cannot be read or
    have a wrong suffix; files that no rule of the set understands. Nothing is
    written.

    Exit status: 0 as published, 1 something differs or cannot be read, 2 the
    call was wrong, or the folder does not hold this set.

    Example: smearlab data check pbc archives/pbc
    """
    from rich.console import Console
    from rich.table import Table

    from smearlab.datasets.adapters.checking import FACETS, compare

    with said_plainly():
        adapter = _adapter(name)
        reading = _read(adapter, folder, jobs, decode)
        figures = compare(adapter, reading.rows)
    table = Table(box=None, pad_edge=False, title=f"{name}: {adapter.counts_from}")
    for column in ("what", "name"):
        table.add_column(column)
    for column in ("published", "found", "difference"):
        table.add_column(column, justify="right")
    for one in figures:
        published = "–" if one.published is None else f"{one.published:,}"
        gap = f"{one.found - one.published:+,}" if one.published is not None else "–"
        style = "red" if one.differs else None
        cells = (FACETS[one.facet], one.name, published, f"{one.found:,}", gap)
        table.add_row(*cells, style=style)
    Console().print(table)
    _list_problems(reading)
    different = sum(one.differs for one in figures)
    if different:
        typer.echo(f"{different} figures differ from the published ones", err=True)
    if different or any(one.kind != "suffix" for one in reading.problems):
        raise typer.Exit(1)
    typer.echo("as published" if adapter.published else "nothing is published to compare with")


def _adapter(name: str) -> Adapter:
    from smearlab.datasets.adapters.registry import ADAPTERS
    from smearlab.registry import look_up

    return look_up("data set", ADAPTERS, name)


def _read(adapter: Adapter, folder: Path, jobs: int | None, decode: bool = False) -> Reading:
    """Find and measure the pictures, with a bar on the error stream."""
    import os

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Left

    from smearlab.datasets.adapters.reading import measure, survey

    found = survey(adapter, folder)
    threads = jobs or os.cpu_count() or 1
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("pictures"), Left())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("pictures", total=len(found.found))
        return measure(found, jobs=threads, decode=decode, advance=lambda: bar.advance(task))


def _write(reading: Reading, out: Path) -> None:
    from smearlab.datasets.adapters.checking import count
    from smearlab.datasets.adapters.importing import to_manifest
    from smearlab.datasets.manifest.table import write_manifest
    from smearlab.errors import OutputError

    try:
        write_manifest(out, to_manifest(reading))
    except OSError as error:
        raise OutputError(f"--out {out} cannot be written: {error.strerror or error}") from error
    types = count(reading.rows)["types"]
    listed = ", ".join(f"{n:,} {name}" for name, n in types.items())
    typer.echo(f"{out}: {len(reading.rows):,} pictures{f' ({listed})' if listed else ''}")


def _list_problems(reading: Reading) -> None:
    """Say what is wrong with single files, a screenful of each kind."""
    kinds = {"mask": "wrong mask", "suffix": "wrong suffix"}
    lists: tuple[tuple[str, list[str]], ...] = (
        ("left out", [f"{one.path}: {one.reason}" for one in reading.lost]),
        *((what, _reasons(reading, kind)) for kind, what in kinds.items()),
        ("no rule understands", list(reading.survey.left)),
    )
    for what, items in lists:
        if items:
            typer.echo(f"{what}: {len(items):,} files", err=True)
            for item in items[:_SHOWN]:
                typer.echo(f"  {item}", err=True)
            if len(items) > _SHOWN:
                typer.echo(f"  and {len(items) - _SHOWN:,} more", err=True)


def _reasons(reading: Reading, kind: str) -> list[str]:
    return [f"{one.path}: {one.reason}" for one in reading.problems if one.kind == kind]


@contextlib.contextmanager
def _bytes_bar() -> Iterator[Callable[[Download], Told]]:
    """A bar with bytes, rate and time left for each file, on the error stream."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Left
    from rich.progress import TransferSpeedColumn as Speed

    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, Speed(), Left(), console=Console(stderr=True)) as bar:

        def of(file: Download) -> Told:
            task = bar.add_task(file.file_name, total=None)
            return lambda done, total: bar.update(task, completed=done, total=total)

        yield of
