"""Masks from boxes, against simulated fields whose masks are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from smearlab.datasets.box_masks import CODE_OF_ELEMENT, IGNORE, background_distance, element_map
from smearlab.datasets.simulator import SimulatedField, SmearConfig, simulate_field
from smearlab.types import Element

CONFIG = SmearConfig(height_px=288, width_px=384, rbc_diameter_px=44, n_rbc=24, n_wbc=2, n_plt=4)
APART = SmearConfig(
    height_px=288, width_px=384, rbc_diameter_px=44, n_rbc=14, n_wbc=1, n_plt=3,
    touching=0, overlap=0, inside=True, gap_px=14,
)  # fmt: skip


def boxes_of(truth: SimulatedField) -> tuple[NDArray[np.float32], list[Element]]:
    boxes = np.array([cell.bbox for cell in truth.cells], np.float32)
    return boxes, [cell.element for cell in truth.cells]


def true_map(truth: SimulatedField) -> NDArray[np.uint8]:
    codes = [0, *(CODE_OF_ELEMENT[cell.element] for cell in truth.cells)]
    return np.array(codes, np.uint8)[truth.labels.array]


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("look", ["cream", "pink", "grey"])
def test_masks_from_boxes_are_nearly_the_true_ones(look: str) -> None:
    scores: dict[str, list[float]] = {"RBC": [], "WBC": []}
    for seed in (1, 2):
        truth = simulate_field(seed, replace(CONFIG, look=look))
        found, true = element_map(truth.field.pixels, *boxes_of(truth)), true_map(truth)
        for element, values in scores.items():
            code = CODE_OF_ELEMENT[element]  # type: ignore[index]
            values.append(dice(found == code, true == code))
    assert min(scores["RBC"]) > 0.85
    assert min(scores["WBC"]) > 0.85


def test_they_are_better_than_ellipses_in_boxes() -> None:
    """Oval cells that lie askew do not fill the ellipse of their box."""
    truth = simulate_field(4, replace(APART, oval=1.0, dense=0.0))
    boxes, elements = boxes_of(truth)
    found = element_map(truth.field.pixels, boxes, elements) == 1
    ellipses = np.zeros(found.shape, bool)
    y, x = np.mgrid[: found.shape[0], : found.shape[1]] + 0.5
    for (x0, y0, x1, y1), element in zip(boxes, elements, strict=True):
        if element == "RBC":
            reach = ((2 * x - x0 - x1) / (x1 - x0)) ** 2 + ((2 * y - y0 - y1) / (y1 - y0)) ** 2
            ellipses |= reach <= 1
    true = true_map(truth) == 1
    assert dice(found, true) > dice(ellipses, true) + 0.01


def test_what_looks_like_a_cell_but_has_no_box_is_ignored() -> None:
    truth = simulate_field(2, APART)
    boxes, elements = boxes_of(truth)
    lonely = elements.index("RBC")
    rest = [n for n in range(len(elements)) if n != lonely]
    marks = element_map(truth.field.pixels, boxes[rest], [elements[n] for n in rest])
    inside = marks[truth.labels.array == lonely + 1]
    assert (inside == IGNORE).mean() > 0.8
    assert np.isin(inside, [0, IGNORE]).all()
    whole = element_map(truth.field.pixels, boxes, elements)
    assert (whole == IGNORE).mean() < 0.01
    # Far from every cell there is background in both.
    away = truth.labels.array == 0
    assert (marks[away] == 0).mean() > 0.95


def test_inside_boxes_nothing_is_ignored() -> None:
    truth = simulate_field(3, CONFIG)
    boxes, elements = boxes_of(truth)
    marks = element_map(truth.field.pixels, boxes, elements)
    for x0, y0, x1, y1 in boxes.astype(int):
        assert not (marks[y0:y1, x0:x1] == IGNORE).any()


def test_a_true_mask_of_white_cells_takes_the_place_of_their_boxes() -> None:
    truth = simulate_field(5, APART)
    boxes, elements = boxes_of(truth)
    white = np.zeros(truth.labels.array.shape, bool)
    x0, y0, x1, y1 = boxes[elements.index("WBC")].astype(int)
    white[(y0 + y1) // 2 :, :] = True  # only the lower half is a cell, says the mask
    marks = element_map(truth.field.pixels, boxes, elements, white)
    code = CODE_OF_ELEMENT["WBC"]
    assert not (marks[: (y0 + y1) // 2] == code).any()
    assert (marks[(y0 + y1) // 2 : y1 - 8, (x0 + x1) // 2] == code).all()


def test_a_field_without_boxes_claims_no_cell() -> None:
    truth = simulate_field(1, APART)
    marks = element_map(truth.field.pixels, np.empty((0, 4), np.float32), [])
    assert set(np.unique(marks)) == {0, IGNORE}
    cells = truth.labels.array > 0
    assert (marks[cells] == IGNORE).mean() > 0.8
    assert (marks[~cells] == 0).mean() > 0.9


def test_boxes_at_and_beyond_the_edge_do_no_harm() -> None:
    truth = simulate_field(1, CONFIG)
    height, width = truth.labels.array.shape
    boxes = np.array(
        [(-10, -10, 8, 8), (width - 3, 20, width + 20, 60), (50, 50, 51, 51), (60, 60, 60.5, 90)],
        np.float32,
    )
    marks = element_map(truth.field.pixels, boxes, ["RBC", "RBC", "PLT", "PLT"])
    assert marks.shape == (height, width)


def test_the_distance_is_that_from_the_slide() -> None:
    pixels = np.full((40, 60, 3), (230, 225, 210), np.uint8)
    pixels[10:30, 20:40] = (90, 40, 120)
    covered = np.zeros((40, 60), bool)
    covered[8:32, 18:42] = True
    distance = background_distance(pixels, covered)
    assert distance[5, 5] == pytest.approx(0, abs=0.5)
    assert distance[20, 30] > 50
