"""Pictures of two stains for a network that leads from one to the other: chosen, split, refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.merge import merged
from smearlab.datasets.manifest.table import Manifest
from smearlab.datasets.manifest.ties import units
from smearlab.errors import DataError, UnknownNameError
from smearlab.learn.classifier_run import evenly
from smearlab.learn.manifest_samples import ManifestSamples, Split, rows_of_split
from smearlab.learn.picture_cache import PictureCache
from smearlab.learn.run_asked import Asked, crops_of, is_simulated, pictures_of
from smearlab.learn.simulated_pictures import SOURCES
from smearlab.learn.split_protocols import SplitPictures, chosen_pictures, split_pictures
from smearlab.learn.stain_recipe import StainRecipe
from smearlab.learn.stain_samples import shared_types
from smearlab.stain.ground import ground_of

#: Training pictures of a stain whose ground is measured, at most.
_GROUNDS_OF = 200
PARTS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class StainPictures:
    """What a network from stain to stain learns from and is judged by.

    Parameters
    ----------
    split : SplitPictures
        Pictures of both stains, each split by itself: rows of one ``source`` are of one stain.
    stains : (str, str)
        A and B, as the manifest has them.
    grounds : mapping of str to list of float
        Stain → the colour that its pictures' ground is given, 0-255; empty where all keep theirs.
    """

    split: SplitPictures
    stains: tuple[str, str]
    grounds: Mapping[str, list[float]] = field(default_factory=dict)

    def rows(self, part: Split, stain: str) -> NDArray[np.intp]:
        """Numbers of the rows of a part that are of a stain; synthetic ones teach nothing."""
        manifest = self.split.manifest
        rows = rows_of_split(manifest, part)
        made = manifest.column("synthetic")[rows].astype(bool)
        return np.asarray(rows[(manifest.column("source")[rows] == stain) & ~made], np.intp)

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Part → stain → pictures."""
        return {
            part: {stain: len(self.rows(part, stain)) for stain in self.stains} for part in PARTS
        }


def stain_pictures(recipe: StainRecipe, asked: Asked) -> StainPictures:
    """Read, choose and split the pictures of both stains.

    Simulated pictures have two stains of their own, which are taken where the recipe's are not
    there.

    Parameters
    ----------
    recipe : StainRecipe
    asked : Asked

    Raises
    ------
    UnknownNameError
        If no picture is of a stain.
    DataError
        If pictures of one stain are also among those of the other, or the stains share no type;
        see also :func:`smearlab.learn.split_protocols.split_pictures`.
    """
    there = pictures_of(recipe, asked)
    data = replace(recipe.data, datasets=()) if is_simulated(there) else recipe.data
    stains = stains_in(there, recipe.stains)
    refuse_same_pictures(there, stains)
    parts = []
    for stain in stains:
        chosen = chosen_pictures(there, replace(data, origins=(stain,)))
        (split,) = split_pictures(chosen, data, asked.protocol, asked.n_train)
        parts.append(split)
    shown = [set(split.classes) for split in parts]
    classes = (*parts[0].classes, *(name for name in parts[1].classes if name not in shown[0]))
    both = SplitPictures(merged([split.manifest for split in parts], stains), classes)
    found = StainPictures(both, stains)
    for part, numbers in found.counts.items():
        told = ", ".join(f"{stain} {number}" for stain, number in numbers.items())
        asked.say(f"{recipe.name}, {part}: {told}")
    return found


def stains_in(manifest: Manifest, asked: tuple[str, str]) -> tuple[str, str]:
    """The stains as the manifest writes them: capitals do not matter.

    Simulated pictures have two of their own, which are taken where those asked for are not there.

    Parameters
    ----------
    manifest : Manifest
    asked : (str, str)
        Values of ``source``.

    Raises
    ------
    UnknownNameError
        If no picture is of a stain.
    """
    known = {str(one).lower(): str(one) for one in manifest.column("source") if one is not None}
    if is_simulated(manifest) and not any(name.lower() in known for name in asked):
        return SOURCES
    for name in asked:
        if name.lower() not in known:
            raise UnknownNameError("source of pictures (stain)", name, sorted(known.values()))
    return known[asked[0].lower()], known[asked[1].lower()]


def refuse_same_pictures(manifest: Manifest, stains: tuple[str, str]) -> None:
    """Two stains are two sets of pictures.

    Parameters
    ----------
    manifest : Manifest
        With groups, where duplicates were sought.
    stains : (str, str)
        Values of ``source``.

    Raises
    ------
    DataError
        If a picture of one is tied to one of the other: the same bytes, or a group.
    """
    sources, tied = manifest.column("source"), units(manifest)
    of_a, of_b = (np.flatnonzero(sources == stain) for stain in stains)
    again = of_b[np.isin(tied[of_b], tied[of_a])]
    if not again.size:
        return
    first = of_a[tied[of_a] == tied[again[0]]][0]
    paths = manifest.column("path")
    raise DataError(
        f"{again.size} of the {of_b.size} pictures of {stains[1]} are also among the {of_a.size} "
        f"of {stains[0]}, first {paths[again[0]]}, the same as {paths[first]}: a network from one "
        "stain to the other needs pictures of two. Name other stains with --from and --to, or "
        "leave the copies out of the manifest"
    )


def measured_grounds(recipe: StainRecipe, pictures: StainPictures) -> dict[str, list[float]]:
    """The median ground of each stain's training pictures.

    Parameters
    ----------
    recipe : StainRecipe
    pictures : StainPictures

    Returns
    -------
    dict of str to list of float
        Stain → colour, 0-255.

    Raises
    ------
    DataError
        See :func:`samples_of_stains`.
    ImageError
        If a picture cannot be read.
    """
    found = {}
    for stain, one in zip(
        pictures.stains, samples_of_stains(recipe, pictures, "train"), strict=True
    ):
        chosen = evenly(len(one), _GROUNDS_OF)
        colours = [ground_of(one.read(n).pixels[..., :3]) for n in chosen]
        found[stain] = np.median(colours, axis=0).tolist()
    return found


def samples_of_stains(
    recipe: StainRecipe, pictures: StainPictures, part: Split, cache_bytes: int = 0
) -> tuple[ManifestSamples, ManifestSamples]:
    """Samples of A and of B, of the types that both show.

    Parameters
    ----------
    recipe : StainRecipe
    pictures : StainPictures
    part : {"train", "val", "test"}
        Training pictures as ``view`` has them, held-out ones as ``judged_view``.
    cache_bytes : int
        Decoded pictures of each that are kept in memory at most.

    Raises
    ------
    DataError
        If no type is shared, or a stain has no picture of one in this part.
    """
    view = recipe.view if part == "train" else recipe.judged_view
    recipe = replace(recipe, view=view)
    types = pictures.split.manifest.column("type")
    crops = crops_of(pictures.split.manifest, recipe)

    def samples(rows: NDArray[np.intp], stain: str) -> ManifestSamples:
        return ManifestSamples(
            pictures.split.manifest,
            pictures.split.classes,
            view,
            rows=rows,
            crops=crops,
            cache=PictureCache(cache_bytes),
            ground=pictures.grounds.get(stain),
        )

    trained = [samples(pictures.rows("train", stain), stain) for stain in pictures.stains]
    shared = shared_types(*trained)
    chosen = []
    for stain in pictures.stains:
        rows = pictures.rows(part, stain)
        rows = rows[np.isin(types[rows], shared)]
        if not rows.size:
            raise DataError(
                f"no picture of {stain} in {part} shows {', '.join(shared)}, the types that both "
                "stains show: give more pictures, or split otherwise (--set data.seed=1)"
            )
        chosen.append(samples(np.asarray(rows, np.intp), stain))
        if cache_bytes:
            chosen[-1].keep(threads=usable_cores())
    return chosen[0], chosen[1]
