"""``smearlab data balance``: what it takes to even out the types, and pictures that do it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearlab.cli.data.terminal import (
    Force,
    Table,
    print_table,
    progress,
    read,
    refuse_existing,
    write,
)
from smearlab.cli.plain_errors import said_plainly

if TYPE_CHECKING:
    from smearlab.datasets.manifest.balance import BalanceRules, TypePlan
    from smearlab.datasets.manifest.table import Manifest
    from smearlab.synthesis.generator import Generator

_CHOICE = "--generate TYPE=MODEL"


def balance(
    table: Table,
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="Plan to write, .json; with --generate the manifest, .parquet or .csv."
        ),
    ],
    few_shot_below: Annotated[
        int,
        typer.Option(
            "--few-shot-below", min=0, help="Types with fewer pictures go to the few-shot GAN."
        ),
    ] = 100,
    target: Annotated[
        int | None,
        typer.Option("--target", min=1, help="Pictures a type.", show_default="the largest type's"),
    ] = None,
    generate: Annotated[
        list[str] | None,
        typer.Option(
            "--generate",
            metavar="[TYPE=]MODEL",
            help="Make the pictures, too: run or bundle of a generator, for all types that it "
            "makes or for one; may be repeated.",
        ),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            "--pictures",
            metavar="DIR",
            help="Folder for the pictures; goes on if begun.",
            show_default="the name of --out without its suffix",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other pictures.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of the real pictures, if the manifest is wrong."),
    ] = None,
    force: Force = False,
) -> None:
    """Plan how to even out the types of the training part, or do it.

    How many synthetic pictures each type needs and which generator makes them,
    as the thesis does: the few-shot GAN for rare types, C-WGAN-GP for the
    others, none for the largest. Beside it, class weights for those who would
    rather weigh: inverse frequency and effective number. Only real training
    pictures are counted; synthetic ones never leave train.

    With --generate the pictures are made, and --out is the manifest with them.

    Example: smearlab data balance split.parquet --out plan.json

    Example: smearlab data balance split.parquet --generate runs/c_wgan_gp-honest
    --generate basophil=runs/few_shot_gan-honest-basophil --out balanced.parquet
    """
    from smearlab.datasets.manifest.balance import BalanceRules, balance_plan
    from smearlab.errors import UsageError

    with said_plainly():
        suffixes = (".parquet", ".csv") if generate else (".json",)
        refuse_existing(out, force, [table], suffixes=suffixes)
        if not generate and pictures is not None:
            raise UsageError(f"--pictures {pictures} needs a model; name one with --generate MODEL")
        rules = BalanceRules(few_shot_below, target)
        manifest = read(table, data)
        plans = balance_plan(manifest, rules)
        _say(plans)
        if generate:
            folder = pictures or out.with_suffix("")
            write(out, _carried_out(manifest, plans, generate, folder, seed))
        else:
            _write_plan(out, table, rules, plans)


def _say(plans: Sequence[TypePlan]) -> None:
    cells = [
        [
            *(one.type, one.real, one.synthetic, one.to_make, one.generator),
            *(f"{one.weight_inverse:.3f}", f"{one.weight_effective:.3f}"),
        ]
        for one in plans
    ]
    heads = ["type", "real", "synthetic", "to make", "generator", "1/n", "effective"]
    print_table(heads, cells, 1)


def _write_plan(out: Path, table: Path, rules: BalanceRules, plans: Sequence[TypePlan]) -> None:
    import json
    from dataclasses import asdict

    from smearlab.io.atomic import write_text

    types = [asdict(one) for one in plans]
    plan = {"manifest": str(table), "rules": asdict(rules), "types": types}
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, json.dumps(plan, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    typer.echo(f"plan: {out}")


def _carried_out(
    manifest: Manifest, plans: Sequence[TypePlan], texts: Sequence[str], folder: Path, seed: int
) -> Manifest:
    """The pictures made, and the manifest with them."""
    from smearlab.batch.workers import usable_cores
    from smearlab.synthesis.balancing import balanced, chosen_by_plan
    from smearlab.synthesis.wanted import makers_of

    models, chosen = _models(texts, [plan.type for plan in plans])
    types = [plan.type for plan in plans if plan.to_make]
    chosen = {**chosen_by_plan(plans, models), **chosen}
    makers = makers_of(types, models, chosen, _CHOICE)
    with progress("pictures", sum(plan.to_make for plan in plans)) as advance:
        return balanced(
            manifest, plans, makers, folder, seed=seed, threads=usable_cores(), advance=advance
        )


def _models(
    texts: Sequence[str], types: Sequence[str]
) -> tuple[list[Generator], dict[str, Generator]]:
    """Those that are for all types, and those that are for one."""
    from smearlab.batch.workers import usable_cores
    from smearlab.errors import UnknownNameError, UsageError
    from smearlab.synthesis.generator import Generator

    models, chosen = [], {}
    for text in texts:
        kind, equals, name = text.partition("=")
        if equals and kind not in types and not Path(text).exists():
            raise UnknownNameError("type", kind, types)
        if not equals or kind not in types:
            models.append(Generator.load(text, usable_cores()))
        elif kind in chosen:
            raise UsageError(f"--generate names a model of {kind} twice; name one")
        else:
            chosen[kind] = Generator.load(name, usable_cores())
    return models, chosen
