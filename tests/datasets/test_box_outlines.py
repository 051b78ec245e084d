"""Outlines inside boxes, against the simulator's exact ones."""

from __future__ import annotations

import numpy as np
import pytest

from smearlab.datasets.box_masks import CODE_OF_ELEMENT, IGNORE, element_map
from smearlab.datasets.box_outlines import element_in_boxes
from smearlab.datasets.simulator import SimulatedField, SmearConfig, simulate_field
from smearlab.types import Element


@pytest.fixture(scope="module")
def truth() -> SimulatedField:
    config = SmearConfig(height_px=300, width_px=300, rbc_diameter_px=56, n_wbc=1, n_plt=3)
    return simulate_field(4, config)


def outlined(
    truth: SimulatedField, element: Element, boxed: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Target, unknown, and the exact mask; only the cells of ``boxed`` have boxes."""
    kept = [c for n, c in enumerate(truth.cells) if boxed is None or boxed[n]]
    boxes = np.array([cell.bbox for cell in kept], np.float32)
    elements = [cell.element for cell in kept]
    marks = element_map(truth.field.pixels, boxes, elements)
    own = [cell.label for cell in truth.cells if cell.element == element]
    return (
        *element_in_boxes(truth.field.pixels, boxes, elements, element, marks),
        np.isin(truth.labels.array, own),
    )


@pytest.mark.parametrize(("element", "least"), [("RBC", 0.95), ("WBC", 0.93), ("PLT", 0.85)])
def test_outlines_are_near_the_exact_ones(
    truth: SimulatedField, element: Element, least: float
) -> None:
    target, unknown, exact = outlined(truth, element)
    dice = 2 * (target & exact).sum() / (target.sum() + exact.sum())
    assert dice > least
    assert not (target & unknown).any()


def test_red_cells_without_a_box_are_unknown(truth: SimulatedField) -> None:
    red = np.array([cell.element == "RBC" for cell in truth.cells])
    boxed = np.ones(len(red), bool)
    boxed[np.flatnonzero(red)[::3]] = False
    target, unknown, exact = outlined(truth, "RBC", boxed)
    lost = np.isin(truth.labels.array, [c.label for n, c in enumerate(truth.cells) if not boxed[n]])
    assert (unknown | target)[lost & exact].mean() > 0.75
    assert unknown[~exact].mean() < 0.05
    everything, unknown_of_all, _ = outlined(truth, "RBC")
    assert unknown_of_all.sum() < unknown.sum()
    assert everything.sum() > target.sum()


@pytest.mark.parametrize("element", ["WBC", "PLT"])
def test_other_cells_are_those_of_the_map(truth: SimulatedField, element: Element) -> None:
    boxes = np.array([cell.bbox for cell in truth.cells], np.float32)
    elements = [cell.element for cell in truth.cells]
    marks = element_map(truth.field.pixels, boxes, elements)
    target, unknown = element_in_boxes(truth.field.pixels, boxes, elements, element, marks)
    np.testing.assert_array_equal(target, marks == CODE_OF_ELEMENT[element])
    np.testing.assert_array_equal(unknown, marks == IGNORE)


def test_a_field_without_a_box() -> None:
    pixels = np.full((60, 70, 3), 220, np.uint8)
    none = np.zeros((0, 4), np.float32)
    target, unknown = element_in_boxes(pixels, none, [], "RBC", np.zeros((60, 70), np.uint8))
    assert not target.any()
    assert not unknown.any()
