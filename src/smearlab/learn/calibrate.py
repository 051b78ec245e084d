"""What a trained network must still be told: score thresholds, temperature, confidence.

All are chosen on the ``tune`` part: sources that neither train nor validate. What a red cell's
surroundings say of it is learnt from the training part as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_expit
from torch import nn

from smearlab.datasets.box_fields import BoxedField
from smearlab.datasets.cell_patches import PATCH_CONTEXT, PATCH_PX, Patches
from smearlab.errors import UsageError
from smearlab.instances.detections import overlaps
from smearlab.instances.presence import Presence, evidence, visible_shares
from smearlab.learn.objectives import image_batch
from smearlab.pipeline import Analyzer
from smearlab.preprocess.crops import crop_cell
from smearlab.types import ELEMENTS, Cell, Element, Field

_GRID = np.round(np.arange(0.3, 0.71, 0.01), 2)
_LOWEST_SCORE = 0.15  # candidates below are never looked at
_PENALTY = 0.05  # on the squared distance of a presence curve from the identity
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
    visible : ndarray of float64, shape (N,)
        See :func:`smearlab.instances.presence.visible_shares`.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    true: int
    visible: NDArray[np.float64]


class Scores(NamedTuple):
    """What the tuning part says of a segmenter.

    Parameters
    ----------
    thresholds : dict of str to float
        Lowest score that counts as a cell, for each element: of red cells, one half of what
        ``presence`` gives; of the others see :func:`best_threshold`.
    presence : Presence
        Of red cells; see :func:`presence_curves`.
    """

    thresholds: dict[Element, float]
    presence: Presence


def score_thresholds(
    bundle: Path, fields: Sequence[BoxedField], learnt: Sequence[BoxedField] = ()
) -> Scores:
    """What counts as a cell, for each element.

    Red cells are counted, so theirs is counted when people would more likely than not have boxed
    it; white cells and platelets must not be missed, so a low score does.

    Parameters
    ----------
    bundle : Path
        Of a segmenter with centre heads, whose card has no ``presence`` yet.
    fields : sequence of BoxedField
        The tuning part. Those of which some cells of an element have no box say nothing about
        that element.
    learnt : sequence of BoxedField
        Fields that the network was trained on. They help to find the presence of red cells, whose
        few coefficients depend less on fields being unseen than on there being many.

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
    for field in learnt:
        if "RBC" not in field.incomplete:
            cells = analyzer.detect(Field(field.pixels, field.name), _LOWEST_SCORE)
            tallies["RBC"].append(tally(cells, field, "RBC"))
    thresholds: dict[Element, float] = {"RBC": 0.5}
    thresholds |= {element: best_threshold(tallies[element]) for element in ("WBC", "PLT")}
    return Scores(thresholds, presence_curves(tallies["RBC"]))


def presence_curves(tallies: Sequence[Tally]) -> Presence:
    """The probability of being boxed by a person, from the heat and what is seen of a cell.

    Logistic regression, held near the identity (the heat itself, whatever is seen) by a weak
    quadratic penalty, so that few cells, or none of a kind, cannot lead it astray.

    Parameters
    ----------
    tallies : sequence of Tally
        One a field; none gives the identity.
    """
    identity = np.array([1.0, 0.0, 1.0, 0.0, 0.0])
    rows = [evidence(one.scores.astype(np.float32), one.visible) for one in tallies]
    hits = np.concatenate([np.empty(0, bool), *(one.hits for one in tallies)])
    signed = np.where(hits, 1.0, -1.0)[:, None] * np.concatenate([np.empty((0, 5)), *rows])

    def cost(curve: NDArray[np.float64]) -> float:
        likelihood = float(log_expit(signed @ curve).sum())
        return _PENALTY * float(((curve - identity) ** 2).sum()) - likelihood

    bounds = [(0.05, None), (None, None), (0.05, None), (None, None), (None, None)]
    best = minimize(cost, identity, method="L-BFGS-B", bounds=bounds).x.round(4).tolist()
    return Presence((best[0], best[1]), (best[2], best[3], best[4]))


def _turned(field: BoxedField) -> Iterator[BoxedField]:
    """A field in its four quarter turns: few rare cells then say more about their scores."""
    pixels, boxes = field.pixels, field.boxes
    for _ in range(4):
        yield replace(field, pixels=pixels, boxes=boxes)
        width = pixels.shape[1]
        pixels = np.ascontiguousarray(np.rot90(pixels))
        x0, y0, x1, y1 = boxes.T
        boxes = np.stack([y0, width - x1, y1, width - x0], axis=1)


def best_threshold(tallies: Sequence[Tally]) -> float:
    """The threshold of the highest F2, the lowest of equals: a cell must not be missed.

    Parameters
    ----------
    tallies : sequence of Tally
        One a field; none gives the beginning of the grid.

    Returns
    -------
    float
        Of 0.30, 0.31 … 0.70.
    """
    goods = []
    for threshold in _GRID:
        right = sum(int(np.sum(one.hits[one.scores >= threshold])) for one in tallies)
        false = sum(int(np.sum(one.scores >= threshold)) for one in tallies) - right
        missed = sum(one.true for one in tallies) - right
        goods.append(5 * right / max(1, 5 * right + 4 * missed + false))
    return float(_GRID[np.flatnonzero(np.isclose(goods, max(goods)))[0]])


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
    boxes = np.array([c.bbox for c in own], np.float32).reshape(-1, 4)
    height_px, width_px = field.pixels.shape[:2]
    visible = visible_shares(boxes, scores.astype(np.float32), width_px, height_px)
    return Tally(scores, np.array(hits, bool), len(true), visible)


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
