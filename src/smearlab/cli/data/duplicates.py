"""``smearlab data duplicates``: which pictures of a manifest show the same cells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smearlab.cli.data.terminal import (
    SHOWN,
    Force,
    Out,
    Root,
    Threads,
    read,
    refuse_existing,
    write,
)
from smearlab.cli.plain_errors import said_plainly

if TYPE_CHECKING:
    from smearlab.datasets.duplicates.finder import Duplicates
    from smearlab.datasets.manifest.table import Manifest


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command("duplicates")(duplicates)


def duplicates(
    manifest: Annotated[Path, typer.Argument(help="Manifest, .parquet or .csv.")],
    out: Out,
    report: Annotated[
        Path | None, typer.Option("--report", help="Page with the pairs side by side, .html.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", help="Write pairs and groups to this file, too.")
    ] = None,
    data: Root = None,
    threshold: Annotated[
        float, typer.Option("--threshold", help="Least similarity of the fine detail, 0 to 1.")
    ] = 0.75,
    min_overlap: Annotated[
        float,
        typer.Option("--min-overlap", help="Least share of the smaller picture that both show."),
    ] = 0.2,
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Find pictures that show the same cells, and put them into one group.

    Exact copies; copies that were compressed anew, rescaled, turned, mirrored,
    cropped or made brighter or darker; photographs that overlap. Within and
    across datasets, by the pictures alone: names and labels are not looked at.
    Rows that shared a group still do. Nothing is deleted; a split by group then
    keeps all copies on one side.

    Exit status: 0 all well, 1 some files could not be read (they are listed),
    2 the call was wrong.

    Example: smearlab data duplicates all.parquet --out grouped.parquet
    --report duplicates.html
    """
    from smearlab.batch.workers import usable_cores
    from smearlab.datasets.duplicates.finder import apply, find_duplicates
    from smearlab.datasets.duplicates.page import write_page
    from smearlab.io.atomic import write_text

    with said_plainly():
        refuse_existing(out, force, [manifest])
        _refuse_missing_folders(report, json)
        table = read(manifest, data)
        found = find_duplicates(
            table, threshold=threshold, min_overlap=min_overlap, threads=threads or usable_cores()
        )
        _say(table, found)
        if report is not None:
            write_page(report, table, found)
        if json is not None:
            write_text(json, _as_json(table, found))
        write(out, apply(table, found))
    if found.unreadable:
        raise typer.Exit(1)


def _refuse_missing_folders(report: Path | None, json: Path | None) -> None:
    """Say before the long work, not after, that a result cannot be written."""
    from smearlab.errors import UsageError

    for option, path in (("--report", report), ("--json", json)):
        if path is not None and path.is_dir():
            raise UsageError(f"{option} {path} is a folder; name a file in it")
        if path is not None and not path.parent.is_dir():
            raise UsageError(
                f"{option} {path}: the folder {path.parent} is not there; make it first"
            )


def _as_json(table: Manifest, found: Duplicates) -> str:
    import json
    from dataclasses import asdict

    paths = table.column("path")

    def named(rows: Any) -> list[str]:
        return [paths[row] for row in rows]

    whole = {
        "settings": found.settings,
        "rows": len(table),
        "pairs": [
            {**asdict(pair), "first": paths[pair.first], "second": paths[pair.second]}
            for pair in found.pairs
        ],
        "groups": [named(rows) for rows in found.groups],
        "plain": named(found.plain),
        "unreadable": [{"path": paths[row], "reason": why} for row, why in found.unreadable],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _say(table: Manifest, found: Duplicates) -> None:
    listed = ", ".join(f"{n} {kind}" for kind, n in found.count().items())
    n_rows = sum(map(len, found.groups))
    typer.echo(
        f"{len(table)} pictures, {n_rows} of them in groups that show the same cells "
        f"({len(found.groups)}); links: {listed}"
    )
    if found.plain:
        typer.echo(f"{len(found.plain)} too plain to compare; only exact copies were looked for")
    for _, why in found.unreadable[:SHOWN]:
        typer.echo(f"not read: {why}", err=True)
    if len(found.unreadable) > SHOWN:
        typer.echo(f"not read: {len(found.unreadable) - SHOWN} more; see --json", err=True)
