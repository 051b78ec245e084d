"""The pictures of a few-shot run: common types whole, rare ones held down to a few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from smearlab.batch.workers import usable_cores
from smearlab.datasets.simulated_files import DATASET as SIMULATED
from smearlab.errors import DataError, UnknownNameError, UsageError
from smearlab.learn.few_shot_recipe import FewShotRecipe, RareTypes
from smearlab.learn.manifest_samples import ManifestSamples, rows_of_split
from smearlab.learn.picture_cache import PictureCache
from smearlab.learn.run_asked import Asked, crops_of, splits_of
from smearlab.learn.split_protocols import SplitPictures
from smearlab.learn.train.sampling import Sample, SampleSource

#: In the place of a recipe's numbers where pictures are simulated: there are a few of each type.
_SIMULATED_SHOTS = 2


@dataclass(frozen=True, eq=False)
class FewShotPictures:
    """What there is to learn from.

    Parameters
    ----------
    split : SplitPictures
        All pictures with their parts; of rare types, the training part has the drawn ones alone.
    common : tuple of str
        The types that are not rare.
    """

    split: SplitPictures
    common: tuple[str, ...]

    def rows(self, types: Sequence[str]) -> NDArray[np.intp]:
        """Training pictures of some types, none of them synthetic."""
        there = self.split.manifest
        rows = rows_of_split(there, "train")
        real = ~there.column("synthetic")[rows].astype(bool)
        kept: NDArray[np.intp] = rows[real & np.isin(there.column("type")[rows], list(types))]
        return kept


def few_shot_pictures(recipe: FewShotRecipe, asked: Asked) -> tuple[FewShotPictures, FewShotRecipe]:
    """The pictures of a recipe, shared out by the protocol, rare types held down.

    Parameters
    ----------
    recipe : FewShotRecipe
    asked : Asked

    Returns
    -------
    FewShotPictures
    FewShotRecipe
        The same, with smaller numbers of shots where pictures are simulated.

    Raises
    ------
    UnknownNameError
        If no picture shows a rare type.
    DataError
        If a rare type has fewer training pictures than are to be drawn; see also
        :func:`smearlab.learn.run_asked.splits_of`.
    UsageError
        If no type is left that is common, and the recipe begins with those.
    """
    (split,) = splits_of(recipe, asked)
    for name in recipe.rare.types:
        if name not in split.classes:
            raise UnknownNameError("rare type", name, split.classes)
    if (split.manifest.column("dataset") == SIMULATED).all():
        recipe = _for_simulated(recipe)
    split = held_down(split, recipe.rare)
    common = tuple(name for name in split.classes if name not in recipe.rare.types)
    if recipe.begin != "none" and not common:
        raise UsageError(f"{recipe.name} begins with common types, and all are rare: name fewer")
    return FewShotPictures(split, common), recipe


def held_down(split: SplitPictures, rare: RareTypes) -> SplitPictures:
    """Keep a few training pictures of rare types, drawn by the seed; each type for itself.

    Fewer are always among more. Other types and the parts that are held out stay whole.

    Parameters
    ----------
    split : SplitPictures
    rare : RareTypes

    Raises
    ------
    DataError
        If there are fewer than asked for; names the type and both numbers.
    """
    manifest = split.manifest
    types, synthetic = manifest.column("type"), manifest.column("synthetic").astype(bool)
    trained = manifest.column("split") == "train"
    keep = np.ones(len(manifest), bool)
    for name, number in rare.kept.items():
        rows = np.flatnonzero(trained & ~synthetic & (types == name))
        if len(rows) < number:
            raise DataError(
                f"{name} has {len(rows)} training pictures, fewer than the {number} shots that "
                "are asked for: give more, or ask for fewer with --set rare.pictures=(…)"
            )
        keep[trained & (types == name)] = False
        drawn = np.random.default_rng([rare.seed, *name.encode()]).permutation(rows)
        keep[drawn[:number]] = True
    return replace(split, manifest=manifest.take(keep).noted("held down", pictures=rare.kept))


def _for_simulated(recipe: FewShotRecipe) -> FewShotRecipe:
    few = tuple(min(number, _SIMULATED_SHOTS) for number in recipe.rare.pictures)
    shots = min(recipe.meta.shots, _SIMULATED_SHOTS)
    return replace(
        recipe,
        rare=replace(recipe.rare, pictures=few),
        meta=replace(recipe.meta, shots=shots),
    )


class FewShotSamples:
    """Makes samples of types; decoded pictures are kept once for all.

    Parameters
    ----------
    recipe : FewShotRecipe
    pictures : FewShotPictures
    cache_bytes : int
        Decoded pictures that are kept in memory at most.
    """

    def __init__(self, recipe: FewShotRecipe, pictures: FewShotPictures, cache_bytes: int) -> None:
        self.recipe, self.pictures = recipe, pictures
        self._crops = crops_of(pictures.split.manifest, recipe)
        self._cache = PictureCache(cache_bytes)

    def of(self, types: Sequence[str]) -> ManifestSamples:
        """Samples of the training pictures of some types, which are decoded now."""
        samples = ManifestSamples(
            self.pictures.split.manifest,
            tuple(types),
            self.recipe.view,
            rows=self.pictures.rows(types),
            crops=self._crops,
            cache=self._cache,
        )
        samples.keep(threads=usable_cores())
        return samples


def shots_of(samples: ManifestSamples) -> Tensor:
    """All pictures of samples as they are, uint8 (K, 3, S, S)."""
    still, rng = samples.without_augmentation(), np.random.default_rng(0)  # nothing is drawn
    pixels = [still.sample(n, rng)["pixels"] for n in range(len(still))]
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()


class Repeated:
    """A few samples as a long epoch: so often that it has the steps that are wanted.

    Parameters
    ----------
    samples : SampleSource
    length : int
        Of an epoch.
    """

    def __init__(self, samples: SampleSource, length: int) -> None:
        self.samples, self.length = samples, length

    def __len__(self) -> int:
        return self.length

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """Sample ``index``, counted round and round."""
        return self.samples.sample(index % len(self.samples), rng)

    def describe(self, index: int) -> str:
        """Row and file of a sample, for messages."""
        described: str = getattr(self.samples, "describe", str)(index % len(self.samples))
        return described
