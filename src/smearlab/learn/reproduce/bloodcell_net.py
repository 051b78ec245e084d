"""The segmentation of paper A: its U-Net's foreground against masks that people drew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.datasets.simulated_files import DATASET as SIMULATED
from smearlab.datasets.simulated_files import write_fields
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.errors import UsageError
from smearlab.evaluation.masks import evaluate_masks
from smearlab.evaluation.reproductions import Line
from smearlab.io.atomic import write_text
from smearlab.learn.picture_sources import read_pictures, refuse_missing
from smearlab.learn.recipe import Stage, override
from smearlab.learn.recipes import RECIPES
from smearlab.learn.reproduce.experiment import Asked, Experiment, Outcome, is_asked
from smearlab.learn.run_progress import hardware_line
from smearlab.learn.run_recipe import run_stages
from smearlab.learn.train.checkpoints import seconds_spent
from smearlab.pipeline import Analyzer

RECIPE, STAGE = "bloodcell_net", "bloodcell_unet"
#: Set with masks of all cells, which nothing learns from.
TESTED = "bbbc041seg"
FIGURES, BUNDLES = "figures.json", "bundles"
#: One pass over the fields: 27 minutes on two cores.
CPU = ("train.epochs=1", "train.batch_size=4", "train.lr=2e-4", "train.precision=32-true")
SMOKE = ("train.max_steps=2", "train.batch_size=2", "train.workers=0", "view.size=64")
_REPORTED = "segmentation (section 4.1)"
_WHERE = "section 4.1"
#: Ours → the paper's name and ours in tables.
_SHOWN: Mapping[str, str] = {
    "pixel_accuracy": "pixel accuracy",
    "precision": "pixel precision",
    "sensitivity": "pixel sensitivity",
    "iou": "IoU",
    "dice": "Dice",
    "object_f1_50": "object F1 (IoU 0.5)",
}
_SMOKE_FIELDS = 2
Pairs = Sequence[tuple[Path, Path | None]]


@dataclass(frozen=True)
class ForegroundTable:
    """The U-Net of paper A beside the segmenter that ships.

    Parameters
    ----------
    cpu, smoke : tuple of str
        Settings of the U-Net at these scales.
    beside : mapping of str to str
        Name in tables → segmenter that is measured besides.
    """

    cpu: tuple[str, ...] = CPU
    smoke: tuple[str, ...] = SMOKE
    beside: Mapping[str, str] = field(default_factory=lambda: {"shipped segmenter": "default"})

    @property
    def names(self) -> tuple[str, ...]:
        """What ``--only`` may name."""
        return (STAGE,)

    def stage(self, asked: Asked) -> Stage:
        """The U-Net as the scale trains it."""
        return override(RECIPES[RECIPE].stage(STAGE), self.settings(asked))

    def settings(self, asked: Asked) -> tuple[str, ...]:
        """Settings of the U-Net at a scale."""
        return {"smoke": self.smoke, "cpu": self.cpu, "paper": ()}[asked.scale]

    def __call__(self, asked: Asked) -> Outcome:
        """Train what is not trained yet, and measure."""
        recipe, stage = RECIPES[RECIPE], self.stage(asked)
        if asked.protocol == "paper":
            raise UsageError(
                f"{RECIPE} has no paper protocol: the paper does not say how its fields were "
                "split; take --protocol honest"
            )
        data = None if asked.data == SIMULATED else Path(asked.data)
        run, bundles = asked.folder / STAGE, asked.folder / BUNDLES
        if is_asked(asked.only, STAGE, self.names):
            list(run_stages(recipe, [stage], data, asked.folder, bundles, show=asked.show))
        pairs = _pairs(asked)
        models = {STAGE: str(bundles / STAGE), **self.beside}
        found = {}
        for name, model in models.items():
            asked.say(f"{name}: {len(pairs)} fields")
            found[name] = evaluate_masks(Analyzer.load(model, None), pairs)
        write_text(asked.folder / FIGURES, json.dumps(found, indent=1, allow_nan=False) + "\n")
        settings = self.settings(asked)
        scaled = (f"scale {asked.scale}: {', '.join(settings)}",) if settings else ()
        machine = json.loads((run / "config.json").read_text(encoding="utf-8"))["hardware"]
        return Outcome(
            lines=tuple(_lines(found, recipe.reported[_REPORTED])),
            data=(
                f"learned from boxes of {', '.join(stage.card['data'])}; tested on "
                f"{len(pairs)} fields of {TESTED if data else SIMULATED} with masks",
            ),
            deviations=(*scaled, *recipe.deviations),
            hardware=hardware_line(machine),
            seconds=seconds_spent(run),
            findings=tuple(_findings(found)),
            pages=(FIGURES,),
            seed=stage.train.seed,
        )


def _pairs(asked: Asked) -> Pairs:
    """Fields with masks of all cells."""
    if asked.data == SIMULATED:
        folder = asked.folder / SIMULATED
        if not folder.exists():
            config = SmearConfig(height_px=256, width_px=256, n_wbc=1)
            fields = (simulate_field(seed, config) for seed in range(_SMOKE_FIELDS))
            write_fields(folder, fields, config)
        images = sorted((folder / "images").iterdir())
        return [(one, folder / "masks" / f"{one.stem}.png") for one in images]
    manifest = read_pictures(
        asked.data, (TESTED,), asked.folder, lists=asked.lists, show=asked.show
    )
    refuse_missing(manifest, (TESTED,), asked.data, RECIPE)
    rows = np.flatnonzero(manifest.column("dataset") == TESTED)
    masks = [str(mask) for mask in manifest.column("mask")[rows]]
    paths = [manifest.file(path) for path in manifest.column("path")[rows]]
    root = manifest.root
    pairs = [(path, root / mask) for path, mask in zip(paths, masks, strict=True)]
    return pairs[:_SMOKE_FIELDS] if asked.scale == "smoke" else pairs


def _lines(found: Mapping[str, Any], reported: Mapping[str, float]) -> Iterator[Line]:
    for name, figures in found.items():
        for key, title in _SHOWN.items():
            told = reported.get(key) if name == STAGE else None
            low, high = figures["intervals"].get(key) or (None, None)
            where = _WHERE if told is not None else ""
            yield Line(name, title, told, where, figures[key], low, high, figures["n"], "fields")


def _findings(found: Mapping[str, Any]) -> Iterator[str]:
    own = found[STAGE]["dice"]
    for name, figures in found.items():
        if name != STAGE and own is not None and figures["dice"] is not None:
            verb = "more" if figures["dice"] > own else "no more"
            yield (
                f"{name} covers {verb} of the masks than {STAGE}: Dice {figures['dice']:.3f} "
                f"beside {own:.3f}"
            )


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "bloodcell_net",
        "Cells against ground by the U-Net of BloodCell-Net",
        "Mondal et al. 2024, BloodCell-Net",
        "section 4.1",
        ("bbbc041seg",),
        ForegroundTable(),
        "fields of PBC with masks",
    ),
)
