"""What classifiers answer in another stain: of cells as they are, and normalised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import nn

from smearlab.evaluation.answer_figures import answer_figures
from smearlab.evaluation.runs import Predictions
from smearlab.learn.classifier_run import ClassifierRun
from smearlab.learn.held_out import HeldOutPictures
from smearlab.learn.reproduce.experiment import Asked
from smearlab.learn.reproduce.third_stain import TYPED, third_cells
from smearlab.stain.normaliser import Normaliser

VARIED_STAINS = "varied stains in training"
Pixels = NDArray[np.uint8]


def figures_of(answered: Predictions, keep: NDArray[np.bool_] | None = None) -> dict[str, Any]:
    """Accuracy with interval, and of each type that occurs; of some pictures, or of all."""
    keep = np.ones(len(answered.targets), bool) if keep is None else keep
    names, targets = np.array(answered.classes, dtype=object), answered.targets[keep]
    there = [name for n, name in enumerate(answered.classes) if (targets == n).any()]
    others = [name for name in answered.classes if name not in there]
    said = names[answered.logits[keep].argmax(1)].tolist()
    return answer_figures(names[targets].tolist(), said, answered.groups[keep], there, others)


def shrunk(pictures: Pixels, side_px: int) -> Pixels:
    """Pictures at the side that a classifier sees."""
    size = (side_px, side_px)
    return np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in pictures])


def third_answers(
    run: ClassifierRun,
    learned: nn.Module,
    knows_stains: nn.Module,
    normalisers: Mapping[str, Normaliser],
    asked: Asked,
    finer: int,
) -> dict[str, Any]:
    """Answers to cells of a stain that neither network nor normaliser has seen.

    Parameters
    ----------
    run : ClassifierRun
    learned, knows_stains : Module
        The run's network, and the one that learned from varied stains.
    normalisers : mapping of str to Normaliser
    asked : Asked
    finer : int
        Cells are normalised at so many times the side that the networks see.

    Returns
    -------
    dict
        What was done → figures; empty where there are no such cells.
    """
    cells = third_cells(run, finer * run.input_px, asked)
    if cells is None:
        return {}
    fine = HeldOutPictures(cells).pixels

    def told(pixels: Pixels, network: nn.Module) -> dict[str, Any]:
        shown = HeldOutPictures(cells, shrunk(pixels, run.input_px))
        return figures_of(shown.predictions(network))

    found = {"as it is": told(fine, learned), VARIED_STAINS: told(fine, knows_stains)}
    for name, normaliser in normalisers.items():
        asked.say(f"{name}: {len(fine)} cells of {TYPED}")
        made = np.stack([normaliser.apply(one) for one in fine])
        found[name] = told(made, learned)
        found[f"{name} and {VARIED_STAINS}"] = told(made, knows_stains)
    return found
