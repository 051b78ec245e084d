"""Synthetic and real pictures as a verification compares them: same size, same encoding, split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.fingerprints import learned_rows
from smearlab.datasets.manifest.table import Manifest, read_manifest, write_manifest
from smearlab.datasets.manifest.ties import unit_names
from smearlab.errors import ManifestError, UsageError
from smearlab.io.atomic import write_bytes, write_text
from smearlab.io.images import read_field
from smearlab.learn.classifier_recipe import AS_TYPED, PictureData
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.picture_sources import read_pictures
from smearlab.learn.run_asked import crop_of
from smearlab.learn.split_protocols import chosen_pictures, split_pictures
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig
from smearlab.learn.verification.config import VerifyConfig
from smearlab.learn.verification.recipes import recipe_of

#: Of the real pictures: train, validation, test, where the manifest has no split.
SHARES = (0.7, 0.1, 0.2)
_TABLES = ("manifest.parquet", "manifest.csv")


@dataclass(frozen=True, eq=False)
class VerifiedPictures:
    """What is compared.

    Parameters
    ----------
    real : Manifest
        Views of the side of the synthetic pictures, as PNG; every row has a type and a split.
    synthetic : Manifest
        All for training.
    size_px : int
        Side of all pictures.
    source : str
        Names of the models that made the synthetic pictures.
    """

    real: Manifest
    synthetic: Manifest
    size_px: int
    source: str

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Types of the synthetic pictures, by name."""
        return tuple(sorted(set(self.synthetic.column("type"))))

    @cached_property
    def digest(self) -> str:
        """Tells other pictures, types or splits; 16 hexadecimal digits."""
        return hashlib.sha256(
            json.dumps([_told(self.real), _told(self.synthetic), self.size_px]).encode()
        ).hexdigest()[:16]

    def part(self, name: str) -> Manifest:
        """Real pictures of ``train``, ``val`` or ``test``."""
        return self.real.take(self.real.column("split") == name)


def _told(manifest: Manifest) -> list[list[str]]:
    columns = [manifest.column(name) for name in ("path", "sha256", "type", "split")]
    return sorted([str(one) for one in row] for row in zip(*columns, strict=True))


def read_verified(
    synthetic: Path,
    real: str,
    config: VerifyConfig,
    out: Path,
    *,
    show: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> VerifiedPictures:
    """Read, check and split the pictures; the real ones become views of the synthetic ones' size.

    Parameters
    ----------
    synthetic : Path
        Manifest of synthetic pictures, or the folder that ``smearlab generate`` wrote.
    real : str
        See :func:`smearlab.learn.picture_sources.read_pictures`.
    config : VerifyConfig
    out : Path
        Folder for what is made.
    show : bool
        Whether to draw progress bars.
    say : callable
        Told in a line what goes on.

    Raises
    ------
    UsageError, DataError
        If pictures are missing, a synthetic one is among the real ones or outside of training, a
        real one among the synthetic ones, a type is unknown or empty, or the split leaks.
    """
    made = _synthetic(synthetic)
    found = read_pictures(real, (), out, threads=usable_cores(), show=show)
    _refuse_synthetic_rows(found, real)
    data = PictureData((), config.taxonomy, shares=SHARES, seed=config.seed)
    chosen = chosen_pictures(found, data)
    _refuse_other_types(made, chosen)
    has_split = any(part is not None for part in chosen.column("split"))
    data = replace(data, taxonomy=AS_TYPED, split="given" if has_split else "drawn")
    (split,) = split_pictures(chosen, data, "honest")
    _refuse_empty(made, split.manifest)
    _refuse_learned(made, split.manifest)
    size_px = _size_of(made)
    views = _views(split.manifest, config, size_px, out / "pictures")
    sources = sorted({str(one) for one in made.column("source") if one is not None})
    whose = ", ".join(sources) or "a model that the manifest does not name"
    counts = ", ".join(f"{name} {(views.column('split') == name).sum()}" for name in _PARTS)
    say(f"{len(made)} synthetic pictures of {size_px} px by {whose}; real ones: {counts}")
    return VerifiedPictures(views, made, size_px, whose)


_PARTS = ("train", "val", "test")


def _synthetic(path: Path) -> Manifest:
    if path.is_dir():
        there = [path / name for name in _TABLES if (path / name).is_file()]
        if not there:
            raise UsageError(
                f"{path} holds no {' or '.join(_TABLES)}: name the folder that smearlab generate "
                "wrote, or a manifest"
            )
        path = there[0]
    made = read_manifest(path)
    if not len(made):
        raise ManifestError(f"{path} has no rows: there is nothing to verify")
    for row, (marked, kind, split) in enumerate(
        zip(made.column("synthetic"), made.column("type"), made.column("split"), strict=True), 1
    ):
        where = f"{path} row {row} ({made.column('path')[row - 1]})"
        if not marked:
            raise ManifestError(f"{where} is not marked as synthetic: real pictures go to --real")
        if kind is None:
            raise ManifestError(f"{where} has no type; leave it out")
        if split not in (None, "train"):
            raise ManifestError(
                f"{where} is synthetic and in {split}; synthetic pictures are only trained on"
            )
        if not made.file(made.column("path")[row - 1]).is_file():
            raise ManifestError(f"{where} is not there; make it again with smearlab generate")
    return made.with_columns(split=["train"] * len(made))


def _refuse_synthetic_rows(found: Manifest, real: str) -> None:
    wrong = np.flatnonzero(found.column("synthetic").astype(bool))
    if wrong.size:
        row = int(wrong[0])
        part = found.column("split")[row]
        inside = f" and in {part}" if part else ""
        raise ManifestError(
            f"{real} row {row + 1} ({found.column('path')[row]}) is synthetic{inside} "
            f"({wrong.size} such): give a manifest of real pictures only"
        )


def _refuse_other_types(made: Manifest, chosen: Manifest) -> None:
    known = sorted(set(chosen.column("type")))
    unknown = sorted(set(made.column("type")) - set(known))
    if unknown:
        raise ManifestError(
            f"the synthetic pictures are of {', '.join(unknown)}, and the real ones only of "
            f"{', '.join(known)}: choose the taxonomy that the generator learned from (--taxonomy)"
        )


def _refuse_empty(made: Manifest, split: Manifest) -> None:
    """Every synthetic type needs real pictures to be compared with."""
    types, parts = split.column("type"), split.column("split")
    for name in sorted(set(made.column("type"))):
        for part in ("train", "test"):
            if not ((types == name) & (parts == part)).any():
                raise ManifestError(
                    f"no real {name} is in {part}: split again, give more pictures of the type, "
                    "or leave it out of the synthetic ones"
                )


def _refuse_learned(made: Manifest, split: Manifest) -> None:
    """What a generator learned from says nothing about what its pictures are worth."""
    learned, models = learned_rows(split, made.provenance)
    wrong = np.flatnonzero(learned & (split.column("split") != "train"))
    if wrong.size:
        row = int(wrong[0])
        raise ManifestError(
            f"{' and '.join(models)} learned from {wrong.size} of the real pictures that are held "
            f"out, or from pictures tied to them, first {split.column('path')[row]} "
            f"({split.column('split')[row]}): give the table that the generator was trained on, "
            "RUN/manifest.parquet, whose split it knows"
        )


def _size_of(made: Manifest) -> int:
    """Side of the synthetic pictures, the same for all."""
    path = made.file(made.column("path")[0])
    height, width = read_field(path).pixels.shape[:2]
    sides = {(width, height)}
    for size in zip(made.column("width_px"), made.column("height_px"), strict=True):
        if not any(side is None or np.isnan(side) for side in size):
            sides.add((int(size[0]), int(size[1])))
    if len(sides) > 1 or width != height:
        raise ManifestError(
            "synthetic pictures must be squares of one size; received "
            f"{', '.join(f'{w} × {h} px' for w, h in sorted(sides))}"
        )
    return int(width)


def _views(manifest: Manifest, config: VerifyConfig, size_px: int, folder: Path) -> Manifest:
    """The middle squares of real pictures, at the size of the synthetic ones, in files."""
    recipe = recipe_of("views", config, crop_px=config.crop_px or None)
    crops = np.array([crop_of(name, recipe) for name in manifest.column("source")], np.intp)
    files = [
        str(known or manifest.file(path).resolve())
        for known, path in zip(manifest.column("sha256"), manifest.column("path"), strict=True)
    ]
    facts = json.dumps([files, crops.tolist(), size_px])
    # Other crops or sizes are other files, and what was trained on these does not pass for theirs.
    shown = f"real-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"
    names = [f"{shown}/{n:06d}.png" for n in range(len(manifest))]
    done = folder / f"{shown}.json"
    views = replace(manifest.with_columns(path=names, mask=[None] * len(names)), root=folder)
    views = views.with_columns(width_px=[size_px] * len(names), height_px=[size_px] * len(names))
    if done.is_file():
        write_manifest(folder / "real.parquet", views)
        return views
    (folder / shown).mkdir(parents=True, exist_ok=True)
    view = PictureViewConfig(size_px, config.crop_px or None, AffineRanges())
    samples = ManifestSamples(manifest, sorted(set(manifest.column("type"))), view, crops=crops)
    rng = np.random.default_rng(0)  # nothing is drawn from it

    def write(n: int) -> None:
        write_bytes(folder / names[n], png_of(samples.sample(n, rng)["pixels"]))

    with ThreadPoolExecutor(usable_cores()) as pool:
        list(pool.map(write, range(len(names))))
    write_manifest(folder / "real.parquet", views)
    write_text(done, facts)
    return views


def png_of(pixels: NDArray[np.uint8]) -> bytes:
    """A picture as a PNG file."""
    _, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return bytes(data.tobytes())


@dataclass(frozen=True, eq=False)
class LoadedPictures:
    """Pictures in memory.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (N, S, S, 3)
    types, groups, paths : ndarray of str, shape (N,)
    """

    pixels: NDArray[np.uint8]
    types: NDArray[np.str_]
    groups: NDArray[np.str_]
    paths: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.pixels)


def load_pictures(
    manifest: Manifest, types: tuple[str, ...], most: int | None, seed: int
) -> LoadedPictures:
    """At most so many pictures of each type, drawn by the seed, in the order of the rows.

    Parameters
    ----------
    manifest : Manifest
    types : tuple of str
    most : int or None
        None for all.
    seed : int

    Raises
    ------
    ImageError
        If one cannot be read.
    """
    rng = np.random.default_rng([seed, 11])
    column = manifest.column("type")
    kept = [rng.permutation(np.flatnonzero(column == name))[:most] for name in types]
    rows = np.sort(np.concatenate(kept)).astype(np.intp)
    paths = manifest.column("path")[rows]
    pixels = np.stack([read_field(manifest.file(path)).pixels for path in paths])
    groups = unit_names(manifest)[rows]
    return LoadedPictures(pixels, column[rows].astype(str), groups, paths.astype(str))


def pixel_rows(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Pixels ``(N, H, W, 3)`` in [0, 1], a row a picture."""
    return pictures.reshape(len(pictures), -1) / 255.0
