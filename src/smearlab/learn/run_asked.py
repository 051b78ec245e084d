"""What is asked of a run beside its recipe, where it lies, and the pictures that it gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.leaks import duplicates_sought
from smearlab.datasets.manifest.table import Manifest
from smearlab.datasets.simulated_files import DATASET as SIMULATED
from smearlab.learn.classifier_recipe import OfPictures, PictureData, Protocol
from smearlab.learn.picture_sources import read_pictures, refuse_missing
from smearlab.learn.simulated_pictures import SOURCES
from smearlab.learn.split_protocols import (
    SplitPictures,
    cautions_of,
    chosen_folds,
    chosen_pictures,
    split_pictures,
)
from smearlab.synthesis.pictures import DATASET as GENERATED


@dataclass(frozen=True)
class Asked:
    """What is asked beside the recipe.

    Parameters
    ----------
    data : str
        See :func:`smearlab.learn.picture_sources.read_pictures`.
    out : Path
        Folder of the runs.
    protocol : {"paper", "honest"}
    weights : Path or None
        Weights that the body begins with.
    n_train : int or None
        Training pictures that are kept.
    cache_bytes : int
        Decoded pictures that are kept in memory at most.
    show : bool
        Whether to draw progress bars.
    say : callable
        Told in a line what goes on.
    folds : tuple of int
        Folds that are run, from 1; all if it is empty.
    lists : Path or None
        Folder where lists of pictures are kept, for runs of several folders; ``out`` if it is None.
    """

    data: str
    out: Path
    protocol: Protocol = "honest"
    weights: Path | None = None
    n_train: int | None = None
    cache_bytes: int = 4 << 30
    show: bool = True
    say: Callable[[str], None] = lambda line: None
    folds: tuple[int, ...] = ()
    lists: Path | None = None


def run_folder(recipe: OfPictures, asked: Asked, type_name: str | None = None) -> Path:
    """Where a recipe's run lies: ``OUT/RECIPE-PROTOCOL``.

    With ``-nN`` for a part of the pictures, and ``-TYPE`` for one type alone.
    """
    some = "" if asked.n_train is None else f"-n{asked.n_train}"
    part = "" if type_name is None else f"-{type_name.replace(' ', '_')}"
    return asked.out / f"{recipe.name}-{asked.protocol}{some}{part}"


def pictures_of(recipe: OfPictures, asked: Asked) -> Manifest:
    """All pictures of the sets that a recipe names, before any is chosen.

    Raises
    ------
    DataError
        If none of them is there.
    """
    pictures = read_pictures(
        asked.data,
        recipe.data.datasets,
        asked.out,
        lists=asked.lists,
        threads=usable_cores(),
        show=asked.show,
    )
    refuse_missing(pictures, recipe.data.datasets, asked.data, recipe.name)
    if asked.protocol == "honest" and not (is_simulated(pictures) or duplicates_sought(pictures)):
        asked.say(
            "near-duplicates have not been looked for among these pictures: smearlab data "
            "duplicates does"
        )
    return pictures


def splits_of(recipe: OfPictures, asked: Asked, *, generated: bool = False) -> list[SplitPictures]:
    """The pictures of a recipe, shared out by the protocol: one split, or one a fold.

    Of generated pictures see :func:`smearlab.learn.split_protocols.chosen_pictures`.

    Raises
    ------
    DataError
        If the pictures are not those that the recipe wants; see also
        :func:`smearlab.learn.split_protocols.split_pictures`.
    UsageError
        If a fold is asked for that there is not.
    """
    pictures = pictures_of(recipe, asked)
    data = used_data(recipe.data, pictures)
    chosen = chosen_pictures(pictures, data, generated=generated)
    for caution in cautions_of(chosen, data):
        asked.say(caution)
    splits = split_pictures(chosen, data, asked.protocol, asked.n_train)
    n_folds, splits = len(splits), chosen_folds(splits, asked.folds)
    sizes = {name: len(splits[0].part(name)) for name in ("train", "val", "test")}
    folds = f", fold {splits[0].fold} of {n_folds}" if splits[0].fold else ""
    asked.say(
        f"{recipe.name}: {len(chosen)} pictures of {len(splits[0].classes)} types; "
        f"{', '.join(f'{name} {n}' for name, n in sizes.items())}{folds}"
    )
    return splits


def used_data(data: PictureData, manifest: Manifest) -> PictureData:
    """As asked; of simulated pictures all, with their two origins in the place of real ones."""
    if not is_simulated(manifest):
        return data
    crossed = bool(data.train_on or data.test_on)
    return replace(
        data,
        datasets=(),
        origins=(),
        proportions={},
        train_on=SOURCES[:1] if crossed else (),
        test_on=SOURCES[1:] if crossed else (),
    )


def is_simulated(manifest: Manifest) -> bool:
    """Whether all pictures are drawn ones."""
    return bool((manifest.column("dataset") == SIMULATED).all())


def crops_of(manifest: Manifest, recipe: OfPictures) -> NDArray[np.intp]:
    """Side of the middle square that is shown of every row, px; 0 for the whole picture.

    Origins of another scale show as much more; simulated pictures and those of generators, which
    learned from such squares, are shown whole.

    Parameters
    ----------
    manifest : Manifest
    recipe : OfPictures
        Any that learns from single-cell pictures.
    """
    crops = [crop_of(name, recipe) for name in manifest.column("source")]
    whole = np.isin(manifest.column("dataset"), (SIMULATED, GENERATED))
    return np.where(whole, 0, np.array(crops, np.intp))


def crop_of(origin: str | None, recipe: OfPictures) -> int:
    """Side of the middle square that is shown of pictures of an origin, px; 0 for all of them."""
    if origin in SOURCES:
        return 0
    return round((recipe.view.crop_px or 0) * recipe.data.scales.get(str(origin), 1.0))
