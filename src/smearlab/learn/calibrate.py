"""What a trained network must still be told: score thresholds, temperature, confidence.

All are chosen on the ``tune`` part: sources that neither train nor validate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from smearlab.datasets.box_fields import BoxedField
from smearlab.datasets.cell_patches import PATCH_CONTEXT, PATCH_PX, Patches
from smearlab.instances.detections import overlaps
from smearlab.learn.objectives import image_batch
from smearlab.pipeline import Analyzer
from smearlab.preprocess.crops import crop_cell
from smearlab.types import ELEMENTS, Element, Field

_GRID = np.round(np.arange(0.2, 0.71, 0.01), 2)


def score_thresholds(bundle: Path, fields: Sequence[BoxedField]) -> dict[Element, float]:
    """Lowest score that counts as a cell, for each element.

    Red cells are counted, so theirs gives the least mean error of the count; white cells and
    platelets must not be missed, so theirs give the highest F2. Of equals the middle is taken.

    Parameters
    ----------
    bundle : Path
        Of a segmenter with centre heads.
    fields : sequence of BoxedField
        The tuning part.
    """
    analyzer = Analyzer.load(str(bundle), None)
    tallies = [_matches(analyzer.detect(Field(f.pixels, f.name), 0.15), f) for f in fields]
    chosen: dict[Element, float] = {}
    for element in ELEMENTS:
        goods = []
        for threshold in _GRID:
            counts = np.array(
                [
                    ((scores >= threshold).sum(), hits[scores >= threshold].sum(), n)
                    for scores, hits, n in (tally[element] for tally in tallies)
                ]
            )
            found, right, true = counts.T
            if element == "RBC":
                goods.append(-np.abs(found - true).mean())
            else:
                missed, false = true.sum() - right.sum(), found.sum() - right.sum()
                goods.append(5 * right.sum() / max(1, 5 * right.sum() + 4 * missed + false))
        best = np.flatnonzero(np.isclose(goods, max(goods)))
        chosen[element] = float(_GRID[best[len(best) // 2]])
    return chosen


def _matches(
    cells: Sequence[object], field: BoxedField
) -> dict[Element, tuple[NDArray[np.float64], NDArray[np.bool_], int]]:
    """Scores and hits (IoU ≥ 0.5) of every element, with the number of true cells."""
    result: dict[Element, tuple[NDArray[np.float64], NDArray[np.bool_], int]] = {}
    for element in ELEMENTS:
        true = field.boxes[[e == element for e in field.elements]]
        own = sorted(
            (c for c in cells if c.element == element),  # type: ignore[attr-defined]
            key=lambda c: -c.detection_score,
        )
        free, hits = np.ones(len(true), bool), []
        for cell in own:
            shared = overlaps(np.array(cell.bbox, np.float32), true) * free
            hit = bool(len(true)) and float(shared.max()) >= 0.5
            if hit:
                free[int(shared.argmax())] = False
            hits.append(hit)
        scores = np.array([c.detection_score for c in own])
        result[element] = (scores, np.array(hits, bool), len(true))
    return result


def cell_logits(
    model: nn.Module, patches: Patches, card: Mapping[str, object], batch: int = 64
) -> NDArray[np.float64]:
    """Logits of patches cut as the bench cuts them, shape (N, K)."""
    side, context = int(str(card["input_px"])), float(str(card["context"]))
    half = PATCH_PX / PATCH_CONTEXT / 2
    box = (PATCH_PX / 2 - half,) * 2 + (PATCH_PX / 2 + half,) * 2
    answers = []
    with torch.inference_mode():
        for start in range(0, len(patches.types), batch):
            crops = [
                crop_cell(p, box, side, context) for p in patches.pixels[start : start + batch]
            ]
            answers.append(model.eval()(image_batch(torch.from_numpy(np.stack(crops)))).double())
    return np.asarray(torch.cat(answers).numpy())


def temperature(logits: NDArray[np.float64], targets: NDArray[np.int64]) -> float:
    """Temperature of the least negative log-likelihood (Guo et al. 2017), within 0.3–3."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def cost(value: float) -> float:
        return float(-log_softmax(logits / value, axis=1)[np.arange(len(targets)), targets].mean())

    return float(minimize_scalar(cost, bounds=(0.3, 3.0), method="bounded").x)


def confidence_threshold(
    probabilities: NDArray[np.float64], targets: NDArray[np.int64], lost: float = 0.0025
) -> float:
    """Largest threshold, at most 0.5, that costs at most this share of the right answers."""
    right = probabilities.argmax(1) == targets
    if not right.any():
        return 0.0
    return float(min(0.5, np.quantile(probabilities.max(1)[right], lost)))
