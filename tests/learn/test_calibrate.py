"""Calibration: thresholds that are best for a known reason, a temperature that is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from drawn_cells import make_cell
from smearlab.datasets.box_fields import BoxedField
from smearlab.datasets.cell_patches import PATCH_PX, Patches
from smearlab.errors import UsageError
from smearlab.instances.presence import Presence
from smearlab.learn.calibrate import (
    Tally,
    _turned,
    best_threshold,
    cell_logits,
    confidence_threshold,
    presence_curves,
    score_thresholds,
    tally,
)
from smearlab.pipeline import Analyzer
from smearlab.types import Cell, Element, Field
from tiny_bundles import draw_discs, write_segmenter


def made(hits: list[float], false: list[float], missed: int = 0) -> Tally:
    scores = np.array([*hits, *false])
    inside = np.full(len(scores), np.nan)
    return Tally(scores, np.arange(len(scores)) < len(hits), len(hits) + missed, inside)


def boxed(
    boxes: list[tuple[float, ...]],
    elements: tuple[Element, ...],
    pixels: np.ndarray | None = None,
) -> BoxedField:
    if pixels is None:
        pixels = np.zeros((160, 192, 3), np.uint8)
    array = np.array(boxes, np.float32).reshape(-1, 4)
    return BoxedField("f", "o", "g", pixels, array, elements, pixels[..., 0])


def test_between_true_and_false_the_lowest_threshold_is_taken() -> None:
    fields = [made([0.9, 0.6, 0.605], [0.4, 0.25]), made([0.8], [0.402])]
    assert best_threshold(fields) == 0.41


def test_cells_must_not_be_missed() -> None:
    """Low: 10 found of 10, 3 false. High: 9 of 10, none false. F2 wants the first (50/53 against
    45/49)."""
    assert best_threshold([made([0.8] * 9 + [0.355], [0.395] * 3)]) <= 0.355
    # With four times as many false ones F2 wants the higher: 50/62 against 45/49.
    assert best_threshold([made([0.8] * 9 + [0.355], [0.395] * 12)]) > 0.395


def test_an_element_that_never_occurs_gets_a_threshold_all_the_same() -> None:
    nothing = Tally(np.empty(0), np.empty(0, bool), 0, np.empty(0))
    assert best_threshold([nothing] * 3) == 0.3


def test_known_presence_curves_come_back() -> None:
    rng = np.random.default_rng(5)
    true = Presence((2.5, 1.0), (1.8, -4.0, 7.0))
    visible = np.where(rng.random(40_000) < 0.5, rng.uniform(0.1, 1, 40_000), np.nan)
    scores = rng.uniform(0.15, 0.95, 40_000)
    hits = rng.random(40_000) < true(scores.astype(np.float32), visible)
    found = presence_curves([Tally(scores, hits, int(hits.sum()), visible)])
    np.testing.assert_allclose(found.whole, true.whole, rtol=0.08)
    np.testing.assert_allclose(found.cut, true.cut, rtol=0.08)


def test_without_cells_presence_is_the_heat() -> None:
    assert presence_curves([]) == Presence((1.0, 0.0), (1.0, 0.0, 0.0))
    assert presence_curves([made([], [])]) == Presence((1.0, 0.0), (1.0, 0.0, 0.0))


def test_a_true_cell_is_hit_once_by_the_best_candidate() -> None:
    field = boxed([(40, 40, 60, 60), (100, 40, 120, 60)], ("RBC", "WBC"))

    def cell(box: tuple[int, int, int, int], score: float, kind: str = "erythrocyte") -> Cell:
        return replace(make_cell(kind, box=box), detection_score=score)

    cells = [
        cell((41, 41, 61, 61), 0.5),  # the same cell once more
        cell((40, 40, 60, 60), 0.9),
        cell((100, 40, 120, 60), 0.8),  # a red cell where a white one is
        cell((54, 40, 74, 60), 0.3),  # IoU below ½
        cell((100, 40, 118, 58), 0.7, "monocyte"),
    ]
    red = tally(cells, field, "RBC")
    assert red.scores.tolist() == [0.9, 0.8, 0.5, 0.3]
    assert red.hits.tolist() == [True, False, False, False]
    assert red.true == 1
    white = tally(cells, field, "WBC")
    assert (white.scores.tolist(), white.hits.tolist(), white.true) == ([0.7], [True], 1)
    none = tally(cells, field, "PLT")
    assert (len(none.scores), len(none.hits), none.true) == (0, 0, 0)
    assert not tally(cells, boxed([], ()), "RBC").hits.any()


def test_a_stain_without_a_box_is_less_likely_than_a_cell(tmp_path: Path) -> None:
    """Full red discs are boxed, half as red ones are not."""
    bundle = write_segmenter(tmp_path, thresholds={"RBC": 0.9, "WBC": 0.9, "PLT": 0.9})
    discs = [(40, 40, "RBC"), (100, 44, "RBC"), (60, 110, "WBC"), (140, 116, "PLT")]
    stain = [(150, 40, (255, 110, 110))]
    pixels = draw_discs([*discs, *stain], (192, 160))
    boxes = [(x - 12, y - 12, x + 12, y + 12) for x, y, _ in discs]
    field = boxed(boxes, tuple(e for _, _, e in discs), pixels)
    found = score_thresholds(bundle, [field], [field] * 6)
    heat = sorted(
        c.detection_score
        for c in Analyzer.load(str(bundle), None).detect(Field(field.pixels, field.name), 0.05)
        if c.element == "RBC"
    )
    assert len(heat) == 3 and heat[0] > 0.2, "the stain is meant to be mistaken for a cell"
    chances = found.presence(np.array(heat, np.float32), np.full(3, np.nan))
    assert chances[0] < found.thresholds["RBC"] == 0.5 < chances[1]
    assert set(found.thresholds) == {"RBC", "WBC", "PLT"}


def test_a_field_without_all_its_red_cells_says_nothing_about_them(tmp_path: Path) -> None:
    """A stain that one field calls a red cell and the other does not."""
    bundle = write_segmenter(tmp_path, thresholds={"RBC": 0.9, "WBC": 0.9, "PLT": 0.9})
    pixels = draw_discs([(40, 40, "RBC"), (150, 40, (255, 110, 110))], (192, 160))
    strict = boxed([(28, 28, 52, 52)], ("RBC",), pixels)
    lenient = boxed([(28, 28, 52, 52), (138, 28, 162, 52)], ("RBC", "RBC"), pixels)
    alone = score_thresholds(bundle, [strict]).presence
    weak = (np.array([0.4], np.float32), np.array([np.nan]))
    mixed = score_thresholds(bundle, [strict], [lenient] * 12).presence
    assert mixed(*weak)[0] > alone(*weak)[0]
    poor = replace(lenient, incomplete=frozenset({"RBC"}))
    assert score_thresholds(bundle, [strict, poor], [poor] * 3).presence == alone


def test_the_quarter_turns_keep_the_boxes_on_their_cells(tmp_path: Path) -> None:
    pixels = np.zeros((50, 80, 3), np.uint8)
    pixels[10:20, 30:45] = 255
    field = boxed([(30, 10, 45, 20)], ("RBC",), pixels)
    for turned in _turned(field):
        x0, y0, x1, y1 = turned.boxes[0].astype(int)
        inside = turned.pixels[y0:y1, x0:x1]
        assert (inside == 255).all() and inside.size == (pixels == 255).sum()


def test_without_fields_there_is_nothing_to_choose_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no fields to choose the thresholds of"):
        score_thresholds(tmp_path, [])


def test_the_confidence_threshold_costs_the_share_that_it_may() -> None:
    confidence = np.linspace(0.3, 0.4, 1001)
    probabilities = np.stack([confidence, *(np.stack([(1 - confidence) / 3] * 3))], axis=1)
    targets = np.zeros(1001, np.int64)
    threshold = confidence_threshold(probabilities, targets, lost=0.1)
    assert (confidence < threshold).mean() == pytest.approx(0.1, abs=0.002)
    # Wrong answers have no say.
    wrong = np.where(np.arange(1001) < 500, 1, 0)
    assert confidence_threshold(probabilities, wrong, lost=0.1) > threshold


def test_the_confidence_threshold_is_never_above_a_half_nor_made_of_nothing() -> None:
    sure = np.tile([0.97, 0.03], (50, 1))
    assert confidence_threshold(sure, np.zeros(50, np.int64)) == 0.5
    assert confidence_threshold(sure, np.ones(50, np.int64)) == 0.0


class MiddleColour(nn.Module):
    """Logits: the mean colour of the middle quarter of a crop."""

    def forward(self, x: Tensor) -> Tensor:
        assert not self.training
        quarter = x.shape[-1] // 4
        return x[..., quarter:-quarter, quarter:-quarter].mean((2, 3))


def test_logits_are_those_of_crops_as_the_bench_cuts_them() -> None:
    """A patch shows two boxes; a crop with context 1 shows the box alone."""
    colours = np.random.default_rng(0).integers(0, 256, (7, 3)).astype(np.uint8)
    pixels = np.zeros((7, PATCH_PX, PATCH_PX, 3), np.uint8)
    quarter = PATCH_PX // 4
    pixels[:, quarter:-quarter, quarter:-quarter] = colours[:, None, None]
    names = np.array(["x"] * 7)
    patches = Patches(pixels, names, names, names, names)
    card = {"input_px": 32, "context": 1.0}
    logits = cell_logits(MiddleColour().train(), patches, card, batch=3)
    assert logits.shape == (7, 3) and logits.dtype == np.float64
    np.testing.assert_allclose(logits, colours / 255, atol=1e-6)
    wide = cell_logits(MiddleColour(), patches, {"input_px": 32, "context": 4.0})
    assert (wide <= logits + 1e-6).all() and wide.sum() < 0.9 * logits.sum()
    assert torch.is_grad_enabled()
