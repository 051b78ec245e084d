"""What a trained network must still be told: score thresholds, temperature, confidence.

All are chosen on the ``tune`` part: sources that neither train nor validate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from torch import nn

from smearlab.datasets.box_fields import BoxedField
from smearlab.datasets.cell_patches import PATCH_CONTEXT, PATCH_PX, Patches
from smearlab.errors import UsageError
from smearlab.instances.detections import overlaps
from smearlab.learn.objectives import image_batch
from smearlab.pipeline import Analyzer
from smearlab.preprocess.crops import crop_cell
from smearlab.types import ELEMENTS, Cell, Element, Field

_GRID = np.round(np.arange(0.3, 0.71, 0.01), 2)
_LOWEST_SCORE = 0.15  # candidates below are never looked at
_HIT = 0.5  # overlap (IoU) at which a candidate is the true cell


class Tally(NamedTuple):
    """What was found of one element in one field.

    Parameters
    ----------
    scores : ndarray of float64, shape (N,)
        Of every candidate, in [0, 1].
    hits : ndarray of bool, shape (N,)
        Whether the candidate is a true cell; each true cell is hit once at most.
    true : int
        Number of true cells.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    true: int


class Scores(NamedTuple):
    """What the tuning part says of a segmenter.

    Parameters
    ----------
    thresholds : dict of str to float
        Lowest score that counts as a cell, for each element; see :func:`best_threshold`.
    count_error : float
        Mean relative error of a field's red-cell count at that threshold.
    """

    thresholds: dict[Element, float]
    count_error: float


def score_thresholds(bundle: Path, fields: Sequence[BoxedField]) -> Scores:
    """Lowest score that counts as a cell, for each element.

    Parameters
    ----------
    bundle : Path
        Of a segmenter with centre heads.
    fields : sequence of BoxedField
        The tuning part. Those of which some cells of an element have no box say nothing about
        that element.

    Raises
    ------
    UsageError
        If there are no fields.
    """
    if not fields:
        raise UsageError(f"there are no fields to choose the thresholds of {bundle.name} on")
    analyzer = Analyzer.load(str(bundle), None)
    tallies: dict[Element, list[Tally]] = {element: [] for element in ELEMENTS}
    for field in (turned for one in fields for turned in _turned(one)):
        cells = analyzer.detect(Field(field.pixels, field.name), _LOWEST_SCORE)
        for element in ELEMENTS:
            if element not in field.incomplete:
                tallies[element].append(tally(cells, field, element))
    thresholds = {element: best_threshold(element, tallies[element]) for element in ELEMENTS}
    return Scores(thresholds, _count_error(tallies["RBC"], thresholds["RBC"]))


def _count_error(tallies: Sequence[Tally], threshold: float) -> float:
    """Mean relative error of the counts; NaN without fields."""
    found = np.array([np.sum(scores >= threshold) for scores, _, _ in tallies])
    true = np.array([true for _, _, true in tallies])
    return float((np.abs(found - true) / np.maximum(1, true)).mean()) if len(true) else math.nan


def _turned(field: BoxedField) -> Iterator[BoxedField]:
    """A field in its four quarter turns: few rare cells then say more about their scores."""
    pixels, boxes = field.pixels, field.boxes
    for _ in range(4):
        yield replace(field, pixels=pixels, boxes=boxes)
        width = pixels.shape[1]
        pixels = np.ascontiguousarray(np.rot90(pixels))
        x0, y0, x1, y1 = boxes.T
        boxes = np.stack([y0, width - x1, y1, width - x0], axis=1)


def best_threshold(element: Element, tallies: Sequence[Tally]) -> float:
    """The threshold that serves an element best.

    Red cells are counted, so theirs gives the least mean error of the count, relative to the true
    one; white cells and platelets must not be missed, so theirs give the highest F2. Of equals the
    middle is taken for red cells, the lowest for the others.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}
    tallies : sequence of Tally
        One a field; none gives the middle of the grid, or its beginning.

    Returns
    -------
    float
        Of 0.30, 0.31 … 0.70.
    """
    goods = []
    for threshold in _GRID:
        if element == "RBC":
            goods.append(-_count_error(tallies, float(threshold)) if tallies else 0.0)
            continue
        right = sum(int(np.sum(hits[scores >= threshold])) for scores, hits, _ in tallies)
        false = sum(int(np.sum(scores >= threshold)) for scores, _, _ in tallies) - right
        missed = sum(true for _, _, true in tallies) - right
        goods.append(5 * right / max(1, 5 * right + 4 * missed + false))
    best = np.flatnonzero(np.isclose(goods, max(goods)))
    return float(_GRID[best[len(best) // 2] if element == "RBC" else best[0]])


def tally(cells: Sequence[Cell], field: BoxedField, element: Element) -> Tally:
    """Compare the candidates of one element with the boxes of a field, best candidates first.

    Parameters
    ----------
    cells : sequence of Cell
        Candidates of any element.
    field : BoxedField
        Its boxes are the truth.
    element : {"RBC", "WBC", "PLT"}
    """
    true = field.boxes[[e == element for e in field.elements]]
    own = sorted((c for c in cells if c.element == element), key=lambda c: -c.detection_score)
    free, hits = np.ones(len(true), bool), []
    for cell in own:
        shared = overlaps(np.array(cell.bbox, np.float32), true) * free
        hit = bool(len(true)) and float(shared.max()) >= _HIT
        if hit:
            free[int(shared.argmax())] = False
        hits.append(hit)
    scores = np.array([c.detection_score for c in own], np.float64)
    return Tally(scores, np.array(hits, bool), len(true))


def cell_logits(
    model: nn.Module, patches: Patches, card: Mapping[str, object], batch: int = 64
) -> NDArray[np.float64]:
    """Logits of patches, cut as the bench cuts cells.

    Parameters
    ----------
    model : Module
        A classifier; put into evaluation mode.
    patches : Patches
        N of them, at least one.
    card : mapping
        ``input_px`` and ``context`` of the classifier's bundle.
    batch : int
        Cells in one call.

    Returns
    -------
    ndarray of float64, shape (N, K)
    """
    side, context = int(str(card["input_px"])), float(str(card["context"]))
    half = PATCH_PX / PATCH_CONTEXT / 2
    box = (PATCH_PX / 2 - half,) * 2 + (PATCH_PX / 2 + half,) * 2
    answers = []
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(patches.types), batch):
            crops = [
                crop_cell(p, box, side, context) for p in patches.pixels[start : start + batch]
            ]
            answers.append(model(image_batch(torch.from_numpy(np.stack(crops)))).double())
    return np.asarray(torch.cat(answers).numpy())


def temperature(logits: NDArray[np.float64], targets: NDArray[np.int64]) -> float:
    """Temperature of the least negative log-likelihood (Guo et al. 2017, section 4.2).

    Parameters
    ----------
    logits : ndarray of float64, shape (N, K)
        Of cells that were not trained on.
    targets : ndarray of int64, shape (N,)
        Their true classes.

    Returns
    -------
    float
        Within 0.3–3; logits are to be divided by it.
    """

    def cost(value: float) -> float:
        return float(-log_softmax(logits / value, axis=1)[np.arange(len(targets)), targets].mean())

    return float(minimize_scalar(cost, bounds=(0.3, 3.0), method="bounded").x)


def confidence_threshold(
    probabilities: NDArray[np.float64], targets: NDArray[np.int64], lost: float = 0.0025
) -> float:
    """Largest threshold, at most 0.5, that costs at most this share of the right answers.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (N, K)
        Calibrated.
    targets : ndarray of int64, shape (N,)
        True classes.
    lost : float
        Share of the right answers that may become *unidentified*, in [0, 1].

    Returns
    -------
    float
        0 if no answer is right.
    """
    right = probabilities.argmax(1) == targets
    if not right.any():
        return 0.0
    return float(min(0.5, np.quantile(probabilities.max(1)[right], lost)))
