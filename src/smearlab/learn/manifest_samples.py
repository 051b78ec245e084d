"""Training samples straight from the pictures of a manifest."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.manifest.table import Manifest
from smearlab.datasets.manifest.ties import unit_names
from smearlab.errors import ImageError, ManifestError, UnknownNameError, UsageError
from smearlab.io.quick_jpeg import Reduced, read_reduced
from smearlab.learn.picture_cache import PictureCache
from smearlab.learn.train.sampling import Sample
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import (
    PictureViewConfig,
    Prepared,
    draw_prepared,
    prepare_picture,
)
from smearlab.stain.ground import on_ground

Split = Literal["train", "val", "test"]
_SPLITS = ("train", "val", "test")


class ManifestSamples:
    """Views of the pictures of a manifest with their type, read when they are drawn or kept.

    A :class:`~smearlab.learn.train.sampling.SampleSource`. One sample of each picture in an epoch.

    Parameters
    ----------
    manifest : Manifest
    classes : sequence of str
        The number of a class is its place here.
    config : PictureViewConfig, optional
        How views are drawn.
    rows : ndarray of int, optional
        Numbers of the rows that are used, from 0: of :func:`rows_of_split` or
        :func:`rows_of_fold`. All when left out.
    column : str
        Where the class stands: ``type``, ``label`` or ``subtype``.
    crops : ndarray of int, optional
        For every row of the manifest the side of the middle square that a view shows, px, where
        origins differ in scale; 0 for the whole picture. ``config.crop_px`` when left out.
    cache : PictureCache, optional
        Where decoded pictures are looked for; see :meth:`keep`.
    ground : sequence of float, shape (3,), optional
        Colour, 0-255, that the ground of every picture is given before anything else is done
        (:func:`smearlab.stain.ground.on_ground`); it keeps its own when left out.

    Raises
    ------
    ManifestError
        If no row is left, a row has no class or one that is not asked for, or its picture is
        smaller than the square that the view shows. The message names the row, from 1.
    UnknownNameError
        If ``column`` is none of the three.
    UsageError
        If ``classes`` is empty, or names one twice.
    """

    def __init__(
        self,
        manifest: Manifest,
        classes: Sequence[str],
        config: PictureViewConfig | None = None,
        *,
        rows: NDArray[np.intp] | None = None,
        column: str = "type",
        crops: NDArray[np.intp] | None = None,
        cache: PictureCache | None = None,
        ground: Sequence[float] | None = None,
    ) -> None:
        self.manifest, self.config = manifest, config or PictureViewConfig()
        self.classes = tuple(classes)
        self.rows = np.arange(len(manifest)) if rows is None else np.asarray(rows, np.intp)
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise UsageError(f"classes must be different names, at least one; received {classes}")
        if column not in ("type", "label", "subtype"):
            raise UnknownNameError("column of classes", column, ("type", "label", "subtype"))
        if not self.rows.size:
            raise ManifestError("no picture is left to learn from; choose other rows")
        self.paths = manifest.column("path")[self.rows]
        self.targets = self._targets(manifest.column(column)[self.rows], column)
        whole = np.full(len(manifest), self.config.crop_px or 0)
        self.crops = (whole if crops is None else np.asarray(crops, np.intp))[self.rows]
        self.cache = PictureCache(0) if cache is None else cache
        self.ground = ground
        self._preparing = self.config  # views without augmentation share what is kept
        self._of_crop = {side: self.config.of_crop(side) for side in np.unique(self.crops).tolist()}
        self._refuse_small()

    def __len__(self) -> int:
        return len(self.rows)

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """``pixels`` (S, S, 3) uint8 and ``target`` int64.

        Raises
        ------
        ManifestError
            If the picture cannot be read; names the row, the file and the reason.

        See also :class:`smearlab.learn.train.sampling.SampleSource`.
        """
        try:
            kept = self.cache.get(self.key(index)) if len(self.cache) else None
            picture = kept or self.prepared(index, padded=True)
            view = draw_prepared(picture, self.config, rng)
        except (ImageError, UsageError) as error:
            reason = str(error).removeprefix(f"{self.manifest.file(self.paths[index])}: ")
            raise ManifestError(
                f"{self._row(index)}: {reason}, or leave it out of the manifest"
            ) from error
        return {"pixels": view, "target": self.targets[index]}

    @property
    def groups(self) -> NDArray[np.str_]:
        """Which pictures stand for one: names of the units that a split keeps together."""
        return unit_names(self.manifest)[self.rows]

    def describe(self, index: int) -> str:
        """Row and file of a sample, for messages."""
        return self._row(index)

    def without_augmentation(self) -> ManifestSamples:
        """The same pictures, each always in the same unchanged view."""
        still = copy.copy(self)
        still.config = replace(self.config, ranges=AffineRanges(), colour=0.0)
        return still

    def keep(self, threads: int = 2, advance: Callable[[int], None] = lambda done: None) -> None:
        """Put as many pictures as fit into the cache.

        Raises
        ------
        ImageError, UsageError
            If a picture cannot be read, or is smaller than its square.
        """
        keys = [self.key(index) for index in range(len(self))]
        self.cache.fill(keys, self.prepared, threads, advance)

    def key(self, index: int) -> Hashable:
        """What a prepared picture follows from."""
        config = self._preparing
        crop, reach = int(self.crops[index]), config.ranges.reach
        return self.paths[index], config.size_px, crop, config.centre, reach

    def prepared(self, index: int, *, padded: bool = False) -> Prepared:
        """A picture, read from its file; for ``padded`` see :func:`read_reduced`.

        Raises
        ------
        ImageError, UsageError
            If it cannot be read, or is smaller than its square.
        """
        picture = self.read(index, padded=padded)
        if self.ground is not None:
            shown = np.ascontiguousarray(picture.pixels[..., :3])
            picture = replace(picture, pixels=on_ground(shown, self.ground))
        return prepare_picture(picture, self._of_crop[int(self.crops[index])])

    def read(self, index: int, *, padded: bool = False) -> Reduced:
        """A picture as it is in its file, as finely as views show it; see :func:`read_reduced`.

        Raises
        ------
        ImageError
            If it cannot be read.
        """
        config = self._of_crop[int(self.crops[index])]
        path = self.manifest.file(self.paths[index])
        return read_reduced(path, config.size_px, config.crop_px, padded=padded)

    def _targets(self, names: NDArray[Any], column: str) -> NDArray[np.int64]:
        """Class numbers, shape (N,)."""
        number = {name: n for n, name in enumerate(self.classes)}
        if all(name is None for name in names):
            raise ManifestError(f"no row has a {column}; write it with smearlab data taxonomy")
        for place, name in enumerate(names):
            if name is None:
                raise ManifestError(f"{self._row(place)} has no {column}; name it, or leave it out")
            if name not in number:
                raise ManifestError(
                    f"{self._row(place)} has the {column} {name!r}, which is none of "
                    f"{', '.join(self.classes)}; add it, or leave its rows out"
                )
        return np.array([number[name] for name in names], np.int64)

    def _refuse_small(self) -> None:
        """Pictures whose size is in the manifest need not be opened to see that they are small."""
        for side in ("width_px", "height_px"):
            # Sizes that are not known are NaN, and those are not below anything.
            sizes = self.manifest.column(side)[self.rows].astype(np.float64)
            small = np.flatnonzero(sizes < self.crops)
            if small.size:
                place = int(small[0])
                raise ManifestError(
                    f"{self._row(place)} has a {side} of {sizes[place]:.0f}, less than the square "
                    f"of {self.crops[place]} px that a view shows; ask for a smaller one, or for "
                    "the whole picture (crop_px=None)"
                )

    def _row(self, place: int) -> str:
        return f"row {self.rows[place] + 1} ({self.paths[place]})"


def rows_of_split(manifest: Manifest, split: Split) -> NDArray[np.intp]:
    """Numbers of the rows of a split, from 0.

    Raises
    ------
    ManifestError
        If no row is in the split, or a synthetic one is in ``val`` or ``test``.
    UnknownNameError
        If there is no such split.
    """
    if split not in _SPLITS:
        raise UnknownNameError("split", split, _SPLITS)
    rows = np.flatnonzero(manifest.column("split") == split)
    if not rows.size:
        raise ManifestError(f"no row is in the split {split!r}; make it with smearlab data split")
    if split != "train":
        _refuse_synthetic(manifest, rows)
    return cast("NDArray[np.intp]", rows)


def rows_of_fold(manifest: Manifest, fold: int, *, held_out: bool) -> NDArray[np.intp]:
    """Numbers of the rows that one fold holds out, or of those that it trains on.

    Parameters
    ----------
    manifest : Manifest
    fold : int
        From 0.
    held_out : bool
        True: the rows of the fold. False: all others; those without a fold train in every one.

    Raises
    ------
    ManifestError
        If no row is in the fold, or it holds out a synthetic one.
    """
    column = manifest.table.column("fold").to_pylist()
    inside = np.array([value == fold for value in column], bool)
    if not inside.any():
        raise ManifestError(f"no row is in fold {fold}; make folds with smearlab data split")
    if not held_out:
        return cast("NDArray[np.intp]", np.flatnonzero(~inside))
    rows = np.flatnonzero(inside)
    _refuse_synthetic(manifest, rows)
    return cast("NDArray[np.intp]", rows)


def _refuse_synthetic(manifest: Manifest, rows: NDArray[np.intp]) -> None:
    """What a model was tested on must have been seen under a microscope."""
    wrong = rows[manifest.column("synthetic")[rows].astype(bool)]
    if wrong.size:
        raise ManifestError(
            f"row {wrong[0] + 1} ({manifest.column('path')[wrong[0]]}) is synthetic and held out; "
            "synthetic pictures are only trained on: split again"
        )
