"""The training data of the recipes: real sets from a folder, or simulated cells."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from smearlab.datasets.box_fields import PARTS, BoxedField, Part, list_fields, load_field
from smearlab.datasets.box_masks import CODE_OF_ELEMENT
from smearlab.datasets.cell_fields import teach_fields
from smearlab.datasets.cell_images import list_cell_images
from smearlab.datasets.cell_patches import PATCH_CONTEXT, PATCH_PX, Patches, cut_patches
from smearlab.datasets.simulator import SimulatedField, SmearConfig, simulate_field
from smearlab.io.bundles import find_bundle, read_card
from smearlab.learn.recipe import Stage
from smearlab.learn.sources import CellSamples, CentreSamples, ForegroundSamples
from smearlab.learn.train.sampling import SampleSource
from smearlab.pipeline import Analyzer
from smearlab.preprocess.crops import crop_cell


@dataclass(frozen=True)
class TrainingData:
    """Fields and cells to train on.

    Parameters
    ----------
    folder : Path or None
        Folder with ``manifest.csv`` and the public sets; None simulates cells.
    cache : Path or None
        Where cut patches are kept; None keeps nothing.
    segmenter : str
        Bundle that finds the cell in single-cell pictures.
    n_simulated : int
        Number of simulated fields.
    """

    folder: Path | None
    cache: Path | None = None
    segmenter: str = "default"
    n_simulated: int = 6
    _loaded: dict[Part, list[BoxedField]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def fields(self, part: Part) -> list[BoxedField]:
        """Boxed fields of a part."""
        if part not in self._loaded:
            if self.folder is None:
                self._loaded[part] = [as_boxed(truth) for truth in self._simulated]
            else:
                files = [f for f in list_fields(self.folder) if f.part == part]
                self._loaded[part] = [load_field(f) for f in files]
        return self._loaded[part]

    @cached_property
    def patches(self) -> Patches:
        """Patches of all parts."""
        if self.folder is None:
            return _simulated_patches(self._simulated)
        kept = self.cache / f"patches-{self._patches_key()}.npz" if self.cache else None
        if kept and kept.exists():
            return Patches.load(kept)
        fields = [(f, part) for part in PARTS for f in self.fields(part)]
        analyzer = Analyzer.load(self.segmenter, None)
        patches = cut_patches(list_cell_images(self.folder), fields, analyzer)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            patches.save(kept)
        return patches

    def _patches_key(self) -> str:
        """What the patches follow from: pictures and their parts, segmenter, how they are cut."""
        assert self.folder is not None
        manifest = (self.folder / "manifest.csv").read_bytes()
        card = read_card(find_bundle("segmenter", self.segmenter), "segmenter")
        parts = "".join(f"{f.image.name} {f.part}\n" for f in list_fields(self.folder))
        facts = f"{card['sha256']} {PATCH_PX} {PATCH_CONTEXT} {parts}".encode()
        return hashlib.sha256(manifest + facts).hexdigest()[:12]

    @cached_property
    def _simulated(self) -> list[SimulatedField]:
        config = SmearConfig(height_px=320, width_px=320, n_wbc=2, look="random")
        return [simulate_field(seed, config) for seed in range(1, self.n_simulated + 1)]

    def samples(self, stage: Stage) -> SampleSource:
        """What a stage learns from: the training part only.

        Parameters
        ----------
        stage : Stage
            Says which kind of sample, how it is drawn, and what is added or left out.
        """
        if stage.samples == "centres":
            fields = [
                field
                for field in self.fields("train")
                if not (stage.complete_only and field.incomplete)
            ]
            again = [field for field in fields if set(stage.twice) & set(field.elements)]
            return CentreSamples([*fields, *again, *self._added(stage)], stage.view)
        if stage.samples == "foreground":
            return ForegroundSamples(self.fields("train"), stage.view)
        patches = self.patches
        keep = (patches.parts == "train") & ~np.isin(patches.origins, stage.exclude_origins)
        return CellSamples(
            patches.take(keep),
            stage.card["classes"],
            stage.view,
            stage.per_epoch,
            stage.origin_weights,
        )

    def _added(self, stage: Stage) -> list[BoxedField]:
        """Simulated fields, and single-cell pictures boxed by the teacher."""
        if self.folder is None:
            return []
        added = [as_boxed(varied_field(seed)) for seed in range(stage.simulated)]
        if stage.taught:
            teacher = Analyzer.load(self.segmenter, None)
            added += teach_fields(list_cell_images(self.folder), teacher, stage.taught)
        return added


def varied_field(seed: int) -> SimulatedField:
    """A simulated field unlike the last: any stain, size, density and shape of red cells.

    Parameters
    ----------
    seed : int
        The same seed gives the same field; at least 0.
    """
    rng = np.random.default_rng([seed, 41])
    shares = rng.dirichlet([0.6, 0.6, 0.8, 2.0])[:3] * 0.95
    config = SmearConfig(
        height_px=320,
        width_px=320,
        rbc_diameter_px=float(rng.uniform(30, 64)),
        n_wbc=int(rng.integers(0, 2)),
        coverage=float(rng.uniform(0.1, 0.5)),
        touching=float(rng.uniform(0, 0.7)),
        overlap=float(rng.uniform(0, 0.4)),
        dense=float(shares[0]),
        oval=float(shares[1]),
        crenated=float(shares[2]),
        look="random",
        blur_px=float(rng.uniform(0.4, 1.4)),
    )
    return simulate_field(seed, config)


def as_boxed(truth: SimulatedField) -> BoxedField:
    """A simulated field as a boxed one, with its true pixel map."""
    codes = np.array([0, *(CODE_OF_ELEMENT[cell.element] for cell in truth.cells)], np.uint8)
    return BoxedField(
        truth.field.name,
        "simulated",
        truth.field.name,
        truth.field.pixels,
        np.array([cell.bbox for cell in truth.cells], np.float32).reshape(-1, 4),
        tuple(cell.element for cell in truth.cells),
        codes[truth.labels.array],
    )


def _simulated_patches(fields: Sequence[SimulatedField]) -> Patches:
    rows = [
        (crop_cell(truth.field.pixels, cell.bbox, PATCH_PX, PATCH_CONTEXT), cell.type)
        for truth in fields
        for cell in truth.cells
    ]
    types = np.array([kind for _, kind in rows])
    fill = [np.full(len(rows), text) for text in ("simulated", "train", "simulated")]
    return Patches(np.stack([patch for patch, _ in rows]), types, *fill)
