"""A stage of a recipe from data to bundle: train, calibrate, export."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from torch import nn

from smearlab import __version__
from smearlab.learn.calibrate import (
    cell_logits,
    confidence_threshold,
    score_thresholds,
    temperature,
)
from smearlab.learn.export import TypesGraph, freeze, write_bundle
from smearlab.learn.recipe import Recipe, Stage
from smearlab.learn.train.checkpoints import load_weights, parameter_count
from smearlab.learn.train.supervised import fit
from smearlab.learn.training_data import TrainingData


def train_stage(
    recipe: Recipe, stage: Stage, data: TrainingData, run: Path, *, show: bool = True
) -> nn.Module:
    """Train one stage in the folder ``run``, or go on with it."""
    torch.manual_seed(stage.train.seed)
    describe = {
        "recipe": recipe.name,
        "stage": stage.name,
        "view": dataclasses.asdict(stage.view),
        "data": "simulated" if data.folder is None else stage.card["data"],
        "deviations": list(recipe.deviations),
    }
    model = stage.model()
    if stage.start_from is not None:
        load_weights(run.parent / stage.start_from / "model.safetensors", model)
    return fit(
        model,
        data.samples(stage),
        stage.objective,
        stage.train,
        run,
        describe=describe,
        show=show,
    )


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
    graph = stage.graph(model)
    if stage.kind == "classifier":
        graph, card = _calibrated(model, stage, data, card)
    elif card["decoder"] == "centres":
        card["thresholds"] = {"RBC": 0.4, "WBC": 0.4, "PLT": 0.35}
        if data.folder is not None:
            write_bundle(bundle, graph, example, card)
            card["thresholds"] = score_thresholds(bundle, data.fields("tune"))
    return write_bundle(bundle, graph, example, card)


def _calibrated(
    model: nn.Module, stage: Stage, data: TrainingData, card: dict[str, Any]
) -> tuple[nn.Module, dict[str, Any]]:
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
