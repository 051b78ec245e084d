"""Where the pictures of a classifier come from: a manifest, a folder, or the simulator."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from smearlab.datasets.adapters.importing import to_manifest
from smearlab.datasets.adapters.reading import Survey, measure, survey
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.adapters.tree import Tree
from smearlab.datasets.duplicates.finder import apply, find_duplicates
from smearlab.datasets.manifest.merge import merged
from smearlab.datasets.manifest.table import Manifest, read_manifest, write_manifest
from smearlab.datasets.simulated_files import DATASET as SIMULATED
from smearlab.errors import DataError, UsageError
from smearlab.learn.simulated_pictures import simulated_pictures

_LISTING = "manifest.csv"


def read_pictures(
    where: str,
    datasets: tuple[str, ...],
    out: Path,
    *,
    lists: Path | None = None,
    threads: int = 2,
    show: bool = True,
) -> Manifest:
    """The pictures that ``--data`` names.

    A folder is read by the adapters of its sets, and its near-duplicates are put into groups; both
    take minutes and are kept in ``lists`` for the next time, until a file or a label changes.

    Parameters
    ----------
    where : str
        ``simulated``; a manifest, ``.parquet`` or ``.csv``; a folder with ``manifest.csv`` and
        the public sets that it lists; or a folder with a folder of pictures for each class.
    datasets : tuple of str
        Sets that are wanted; empty for all. Of a folder only these are read.
    out : Path
        Folder for what is made.
    lists : Path or None
        Folder for what was found in folders; ``out`` if it is None.
    threads : int
        Pictures at a time.
    show : bool
        Whether to draw progress bars.

    Raises
    ------
    UsageError
        If ``where`` does not exist.
    DataError
        If none of the wanted sets is there; names them and those that are.
    """
    if where == SIMULATED:
        return simulated_pictures(out / SIMULATED)
    path = Path(where)
    if path.is_file():
        return read_manifest(path)
    if not path.is_dir():
        raise UsageError(
            f"--data {where} does not exist: name a manifest (.parquet or .csv, made by smearlab "
            "data import), a folder of pictures, or 'simulated'"
        )
    listing = path / _LISTING
    surveys = _listed(path, listing, datasets) if listing.is_file() else [_own(path)]
    kept = (lists or out) / f"pictures-{_key(surveys, threads)}.parquet"
    if kept.is_file():
        return read_manifest(kept, path)
    manifest = merged([to_manifest(measure(one, jobs=threads)) for one in surveys])
    found = find_duplicates(manifest, threads=threads, show=show)
    grouped = apply(manifest, found)
    unreadable = np.array([row for row, _ in found.unreadable], np.int64)
    grouped = grouped.take(np.setdiff1d(np.arange(len(grouped)), unreadable))
    return read_manifest(write_manifest(kept, grouped), path)


def refuse_missing(manifest: Manifest, datasets: tuple[str, ...], where: str, recipe: str) -> None:
    """Say which pictures a recipe wants, if none of them is there.

    Raises
    ------
    DataError
        If ``datasets`` are named and the manifest holds none of them, nor pictures of one's own
        (``folder``) or simulated ones.
    """
    held = set(manifest.column("dataset"))
    if datasets and not held & {*datasets, "folder", SIMULATED}:
        wanted = " or ".join(datasets)
        raise DataError(
            f"{recipe} learns from {wanted}, and {where} holds {', '.join(sorted(held))}: import "
            f"it (smearlab data import {datasets[0]} DIR --out M.parquet) and give --data "
            "M.parquet, or take what is there with --set \"data.datasets=('"
            f"{min(held, default='')}',)\""
        )


def _listed(folder: Path, listing: Path, datasets: tuple[str, ...]) -> list[Survey]:
    """The wanted sets of a listing, each seen by its adapter."""
    with listing.open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("path")]
    of_set: dict[str, dict[str, Mapping[str, str]]] = {}
    for row in rows:
        of_set.setdefault(row.get("dataset") or "", {})[row["path"]] = row
    names = [n for n in (datasets or of_set) if n in of_set and n in ADAPTERS]
    if not names:
        wanted = " or ".join(datasets) or "a set that has an adapter"
        raise DataError(
            f"{folder} does not hold {wanted}; {listing.name} lists "
            f"{', '.join(sorted(filter(None, of_set)))}. Give a manifest that does (smearlab data "
            "import), or name other sets with --set \"data.datasets=('NAME',)\""
        )
    surveys = []
    for name in names:
        tree = Tree(folder, tuple(sorted(of_set[name])), listing=of_set[name])
        found = tuple(sorted(ADAPTERS[name].find(tree), key=lambda one: one.path))
        if found:
            surveys.append(Survey(ADAPTERS[name], tree, found, ()))
    if not surveys:
        raise DataError(f"{folder} lists {', '.join(names)}, but none of their pictures")
    return surveys


def _own(folder: Path) -> Survey:
    return survey(ADAPTERS["folder"], folder)


def _key(surveys: list[Survey], threads: int) -> str:
    """What a kept manifest follows from: what is known of the pictures, and what is in the files.

    Neither when these were written nor where they lie.
    """
    facts = hashlib.sha256()
    with ThreadPoolExecutor(threads) as pool:
        for one in surveys:
            facts.update(f"{one.adapter.name}\n".encode())
            for found in one.found:
                facts.update(f"{replace(found, complete=None)}\n".encode())
            files = (path for found in one.found for path in (found.path, *found.used))
            for content in pool.map(_content, (one.tree.root / path for path in files)):
                facts.update(f"{content}\n".encode())
    return facts.hexdigest()[:12]


def _content(file: Path) -> str:
    """Fingerprint of a file; of one that cannot be read, none."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
