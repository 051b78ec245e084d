"""The pipeline's pictures: from two sources to views of one size, typed, split, held down."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.merge import merged
from smearlab.datasets.manifest.quality import without_flaws
from smearlab.datasets.manifest.splits import Shares, hold_out
from smearlab.datasets.manifest.table import Manifest, read_manifest, write_manifest
from smearlab.datasets.manifest.ties import units
from smearlab.errors import DataError
from smearlab.io.atomic import write_bytes
from smearlab.io.images import read_field
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.few_shot_data import held_down
from smearlab.learn.few_shot_recipe import RareTypes
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.run_asked import crops_of, is_simulated
from smearlab.learn.split_protocols import SplitPictures, chosen_pictures, each_once
from smearlab.learn.stain_data import refuse_same_pictures, stains_in
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig
from smearlab.learn.verification.config import VerifyConfig
from smearlab.learn.verification.pictures import png_of
from smearlab.learn.verification.recipes import recipe_of
from smearlab.learn.workflow.hazra_config import HazraConfig
from smearlab.learn.workflow.stages import Done

TABLE = "pictures.parquet"
#: Train, validation, test: 70 % to learn from, a tenth of it to choose by (section 4.1).
SHARES = Shares(0.63, 0.07, 0.3)
#: Of simulated pictures, which are of a few fields.
_SIMULATED_SHARES = Shares(0.4, 0.3, 0.3)
_TIES = ("group", "sha256", "source_image", "patient")


def table_of(done: Done) -> Manifest:
    """The pictures that a stage left."""
    return read_manifest(done.folder / TABLE)


def keep(manifest: Manifest, folder: Path) -> dict[str, Any]:
    """Write a table of pictures, and tell it apart from others."""
    write_manifest(folder / TABLE, manifest)
    columns = [manifest.column(name) for name in ("path", "sha256", "type", "split", "source")]
    rows = sorted([str(one) for one in row] for row in zip(*columns, strict=True))
    told = hashlib.sha256(json.dumps([str(manifest.root), rows]).encode()).hexdigest()[:16]
    return {"digest": told, "pictures": len(manifest), "sources": sources_of(manifest)}


def sources_of(manifest: Manifest) -> dict[str, int]:
    """Pictures of each source."""
    return dict(sorted(Counter(str(one) for one in manifest.column("source")).items()))


def content_of(manifest: Manifest) -> str:
    """Tells other pictures, labels or sources."""
    columns = [manifest.column(name) for name in ("path", "sha256", "label", "type", "source")]
    rows = sorted([str(one) for one in row] for row in zip(*columns, strict=True))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def imported(config: HazraConfig, there: Manifest) -> Any:
    """The pictures of both sources, near-duplicates in groups."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        names = stains_in(there, config.sources)
        chosen = there.take(np.isin(there.column("source"), names))
        return {**keep(chosen, folder), "named": list(names)}

    return make


def without_poor(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
    """The pictures without a flaw."""
    good, flaws = without_flaws(table_of(needs["import"]), threads=usable_cores())
    reasons = Counter(flaw.reason for flaw in flaws)
    named = needs["import"].facts["named"]
    return {**keep(good, folder), "left out": dict(reasons), "named": named}


def without_copies(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
    """Files with the same bytes once; sources that show the same pictures are refused."""
    manifest = table_of(needs["quality"])
    a, b = needs["quality"].facts["named"]
    refuse_same_pictures(manifest, (a, b))
    once = each_once(manifest)
    groups = len(np.unique(units(once)))
    facts = {"copies": len(manifest) - len(once), "groups": groups, "named": [a, b]}
    return {**keep(once, folder), **facts}


def typed_pictures(config: HazraConfig) -> Any:
    """Every picture with its type of the taxonomy."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        a, b = needs["duplicates"].facts["named"]
        data = PictureData((), config.taxonomy, origins=(a, b))
        manifest = chosen_pictures(table_of(needs["duplicates"]), data)
        counts = {name: types_of(manifest, name) for name in (a, b)}
        shared = sorted(set(counts[a]) & set(counts[b]))
        if not shared:
            raise DataError(
                f"{a} and {b} share no type of {config.taxonomy}: {a} shows "
                f"{', '.join(counts[a])}, {b} {', '.join(counts[b])}; name other sources, or "
                "another taxonomy"
            )
        return {**keep(manifest, folder), "types": counts, "shared": shared, "named": [a, b]}

    return make


def types_of(manifest: Manifest, source: str, part: str | None = None) -> dict[str, int]:
    """Pictures of each type of a source, in all parts or in one."""
    rows = manifest.column("source") == source
    if part is not None:
        rows &= manifest.column("split") == part
    return dict(sorted(Counter(manifest.column("type")[rows].tolist()).items()))


def split_in_parts(config: HazraConfig) -> Any:
    """Each source split by itself; types that shall be rare are held down in training."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        manifest = table_of(needs["taxonomy"])
        a, b = needs["taxonomy"].facts["named"]
        if config.protocol == "paper":
            manifest = manifest.with_columns(**{tie: [None] * len(manifest) for tie in _TIES})
        halves = [manifest.take(manifest.column("source") == name) for name in (a, b)]
        shares = _SIMULATED_SHARES if is_simulated(manifest) else SHARES
        both = merged([hold_out(one, shares, seed=config.seed) for one in halves], (a, b))
        if config.rare:
            rare = RareTypes(tuple(config.rare), tuple(config.rare.values()), config.seed)
            both = held_down(
                SplitPictures(both, tuple(sorted(set(both.column("type"))))), rare
            ).manifest
        parts = {part: {name: types_of(both, name, part) for name in (a, b)}
                 for part in ("train", "val", "test")}  # fmt: skip
        return {**keep(both, folder), "parts": parts, "named": [a, b]}

    return make


def as_views(config: HazraConfig) -> Any:
    """Every picture as everything after it sees it: the middle square, one size, a PNG file."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        manifest = table_of(needs["split"])
        crop = config.crop_px or None
        view = PictureViewConfig(config.size_px, crop, AffineRanges())
        # Sources of another magnification show as much more, so that cells are of one size.
        crops = crops_of(manifest, recipe_of("views", VerifyConfig(), crop_px=crop))
        types = sorted(set(manifest.column("type")))
        samples = ManifestSamples(manifest, types, view, crops=crops)
        rng = np.random.default_rng(0)  # nothing is drawn from it
        pixels = (samples.sample(n, rng)["pixels"] for n in range(len(manifest)))
        views = written(manifest, pixels, folder)
        return {**keep(views, folder), "named": needs["split"].facts["named"]}

    return make


def written(manifest: Manifest, pixels: Any, folder: Path) -> Manifest:
    """The rows with other pictures, which are written as PNG files of one size.

    Parameters
    ----------
    manifest : Manifest
    pixels : iterable of ndarray of uint8, shape (S, S, 3)
        In the order of the rows.
    folder : Path
    """
    names, sums, side = [], [], 0
    (folder / "pictures").mkdir(exist_ok=True)
    for n, one in enumerate(pixels):
        data, side = png_of(one), len(one)
        names.append(f"pictures/{n:06d}.png")
        sums.append(hashlib.sha256(data).hexdigest())
        write_bytes(folder / names[-1], data)
    rows = len(names)
    changed = replace(manifest.with_columns(path=names, mask=[None] * rows), root=folder)
    return changed.with_columns(sha256=sums, width_px=[side] * rows, height_px=[side] * rows)


def pixels_of(manifest: Manifest, row: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A picture of a row, uint8 (H, W, 3)."""
    return read_field(manifest.file(manifest.column("path")[row])).pixels
