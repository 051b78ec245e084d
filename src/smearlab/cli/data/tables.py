"""``smearlab data merge, taxonomy, sample, quality, split, leaks, balance, show``: one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from smearlab.cli.data.balance import balance
from smearlab.cli.data.table_checks import leaks, quality
from smearlab.cli.data.terminal import (
    Force,
    Out,
    Table,
    names_in,
    note_unsought,
    print_table,
    read,
    refuse_existing,
    write,
)
from smearlab.cli.plain_errors import said_plainly


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    for name, command in (
        ("show", show),
        ("merge", merge),
        ("taxonomy", taxonomy),
        ("sample", sample),
        ("quality", quality),
        ("split", split),
        ("leaks", leaks),
        ("balance", balance),
    ):
        app.command(name)(command)


def show(
    table: Table,
    rows: Annotated[
        str, typer.Option("--rows", help="Columns that make the lines, with commas.")
    ] = "dataset,type",
    across: Annotated[
        str, typer.Option("--across", help="Column that makes the columns.")
    ] = "split",
    provenance: Annotated[
        bool, typer.Option("--provenance", help="Say what made the table, too.")
    ] = False,
) -> None:
    """Count the pictures of a manifest by dataset, type and split.

    A question mark stands for what is not known.

    Example: smearlab data show all.parquet --rows dataset,label --across fold
    """
    from smearlab.datasets.manifest.counts import counted

    with said_plainly():
        manifest = read(table)
        wanted = names_in(rows)
        columns, lines = counted(manifest, wanted, across)
        totals = [sum(counts) for counts in zip(*(c for _, c in lines), strict=True)]
        cells = [[*words, *counts, sum(counts)] for words, counts in lines]
        cells.append(["all", *[""] * (len(wanted) - 1), *totals, len(manifest)])
        print_table([*wanted, *columns, "all"], cells, len(wanted))
    if provenance:
        for line in manifest.provenance:
            typer.echo(_provenance_line(line))


def merge(
    tables: Annotated[list[Path], typer.Argument(metavar="IN...", help="Manifests.")],
    out: Out,
    force: Force = False,
) -> None:
    """Put several manifests into one table.

    Its data folder is the one that all theirs lie in. A row that is the same in
    two manifests is kept once; two rows for one file that differ are refused.

    Example: smearlab data merge pbc.parquet bccd.parquet --out all.parquet
    """
    from smearlab.datasets.manifest.merge import merged

    with said_plainly():
        refuse_existing(out, force, tables)
        done = merged([read(one) for one in tables], [str(one) for one in tables])
        write(out, done)


def taxonomy(
    table: Table,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="health2, maturity2, elements3, wbc4, wbc5, cells8, cells9 or cells12 (the "
            "thesis).",
        ),
    ],
    out: Out,
    drop_unmapped: Annotated[
        bool,
        typer.Option("--drop-unmapped", help="Drop rows whose kind the taxonomy leaves out."),
    ] = False,
    leave_out: Annotated[
        list[str] | None,
        typer.Option("--leave-out", help="Drop rows of this label; may be repeated."),
    ] = None,
    subtypes: Annotated[
        bool, typer.Option("--subtypes", help="Let the subtype decide where there is one.")
    ] = False,
    boxes: Annotated[
        bool, typer.Option("--boxes", help="Rename the labels of boxes to the types, too.")
    ] = False,
    force: Force = False,
) -> None:
    """Give every row its type.

    The labels of all archives are understood. A label without a type is an
    error that lists all such labels; kinds that a taxonomy leaves out on
    purpose, such as platelets in wbc5, go with --drop-unmapped.

    Example: smearlab data taxonomy all.parquet --to wbc5 --drop-unmapped --out five.parquet
    """
    from smearlab.datasets.manifest.taxonomy import typed

    with said_plainly():
        refuse_existing(out, force, [table])
        done = typed(
            read(table),
            to,
            drop_left_out=drop_unmapped,
            leave_out=leave_out or [],
            subtypes=subtypes,
            boxes=boxes,
        )
        changed = done.provenance[-1]["changed"]
        print_table(["type", "rows"], [[name, n] for name, n in changed["types"].items()], 1)
        if changed["dropped_rows"] or changed["dropped_labels"]:
            names = ", ".join(f"{n} {name}" for name, n in changed["dropped_labels"].items())
            typer.echo(f"dropped rows: {changed['dropped_rows']}; labels: {names}")
        write(out, done)


def sample(
    table: Table,
    at_most: Annotated[int, typer.Option("--at-most", min=1, help="Rows of each type.")],
    out: Out,
    by: Annotated[
        str, typer.Option("--by", help="Column whose values are the types, such as label.")
    ] = "type",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other rows.")] = 0,
    force: Force = False,
) -> None:
    """Draw fewer rows of each type: for a trial, or for what takes long a picture.

    Types with fewer rows keep all. Rows stay in their order; groups, splits and
    all else stay as they are.

    Example: smearlab data sample typed.parquet --at-most 400 --out fewer.parquet
    """
    from smearlab.datasets.manifest.sample import sampled

    with said_plainly():
        refuse_existing(out, force, [table])
        done = sampled(read(table), at_most, by=by, seed=seed)
        changed = done.provenance[-1]["changed"]
        cells = [[name, n] for name, n in changed["rows"].items()]
        print_table([by, "rows"], cells, 1)
        typer.echo(f"left out: {changed['left_out_rows']} rows")
        write(out, done)


def split(
    table: Table,
    out: Out,
    shares: Annotated[
        str | None,
        typer.Option("--shares", help="Percents of train/val/test or train/test, e.g. 70/10/20."),
    ] = None,
    val_of_train: Annotated[
        float,
        typer.Option("--val-of-train", help="With train/test: percent of train that validates."),
    ] = 0.0,
    folds: Annotated[
        int | None, typer.Option("--folds", help="Folds instead of shares, e.g. 5 or 10.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, another split.")] = 0,
    by: Annotated[
        str, typer.Option("--by", help="Columns whose values keep their shares, with commas.")
    ] = "type",
    force: Force = False,
) -> None:
    """Split a manifest so that nothing leaks.

    Rows of one group stay together, and so do rows with the same bytes, of the
    same source picture, or of the same patient. Every class keeps its share as
    nearly as the groups allow. Synthetic rows, and real ones tied to them, only
    train: they are in train, or in no fold.

    Example: smearlab data split all.parquet --shares 70/10/20 --seed 1 --out split.parquet
    """
    from smearlab.datasets.manifest.splits import Shares, hold_out, k_fold
    from smearlab.errors import UsageError

    with said_plainly():
        refuse_existing(out, force, [table])
        if (shares is None) == (folds is None):
            raise UsageError("name either --shares, e.g. 70/10/20, or --folds, e.g. 5")
        manifest = read(table)
        if folds is not None:
            done = k_fold(manifest, folds, seed=seed, by=names_in(by))
        else:
            asked = Shares.parse(str(shares), val_of_train)
            done = hold_out(manifest, asked, seed=seed, by=names_in(by))
        changed = done.provenance[-1]["changed"]
        counts = changed["counts"]
        parts = list(next(iter(counts.values()), {}))
        cells = [[name, *(line[part] for part in parts)] for name, line in counts.items()]
        print_table([by, *parts], cells, 1)
        typer.echo(f"off the ideal share by at most {changed['worst_rows_off']:g} rows")
        for column in names_in(by):
            if manifest.table.column(column).null_count == len(manifest):
                hint = "; smearlab data taxonomy gives types" if column == "type" else ""
                typer.echo(f"note: no row has a {column}, so no {column} keeps its share{hint}")
        note_unsought(manifest)
        write(out, done)


def _provenance_line(line: Any) -> str:
    import json

    arguments = json.dumps(line.get("arguments", {}), ensure_ascii=False)
    changed = json.dumps(line["changed"], ensure_ascii=False) if "changed" in line else ""
    return f"{line['operation']} {arguments} → {line.get('rows', '?')} rows {changed}".rstrip()
