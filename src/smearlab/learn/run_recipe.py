"""A stage of a recipe from data to bundle: train, calibrate, export."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from scipy.special import softmax
from torch import nn

from smearlab import __version__
from smearlab.errors import UsageError
from smearlab.learn.calibrate import (
    cell_logits,
    confidence_threshold,
    score_thresholds,
)
from smearlab.learn.export import BundleGraph, TypesGraph, freeze, write_bundle
from smearlab.learn.objectives import image_batch
from smearlab.learn.recipe import Recipe, Stage
from smearlab.learn.train.checkpoints import WEIGHTS, load_weights, parameter_count
from smearlab.learn.train.sampling import SampleSource
from smearlab.learn.train.supervised import fit
from smearlab.learn.training_data import TrainingData
from smearlab.learn.warm_start import start_from_bundle, take_over
from smearlab.metrics.calibration import temperature


def run_stages(
    recipe: Recipe,
    stages: Sequence[Stage],
    data: Path | None,
    runs: Path,
    bundles: Path,
    *,
    start: str | None = None,
    show: bool = True,
) -> Iterator[Path]:
    """Train and export stages, one after the other.

    Parameters
    ----------
    recipe : Recipe
    stages : sequence of Stage
        Of the recipe, as they are or with overridden settings.
    data : Path or None
        Folder with ``manifest.csv``; None trains on simulated cells.
    runs, bundles : Path
        A stage's run and bundle get folders of its name in these.
    start : str, optional
        Bundle (short name or folder) whose weights the first stage starts from.
    show : bool
        Whether to draw progress bars.

    Yields
    ------
    Path
        Folder of each bundle, once it is written.
    """
    source = TrainingData(data, cache=runs)
    for stage in stages:
        taught_by = stage.start_from if stage.kind == "segmenter" else None
        teacher = bundles / (taught_by or "cell_centres")
        if teacher.is_dir():  # cells are found with what this recipe just trained
            source = TrainingData(data, runs, str(teacher))
        train_stage(recipe, stage, source, runs / stage.name, start=start, show=show)
        start = None
        yield export_stage(stage, source, runs / stage.name, bundles / stage.name)


def train_stage(
    recipe: Recipe,
    stage: Stage,
    data: TrainingData,
    run: Path,
    *,
    start: str | None = None,
    show: bool = True,
) -> nn.Module:
    """Train one stage, or go on with it.

    Parameters
    ----------
    recipe : Recipe
        Named in the run's configuration.
    stage : Stage
    data : TrainingData
        Its training part is used.
    run : Path
        Folder of the run; that of the stage it starts from lies beside it.
    start : str, optional
        Bundle to start from instead.
    show : bool
        Whether to draw a progress bar.

    Returns
    -------
    Module
        Trained, in evaluation mode.

    Raises
    ------
    UsageError
        If the stage that this one starts from has not been trained.
    """
    torch.manual_seed(stage.train.seed)
    describe = {
        "recipe": recipe.name,
        "stage": stage.name,
        "view": dataclasses.asdict(stage.view),
        "data": "simulated" if data.folder is None else stage.card["data"],
        "deviations": list(recipe.deviations),
    }
    samples = data.samples(stage)
    model = stage.model()
    if start is not None:
        describe["start"] = start
        start_from_bundle(model, stage.kind, start, _some_images(samples, stage.train.seed))
    elif stage.start_from is not None:
        weights = run.parent / stage.start_from / WEIGHTS
        if not weights.is_file():
            raise UsageError(
                f"{stage.name} starts from the weights of {stage.start_from}, but there is no "
                f"{weights}: train that stage first, or start from a bundle"
            )
        take_over(model, load_file(weights), str(weights))
    return fit(
        model,
        samples,
        stage.objective,
        stage.train,
        run,
        describe=describe,
        show=show,
    )


def _some_images(samples: SampleSource, seed: int, batches: int = 16) -> Iterator[torch.Tensor]:
    """Training images, sixteen at a time."""
    rng = np.random.default_rng([seed, 7])
    for _ in range(batches):
        drawn = rng.integers(len(samples), size=16).tolist()
        pixels = np.stack([samples.sample(n, rng)["pixels"] for n in drawn])
        yield image_batch(torch.from_numpy(pixels))


def export_stage(stage: Stage, data: TrainingData, run: Path, bundle: Path) -> Path:
    """Calibrate a trained stage on the tuning part and write its bundle.

    Parameters
    ----------
    stage : Stage
    data : TrainingData
        Its tuning part is used; with simulated cells nothing is tuned.
    run : Path
        Folder with ``model.safetensors``.
    bundle : Path
        Folder to write.

    Returns
    -------
    Path
        The folder.
    """
    model = load_weights(run / "model.safetensors", stage.model())
    parameters = parameter_count(model)
    freeze(model)
    card: dict[str, Any] = {
        "kind": stage.kind,
        "name": stage.name,
        "version": __version__,
        **stage.card,
        "parameters": parameters,
        "training": json.loads((run / "config.json").read_text()),
    }
    side = card.get("size_px") or card.get("input_px") or 64
    example = torch.zeros(1, side, side, 3, dtype=torch.uint8)
    graph: BundleGraph = stage.graph(model)
    if stage.kind == "classifier":
        graph, card = _calibrated(model, stage, data, card)
    elif card["decoder"] == "centres":
        card["thresholds"] = {"RBC": 0.4, "WBC": 0.4, "PLT": 0.35}
        if data.folder is not None and data.fields("tune"):
            card |= _tuned(bundle, graph, example, card, data)
    return write_bundle(bundle, graph, example, card)


def _tuned(
    bundle: Path,
    graph: BundleGraph,
    example: torch.Tensor,
    card: dict[str, Any],
    data: TrainingData,
) -> dict[str, Any]:
    """What counts as a cell, by the tuning part."""
    write_bundle(bundle, graph, example, card)
    scores = score_thresholds(bundle, data.fields("tune"), data.fields("train"))
    return {
        "thresholds": scores.thresholds,
        "presence": {"RBC": dataclasses.asdict(scores.presence)},
    }


def _calibrated(
    model: nn.Module, stage: Stage, data: TrainingData, card: dict[str, Any]
) -> tuple[BundleGraph, dict[str, Any]]:
    """Temperature and confidence threshold from the tuning part."""
    patches = data.patches
    tune = patches.take(
        (patches.parts == "tune") & ~np.isin(patches.origins, stage.exclude_origins)
    )
    if not len(tune.types):
        return TypesGraph(model), {**card, "threshold": 0.0, "temperature": 1.0}
    logits = cell_logits(model, tune, card)
    targets = np.array([card["classes"].index(kind) for kind in tune.types])
    heat = temperature(logits, targets)
    threshold = confidence_threshold(softmax(logits / heat, axis=1), targets)
    return TypesGraph(model, heat), {
        **card,
        "temperature": round(heat, 4),
        "threshold": round(threshold, 4),
        "tuned_on": len(targets),
    }
