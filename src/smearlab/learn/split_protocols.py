"""From the pictures that there are to those that a classifier trains on, validates and tests with.

Two protocols. ``paper`` splits as the papers did, picture by picture or as the archive is split,
whatever pictures show the same cell. ``honest`` keeps pictures of one source, group or patient
together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.manifest.leaks import duplicates_sought, find_leaks
from smearlab.datasets.manifest.splits import Shares, hold_out, k_fold
from smearlab.datasets.manifest.table import Manifest
from smearlab.datasets.manifest.taxonomy import TAXONOMIES, typed
from smearlab.datasets.manifest.ties import units
from smearlab.datasets.simulated_files import DATASET as SIMULATED
from smearlab.errors import ManifestError, UnknownNameError, UsageError
from smearlab.learn.classifier_recipe import AS_LABELLED, AS_TYPED, PictureData, Protocol
from smearlab.synthesis.pictures import DATASET as GENERATED

_TIED = ("group", "sha256", "source_image", "patient")
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SplitPictures:
    """Pictures with their types and parts.

    Parameters
    ----------
    manifest : Manifest
        Every row has a ``type`` of ``classes`` and a ``split``.
    classes : tuple of str
        The types that training pictures show, in the order of the taxonomy.
    fold, folds : int or None
        Which fold is tested, from 1, of how many.
    """

    manifest: Manifest
    classes: tuple[str, ...]
    fold: int | None = None
    folds: int | None = None

    def part(self, name: str) -> Manifest:
        """The rows of ``train``, ``val`` or ``test``."""
        return self.manifest.take(self.manifest.column("split") == name)

    @property
    def digest(self) -> str:
        """Tells other pictures, types or parts; 16 hexadecimal digits."""
        columns = [self.manifest.column(name) for name in ("path", "sha256", "type", "split")]
        rows = sorted(zip(*(column.tolist() for column in columns), strict=True))
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def chosen_pictures(manifest: Manifest, data: PictureData, *, generated: bool = False) -> Manifest:
    """The rows that a recipe uses, each with its type; exact copies once.

    Parameters
    ----------
    manifest : Manifest
    data : PictureData
    generated : bool
        Keep the pictures of generators, too, whatever sets and origins the recipe names.

    Raises
    ------
    UnknownNameError
        If an origin is none of the manifest's.
    ManifestError
        If labels are unknown to the taxonomy, or no row with a type is left.
    """
    keep = np.isin(manifest.column("dataset"), (*data.datasets, SIMULATED))
    made = generated & (manifest.column("dataset") == GENERATED)
    if data.datasets and keep.any():
        manifest = manifest.take(keep | made)
    origins = manifest.column("source")
    wanted = (*data.origins, *data.train_on, *data.test_on)
    known = {str(one) for one in origins if one is not None}
    for name in wanted:
        if name not in known:
            raise UnknownNameError("origin of pictures", name, known)
    if data.origins:
        made = generated & (manifest.column("dataset") == GENERATED)
        manifest = manifest.take(np.isin(origins, data.origins) | made)
    manifest = _typed(each_once(manifest), data.taxonomy)
    return _in_proportion(manifest, data) if data.proportions else manifest


def cautions_of(chosen: Manifest, data: PictureData) -> list[str]:
    """What is to be said of pictures before they are split, in lines.

    Parameters
    ----------
    chosen : Manifest
        Of :func:`chosen_pictures`.
    data : PictureData
    """
    made = int((chosen.column("dataset") == GENERATED).sum())
    if not made or data.split == "given":
        return []
    return [
        f"{made} of the pictures were made by a generator, and the split is drawn anew: what the "
        "generator learned from may be tested on; keep the manifest's own split with --set "
        "data.split=given"
    ]


def chosen_folds(splits: list[SplitPictures], wanted: tuple[int, ...]) -> list[SplitPictures]:
    """Some of the folds, so that several processes can run one each.

    Parameters
    ----------
    splits : list of SplitPictures
        One, or one a fold.
    wanted : tuple of int
        Folds from 1; all if it is empty.

    Raises
    ------
    UsageError
        If there is no such fold.
    """
    if not wanted:
        return splits
    known = {one.fold: one for one in splits if one.fold is not None}
    for fold in wanted:
        if fold not in known:
            there = f"there are folds 1 to {len(known)}" if known else "there is one split"
            raise UsageError(f"fold {fold} is asked for, and {there}; see --folds")
    return [known[fold] for fold in wanted]


def each_once(manifest: Manifest) -> Manifest:
    """Files with the same bytes are one picture; rows without a checksum stay.

    Parameters
    ----------
    manifest : Manifest
    """
    sums = [one or f"row {n}" for n, one in enumerate(manifest.column("sha256"))]
    return manifest.take(np.sort(np.unique(sums, return_index=True)[1]))


def _typed(manifest: Manifest, taxonomy: str) -> Manifest:
    labels = [
        label if label is not None else kind
        for label, kind in zip(manifest.column("label"), manifest.column("type"), strict=True)
    ]
    if taxonomy == AS_LABELLED:
        manifest = manifest.with_columns(type=labels)
    elif taxonomy != AS_TYPED:
        manifest = typed(manifest.with_columns(label=labels), taxonomy, drop_left_out=True)
    has_type = np.array([name is not None for name in manifest.column("type")], bool)
    if not has_type.any():
        found = sorted({str(one) for one in labels if one is not None})[:12]
        raise ManifestError(
            f"no picture has a type of {taxonomy}; labels here: {', '.join(found) or 'none'}. "
            "Choose another taxonomy with --set data.taxonomy=NAME, or 'labels' for the labels "
            "themselves"
        )
    return manifest.take(has_type)


def _in_proportion(manifest: Manifest, data: PictureData) -> Manifest:
    """As many pictures of each type as the proportions allow, drawn by the seed."""
    types = manifest.column("type")
    named = {name: share for name, share in data.proportions.items() if (types == name).any()}
    if not named:
        return manifest
    factor = min(int((types == name).sum()) / share for name, share in named.items())
    if data.total is not None:
        factor = min(factor, data.total / sum(named.values()))
    rng = np.random.default_rng([data.seed, 3])
    keep = ~np.isin(types, list(named))
    for name, share in named.items():
        rows = rng.permutation(np.flatnonzero(types == name))
        keep[rows[: max(1, int(factor * share + 1e-9))]] = True
    return manifest.take(keep).noted("draw", proportions=dict(named), total=data.total)


def split_pictures(
    manifest: Manifest, data: PictureData, protocol: Protocol, n_train: int | None = None
) -> list[SplitPictures]:
    """Share the pictures out: one split, or one a fold.

    Parameters
    ----------
    manifest : Manifest
        Of :func:`chosen_pictures`.
    data : PictureData
    protocol : {"paper", "honest"}
    n_train : int, optional
        So many training pictures are kept, each type in its share; fewer are always among more.

    Raises
    ------
    ManifestError
        If the honest protocol finds no groups, or a given split that leaks; if a held-out
        picture is synthetic or of a type that no training picture shows.
    UsageError
        If ``n_train`` is below 1, or more than there are; or there are too few pictures.
    """
    honest = protocol == "honest"
    if data.split != "given" and honest:
        refuse_ungrouped(manifest)
    parts = _parts(manifest, data, honest)
    return [
        _finished(manifest, part, data, protocol, n_train, (n + 1, len(parts)))
        for n, part in enumerate(parts)
    ]


def _parts(manifest: Manifest, data: PictureData, honest: bool) -> list[NDArray[np.object_]]:
    """The part of every row, for each fold; None for those that are left out."""
    free = (
        manifest if honest else manifest.with_columns(**{c: [None] * len(manifest) for c in _TIED})
    )
    if data.split == "given":
        return _given(free, data)
    if data.train_on or data.test_on:
        tested = _tested_origins(manifest, data)
        return [_around(free, tested, data, 0)]
    if data.split == "published" and not honest:
        tested = np.isin(manifest.column("published_split"), ("test",))
        if not tested.any():
            raise ManifestError(
                "no picture is in a published test part; split anew with --set data.split=drawn"
            )
        return [_around(free, tested, data, 0)]
    if data.folds:
        folds = k_fold(free, data.folds, seed=data.seed).table.column("fold").to_pylist()
        return [
            _around(free, np.array([fold == n for fold in folds], bool), data, n + 1)
            for n in range(data.folds)
        ]
    return [hold_out(free, Shares(*data.shares), seed=data.seed).column("split")]


def _tested_origins(manifest: Manifest, data: PictureData) -> Rows:
    origins = manifest.column("source")
    if data.test_on:
        return np.isin(origins, data.test_on)
    return ~np.isin(origins, data.train_on)


def _around(manifest: Manifest, tested: Rows, data: PictureData, fold: int) -> NDArray[np.object_]:
    """Train and val among the rows that are not tested and share no group with those."""
    parts = np.full(len(manifest), None, object)
    parts[tested] = "test"
    tied = units(manifest)
    rest = ~np.isin(tied, tied[tested])
    if data.train_on:
        rest &= np.isin(manifest.column("source"), data.train_on)
    if not rest.any():
        raise UsageError("no picture is left to train on: all are tested, or tied to tested ones")
    shares = Shares(1 - data.val_share, data.val_share, 0.0)
    parts[rest] = hold_out(manifest.take(rest), shares, seed=data.seed + fold).column("split")
    return parts


def _given(manifest: Manifest, data: PictureData) -> list[NDArray[np.object_]]:
    """The manifest's own folds or split."""
    folds = manifest.table.column("fold").to_pylist()
    numbers = sorted({fold for fold in folds if fold is not None})
    if data.folds and not numbers:
        raise ManifestError("the manifest has no folds; make them with smearlab data split --folds")
    if data.folds:
        return [
            _around(manifest, np.array([fold == n for fold in folds], bool), data, n + 1)
            for n in numbers
        ]
    parts = manifest.column("split")
    if not (parts == "test").any():
        raise ManifestError("the manifest has no test part; make it with smearlab data split")
    return [parts]


def _finished(
    manifest: Manifest,
    parts: NDArray[np.object_],
    data: PictureData,
    protocol: Protocol,
    n_train: int | None,
    place: tuple[int, int],
) -> SplitPictures:
    split = manifest.with_columns(split=parts.tolist(), fold=[None] * len(manifest))
    split = split.take(np.array([part is not None for part in parts], bool))
    for name in ("val", "test"):
        _refuse_synthetic(split, name)
    if protocol == "honest" and (leaks := find_leaks(split)):
        raise ManifestError(
            f"the split leaks: {leaks[0].tie} {leaks[0].key} stands in "
            f"{' and '.join(leaks[0].parts)} (rows {leaks[0].rows[:4]}); split anew with --set "
            "data.split=drawn, or run the paper's protocol"
        )
    if n_train is not None:
        split = _fewer(split, n_train, data.seed)
    classes = _classes(split, data.taxonomy)
    fold, folds = place if data.folds else (None, None)
    split = split.noted("protocol", name=protocol, fold=fold, folds=folds, n_train=n_train)
    return SplitPictures(split, classes, fold, folds)


def refuse_ungrouped(manifest: Manifest) -> None:
    """Refuse a table whose near-duplicates nobody has looked for.

    Raises
    ------
    ManifestError
        If no picture has a group.
    """
    if duplicates_sought(manifest):  # and none found, if no picture has a group
        return
    if all(group is None for group in manifest.column("group")):
        raise ManifestError(
            "no picture has a group, so the honest protocol cannot keep copies together: find "
            "them with smearlab data duplicates M.parquet --out grouped.parquet, or run the "
            "paper's protocol (--protocol paper)"
        )


def _refuse_synthetic(split: Manifest, part: str) -> None:
    wrong = np.flatnonzero((split.column("split") == part) & split.column("synthetic").astype(bool))
    if wrong.size:
        raise ManifestError(
            f"{split.column('path')[wrong[0]]} is synthetic and in {part} ({wrong.size} such); "
            "synthetic pictures are only trained on: split again"
        )


def _fewer(split: Manifest, n_train: int, seed: int) -> Manifest:
    """A nested part of the training pictures: the first of an order that mixes types evenly."""
    parts, types = split.column("split"), split.column("type")
    rows = np.flatnonzero(parts == "train")
    if not 1 <= n_train <= rows.size:
        raise UsageError(
            f"--n-train takes 1 to {rows.size}, the training pictures that there are; received "
            f"{n_train}"
        )
    rng = np.random.default_rng([seed, 5])
    place = np.empty(rows.size)
    for name in sorted(set(types[rows])):
        members = np.flatnonzero(types[rows] == name)
        # The k-th of m pictures of a type stands at (k + ½) / m of the order.
        place[members] = (rng.permutation(members.size) + 0.5) / members.size
    chosen = rows[np.lexsort((types[rows].astype(str), place))[:n_train]]
    return split.take((parts != "train") | np.isin(np.arange(len(split)), chosen))


def _classes(split: Manifest, taxonomy: str) -> tuple[str, ...]:
    """What the training pictures show; others must not be held out."""
    parts, types = split.column("split"), split.column("type")
    shown = set(types[parts == "train"])
    for row in np.flatnonzero(~np.isin(types, list(shown))):
        n = int((types == types[row]).sum())
        raise ManifestError(
            f"{split.column('path')[row]} ({parts[row]}) is of the type {types[row]!r}, which no "
            f"training picture shows, so the model lacks it ({n} such pictures); leave the type "
            "out with another taxonomy (--set data.taxonomy=NAME), or train on pictures of it"
        )
    for name in ("train", "val", "test"):
        if not (parts == name).any():
            raise UsageError(f"no picture is in {name}; there are {len(split)} in all: give more")
    order: Sequence[str] = (
        list(TAXONOMIES[taxonomy].types) if taxonomy in TAXONOMIES else sorted(shown)
    )
    if len(shown) < 2:
        raise UsageError(
            f"all pictures are of the type {', '.join(shown)}; there is nothing to tell"
        )
    return tuple(name for name in order if name in shown)
