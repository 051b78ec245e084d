"""``smearlab data quality`` and ``leaks``: what is wrong with the pictures, and with the split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearlab.cli.data.terminal import (
    SHOWN,
    Force,
    Out,
    Root,
    Table,
    Threads,
    note_unsought,
    print_table,
    progress,
    read,
    refuse_existing,
    write,
)
from smearlab.cli.plain_errors import said_plainly

if TYPE_CHECKING:
    from smearlab.datasets.manifest.leaks import Leak


def quality(
    table: Table,
    out: Out,
    flaws: Annotated[
        Path | None,
        typer.Option(
            "--flaws", help="CSV of what is left out and why.", show_default="OUT.flaws.csv"
        ),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option("--skip", help="Reason that does not count; may be repeated."),
    ] = None,
    data: Root = None,
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Look at every picture and mask; keep the rows without a flaw.

    Reasons: missing, unreadable, wrong-suffix, blank, changed-size,
    outlier-size, burnt-in-mark, mask. Every row left out is listed with its
    reason. No picture is deleted or changed.

    Example: smearlab data quality all.parquet --out good.parquet --skip wrong-suffix
    """
    import csv
    import io

    from smearlab.batch.workers import usable_cores
    from smearlab.datasets.manifest.quality import without_flaws
    from smearlab.io.atomic import open_atomic

    with said_plainly():
        listed = flaws or out.with_name(out.name + ".flaws.csv")
        refuse_existing(out, force, [table])
        refuse_existing(listed, force, [table, out], suffixes=(".csv",))
        manifest = read(table, data)
        with progress("pictures", len(manifest)) as advance:
            done, found = without_flaws(
                manifest, skip=skip or [], threads=threads or usable_cores(), advance=advance
            )
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["row", "path", "dataset", "reason", "detail"])
        for one in found:
            writer.writerow([one.row, one.path, one.dataset, one.reason, one.detail])
        cells = [[one.row, one.path, one.reason, one.detail] for one in found[:SHOWN]]
        if cells:
            print_table(["row", "path", "reason", "detail"], cells, 4)
        if len(found) > SHOWN:
            typer.echo(f"and {len(found) - SHOWN} more, all in {listed}")
        changed = done.provenance[-1]["changed"]
        reasons = ", ".join(f"{n} {name}" for name, n in changed["reasons"].items())
        typer.echo(f"left out: {changed['left_out_rows']} rows ({reasons or 'no flaw found'})")
        listed.parent.mkdir(parents=True, exist_ok=True)
        with open_atomic(listed, "w") as stream:  # stays away if the manifest cannot be written
            stream.write(text.getvalue())
            write(out, done)
        typer.echo(f"reasons: {listed}")


def leaks(
    table: Table,
    near: Annotated[
        bool, typer.Option("--near", help="Search for near-duplicates across sides, too.")
    ] = False,
    data: Root = None,
    threads: Threads = None,
) -> None:
    """Prove a split clean, or name what leaks.

    Looked for on both sides of splits and folds: the same group, the same
    bytes, the same picture of the same source, the same patient; and synthetic
    rows that do not train. What is in no name only the pictures tell: a note
    says whether duplicates were looked for before.

    Exit status: 0 clean, 1 something leaks (it is listed), 2 the call was wrong.

    Example: smearlab data leaks split.parquet
    """
    from smearlab.batch.workers import usable_cores
    from smearlab.datasets.manifest.leaks import across, find_leaks, sides

    unread = 0
    with said_plainly():
        manifest = read(table, data)
        found = find_leaks(manifest)
        if near:
            from smearlab.datasets.duplicates.finder import find_duplicates

            alike = find_duplicates(manifest, threads=threads or usable_cores())
            found += across(manifest, alike.groups)
            unread = len(alike.unreadable)
        checked = [column for column, _, _ in sides(manifest)]
        unset = int(manifest.table.column("split").null_count) if "split" in checked else 0
    if unset:
        typer.echo(f"note: {unset} of {len(manifest)} rows have no split and were not compared")
    if unread:
        typer.echo(f"note: {unread} pictures cannot be read; near-duplicates of them are not known")
    if not near:
        note_unsought(manifest)
    if not found:
        what = "ties or near-duplicates" if near else "ties"
        typer.echo(f"clean: no {what} across {' or '.join(checked)} in {len(manifest)} rows")
        return
    _print_leaks(found)
    raise typer.Exit(1)


def _print_leaks(found: tuple[Leak, ...]) -> None:
    """How many of each kind, and the first few of them."""
    from smearlab.datasets.manifest.ties import TIES

    totals: dict[tuple[str, str], int] = {}
    for leak in found:
        totals[leak.column, leak.tie] = totals.get((leak.column, leak.tie), 0) + 1
    for (column, tie), n in totals.items():
        typer.echo(f"{column}: {n} × {TIES.get(tie, tie)} on several sides")
    cells = [
        [
            *(leak.column, leak.tie, leak.key, ", ".join(leak.parts)),
            *(len(leak.rows), "\n".join(leak.paths[:3])),
        ]
        for leak in found[:SHOWN]
    ]
    print_table(["of", "tie", "what", "sides", "rows", "for example"], cells, 4)
    if len(found) > SHOWN:
        typer.echo(f"and {len(found) - SHOWN} more")
    if any(leak.tie == "ungrouped" for leak in found):
        typer.echo("group the copies with smearlab data duplicates, then split again")
