"""A finished classifier run as a bundle, proven to answer as its checkpoint does."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from smearlab import __version__
from smearlab.errors import RunError, UnknownNameError, UsageError
from smearlab.evaluation.runs import SUMMARY, HeldOut, Predictions, RunSummary
from smearlab.evaluation.type_names import cell_type
from smearlab.io.images import read_field
from smearlab.learn.calibrate import confidence_threshold
from smearlab.learn.classifier_run import ClassifierRun, evenly, views
from smearlab.learn.data_credits import data_credits
from smearlab.learn.export import TypesGraph
from smearlab.learn.export_proof import (
    WEIGHTS,
    Weights,
    accuracy,
    keep_bundle,
    write_proven,
    write_quantized,
)
from smearlab.learn.run_classifier import PRETRAINED
from smearlab.metrics.calibration import temperature
from smearlab.pipeline import Analyzer
from smearlab.types import CELL_TYPES

_PARTS: tuple[HeldOut, ...] = ("val", "test")
#: Pictures that parity is proven on, that boxes are measured on, and that ranges are measured on.
_PROOF, _BOXES, _RANGES = 64, 32, 256


@dataclass(frozen=True)
class ExportConfig:
    """How a run becomes a bundle.

    Parameters
    ----------
    weights : {"auto", "half", "float"}
        Half floats halve the file. ``auto`` takes them where the bundle still answers within
        :data:`smearlab.learn.export_proof.PARITY` of the checkpoint.
    quantize : {"int8"} or None
    context : float or None
        Side of a view over the longer side of the cell's box, above 0; measured on the run's
        pictures when left out.
    data : Path or None
        Folder of the run's pictures, if they are no longer where they were.

    Raises
    ------
    UsageError
        If the context is not above 0.
    UnknownNameError
        If a name is unknown.
    """

    weights: Weights = "auto"
    quantize: str | None = None
    context: float | None = None
    data: Path | None = None

    def __post_init__(self) -> None:
        if self.weights not in WEIGHTS:
            raise UnknownNameError("kind of weights", self.weights, WEIGHTS)
        if self.quantize not in (None, "int8"):
            raise UnknownNameError("quantisation", str(self.quantize), ("int8",))
        if self.context is not None and not self.context > 0:
            raise UsageError(f"context must be above 0; received {self.context}")


def export_run(run: ClassifierRun, out: Path, config: ExportConfig) -> dict[str, Any]:
    """Write the bundle of a run.

    Parameters
    ----------
    run : ClassifierRun
    out : Path
        Folder of the bundle; made if missing, replaced if it is a bundle. Only written once the
        bundle is proven.
    config : ExportConfig

    Returns
    -------
    dict
        The bundle's card: with ``parity``, ``temperature``, ``threshold``, and of an int8 one
        ``quantised``.

    Raises
    ------
    RunError
        If the run is not sound, or the pictures are not in the folder that is named.
    UsageError
        If the context cannot be measured, or there are no pictures to quantise with.
    SmearlabError
        If the bundle does not answer as the checkpoint does.
    """
    seen = _validation_views(run, config)
    if config.quantize and seen is None:
        raise UsageError(
            f"{config.quantize} needs pictures to measure the ranges of activations on, and those "
            f"of {run.folder} cannot be reached: name their folder with --data"
        )
    card = _card(run, _context(run, config))
    graph = TypesGraph(run.network(), card["temperature"]).eval()
    with tempfile.TemporaryDirectory() as folder:
        bundle = write_proven(Path(folder) / "whole", graph, card, seen, config.weights)
        if config.quantize:
            bundle = write_quantized(
                Path(folder) / "int8",
                bundle,
                ranges_on=views(run.samples("train", config.data), _RANGES),
                measured_on=run.samples("val", config.data),
            )
        return keep_bundle(bundle, out)


def _validation_views(run: ClassifierRun, config: ExportConfig) -> NDArray[np.uint8] | None:
    """Real pictures to prove parity on; None where they cannot be reached."""
    try:
        return views(run.samples("val", config.data), _PROOF)
    except RunError:
        if config.data is not None:
            raise
        return None


def _card(run: ClassifierRun, context: float) -> dict[str, Any]:
    """Everything but what the proof and the file tell."""
    kept = {part: Predictions.load(run.folder, part) for part in _PARTS}
    validation = kept["val"]
    logits, targets = validation.logits.astype(np.float64), validation.targets
    # Rounded before it is used: the card tells the very number that is in the graph.
    heat = round(temperature(logits, targets), 4)
    threshold = confidence_threshold(softmax(logits / heat, axis=1), targets)
    clip_limit = run.recipe.view.clip_limit
    return {
        "kind": "classifier",
        "name": run.summary.recipe,
        "version": __version__,
        "network": run.recipe.network,
        "classes": list(known_names(run.classes)),
        "input_px": run.input_px,
        "context": round(context, 3),
        **({"clahe": {"clip_limit": clip_limit}} if clip_limit > 0 else {}),
        "temperature": heat,
        "threshold": round(threshold, 4),
        "tuned_on": len(targets),
        "parameters": run.summary.parameters,
        **_credits(run),
        "use": "Research use only.",
        "metrics": {
            part: accuracy(one.logits, one.targets, one.groups) for part, one in kept.items()
        },
        "training": run.asked,
    }


def _credits(run: ClassifierRun) -> dict[str, Any]:
    """What the network learned from, before its own training, too."""
    # Of a run with folds, what was trained before lies beside them.
    before = [at / PRETRAINED for at in (run.folder, run.folder.parent)]
    first = next((at for at in before if (at / SUMMARY).is_file()), None)
    if first is not None:
        return data_credits([*RunSummary.load(first).datasets, *run.summary.datasets])
    credits = data_credits(run.summary.datasets)
    given = run.asked.get("weights")
    if given:
        credits["data"].append(f"weights given with --weights, sha256 {given}…; see their licence")
    return credits


def known_names(classes: tuple[str, ...]) -> tuple[str, ...]:
    """The classes as the bench calls them, where each is a type of its own; else as they are.

    Parameters
    ----------
    classes : tuple of str

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> known_names(("ig", "NEUTROPHIL"))
    ('immature granulocyte', 'neutrophil')
    >>> known_names(("SNE", "BNE"))
    ('SNE', 'BNE')
    """
    try:
        types = tuple(cell_type(name) for name in classes)
    except UnknownNameError:
        return classes
    return types if len(set(types)) == len(types) else classes


def bench_knows(card: dict[str, Any]) -> bool:
    """Whether ``smearlab analyze`` takes the bundle: all its classes are types of cells."""
    return set(card["classes"]) <= set(CELL_TYPES[:-1])


def _context(run: ClassifierRun, config: ExportConfig) -> float:
    """Side of what a view shows over that of the cell's box, at the median of some pictures.

    Networks learn from squares of one size, the bench cuts squares round boxes: at the median
    both show the same.
    """
    if config.context is not None:
        return config.context
    try:
        samples = run.samples("val", config.data)
    except RunError as error:
        raise UsageError(
            "how much of its surroundings a cell is shown with is measured on the run's pictures, "
            f"but {error}; or say it with --context"
        ) from error
    analyzer = Analyzer.load("default", None)
    shares = []
    for n in evenly(len(samples), _BOXES):
        field = read_field(samples.manifest.file(samples.paths[n]))
        x0, y0, x1, y1 = analyzer.central_cell(field)
        side = int(samples.crops[n]) or min(field.width_px, field.height_px)
        shares.append(side / max(x1 - x0, y1 - y0))
    return float(np.median(shares))
