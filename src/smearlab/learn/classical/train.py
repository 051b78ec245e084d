"""A classical recipe as ``smearlab train`` runs it: the pictures of its data, one run a fold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from smearlab.batch.workers import usable_cores
from smearlab.errors import UsageError
from smearlab.evaluation.runs import SUMMARY
from smearlab.learn.classical.recipes import ClassicalRecipe
from smearlab.learn.classical.run import run_classical
from smearlab.learn.manifest_samples import Split, rows_of_split
from smearlab.learn.run_asked import Asked, crops_of, run_folder, splits_of

#: Folder of the features that are kept, beside the runs.
FEATURES_FOLDER = "features"


def train_classical(recipe: ClassicalRecipe, asked: Asked) -> Iterator[Path]:
    """Measure the pictures of a recipe once, and fit its classifier on every split.

    Parameters
    ----------
    recipe : ClassicalRecipe
        As it is or with overridden settings.
    asked : Asked
        ``weights`` and ``cache_bytes`` are for networks.

    Yields
    ------
    Path
        Each finished run: the recipe's folder, or its ``fold-1`` to ``fold-k`` one by one. Those
        that are done already are passed over.

    Raises
    ------
    UsageError
        If weights are given, or a run was begun with other settings or pictures; nothing is
        overwritten then.
    DataError
        If the pictures are not those that the recipe wants.
    ManifestError
        If a picture cannot be used.
    """
    if asked.weights is not None:
        raise UsageError(
            f"{recipe.name} has no network that could begin with {asked.weights}; leave --weights "
            "out"
        )
    run = run_folder(recipe, asked)
    names: tuple[Split, ...] = ("train", "val", "test")
    for split in splits_of(recipe, asked, generated=True):
        folder = run if split.fold is None else run / f"fold-{split.fold}"
        done = (folder / SUMMARY).is_file()
        with _progress(asked.show and not done, folder.name) as advance:
            run_classical(
                recipe,
                split.manifest,
                {name: rows_of_split(split.manifest, name) for name in names},
                folder,
                classes=split.classes,
                crops=crops_of(split.manifest, recipe),
                protocol=asked.protocol,
                fold=split.fold,
                folds=split.folds,
                jobs=usable_cores(),
                cache=asked.out / FEATURES_FOLDER,
                advance=advance,
            )
        if done:
            asked.say(f"{folder} is done")
        yield folder


@contextmanager
def _progress(show: bool, name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar over the pictures that are measured, on the error stream."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Left

    said = TextColumn("measuring {task.description}")
    columns = (said, BarColumn(), MofNCompleteColumn(), Left())
    with Progress(*columns, console=Console(stderr=True), disable=not show) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
