"""A balance plan carried out: pictures made, and added to the training part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from smearlab.datasets.manifest.balance import TypePlan, with_synthetic
from smearlab.datasets.manifest.fingerprints import LEARNED, learned_rows
from smearlab.datasets.manifest.table import Manifest
from smearlab.errors import ManifestError
from smearlab.synthesis.generator import Generator
from smearlab.synthesis.pictures import make_pictures


def chosen_by_plan(plans: Sequence[TypePlan], models: Sequence[Generator]) -> dict[str, Generator]:
    """The models that a plan means, where several make a type.

    Parameters
    ----------
    plans : sequence of TypePlan
    models : sequence of Generator

    Returns
    -------
    dict of str to Generator
        Type → the one model that makes it and is called as the plan's generator, or that name, a
        dash and more; types without such a model are left out.
    """
    chosen = {}
    for plan in plans:
        meant = [
            model
            for model in models
            if plan.to_make
            and plan.type in model.types
            and (model.name == plan.generator or model.name.startswith(f"{plan.generator}-"))
        ]
        if len(meant) == 1:
            chosen[plan.type] = meant[0]
    return chosen


def balanced(
    manifest: Manifest,
    plans: Sequence[TypePlan],
    makers: Mapping[str, Generator],
    pictures: str | Path,
    *,
    seed: int,
    threads: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> Manifest:
    """Make what a plan asks for, and add it to the training part.

    Parameters
    ----------
    manifest : Manifest
        That the plan is of.
    plans : sequence of TypePlan
        Of :func:`smearlab.datasets.manifest.balance.balance_plan`.
    makers : mapping of str to Generator
        Of every type of which pictures are to be made; see
        :func:`smearlab.synthesis.wanted.makers_of`.
    pictures : str or Path
        Folder for the pictures; an interrupted call goes on there.
    seed : int
    threads : int
        Files that are written at a time.
    advance : callable
        Called after every picture.

    Returns
    -------
    Manifest
        The given rows and the new ones, which are synthetic, in train and in no fold.

    Raises
    ------
    OutputExistsError
        If the folder holds something else, or pictures of other models or another seed.
    OutputError
        If the disk is too small or not writable.
    ManifestError
        If the manifest has some of these pictures already, or a model learned from pictures that
        it holds out.
    """
    _refuse_held_out(manifest, list(makers.values()))
    wanted = {plan.type: plan.to_make for plan in plans if plan.to_make}
    made = make_pictures(
        wanted,
        {kind: makers[kind] for kind in wanted},
        pictures,
        seed=seed,
        models=list(makers.values()),
        threads=threads,
        advance=advance,
    )
    there = {checksum: row for row, checksum in enumerate(manifest.column("sha256")) if checksum}
    for path, checksum in zip(
        made.wanted.column("path"), made.wanted.column("sha256"), strict=True
    ):
        if checksum in there:
            row = there[checksum]
            raise ManifestError(
                f"row {row + 1} ({manifest.column('path')[row]}) is {path} already; choose "
                "another seed and folder for further pictures"
            )
    return with_synthetic(manifest, made.wanted)


def _refuse_held_out(manifest: Manifest, models: Sequence[Generator]) -> None:
    """Before anything is made: such pictures could not be trained with beside this split."""
    told = [
        {"operation": LEARNED, "arguments": {"model": model.name, **model.card["learned_from"]}}
        for model in dict.fromkeys(models)
        if model.card.get("learned_from")
    ]
    learned, names = learned_rows(manifest, told)
    wrong = np.flatnonzero(learned & np.isin(manifest.column("split"), ("val", "test")))
    if wrong.size:
        row = int(wrong[0])
        raise ManifestError(
            f"{' and '.join(names)} learned from {wrong.size} pictures that this manifest holds "
            f"out, or from pictures tied to them, first {manifest.column('path')[row]} "
            f"({manifest.column('split')[row]}): train the generator with this split "
            "(--set data.split=given), or balance the table that it was trained on, "
            "RUN/manifest.parquet"
        )
