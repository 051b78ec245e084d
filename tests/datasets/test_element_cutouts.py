"""What stays of a picture when one element is cut out."""

from __future__ import annotations

import numpy as np

from smearlab.datasets.element_cutouts import central_cell, cut_out, sure_pixels
from smearlab.elements.pictures import ElementPicture
from smearlab.types import Cell, Element, Field

SIZE = 60


def cell(label: int, box: tuple[int, int, int, int], score: float = 0.9) -> Cell:
    x0, y0, x1, y1 = box
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
    return Cell(
        field="f", label=label, contour=corners, bbox=box, area_px=(x1 - x0) * (y1 - y0),
        touches_border=False, element="WBC", detection_score=score, type="neutrophil",
    )  # fmt: skip


def picture_of(
    cells: tuple[Cell, ...], probability: np.ndarray | None = None, element: Element = "WBC"
) -> ElementPicture:
    """Cells that fill their boxes."""
    labels = np.zeros((SIZE, SIZE), np.int32)
    for one in cells:
        x0, y0, x1, y1 = one.bbox
        labels[y0:y1, x0:x1] = one.label
    given = (labels > 0).astype(np.float32) if probability is None else probability
    black = np.zeros((SIZE, SIZE, 3), np.uint8)
    return ElementPicture(element, given, labels > 0, black, None, labels, cells)


def field() -> Field:
    pixels = np.random.default_rng(0).integers(1, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    return Field(pixels, "f")


MIDDLE, CORNER = cell(1, (20, 22, 40, 40)), cell(2, (44, 44, 60, 60), 1.0)


def test_own_pixels_on_black() -> None:
    shown, whole = field(), {"WBC": picture_of((MIDDLE, CORNER))}
    cut = cut_out(shown, whole)  # type: ignore[arg-type]
    assert cut is not None and cut[1] == 2
    inside = whole["WBC"].mask
    np.testing.assert_array_equal(cut[0][inside], shown.pixels[inside])
    assert not cut[0][~inside].any()


def test_only_the_cell_in_the_middle() -> None:
    shown, whole = field(), picture_of((MIDDLE, CORNER))
    cut = cut_out(shown, {"WBC": whole}, central=True)
    assert cut is not None and cut[1] == 1
    np.testing.assert_array_equal(cut[0].any(axis=2), whole.labels == 1)
    beside = cell(3, (40, 20, 56, 40))
    assert central_cell((beside, CORNER), SIZE, SIZE) is beside
    assert central_cell((cell(4, (50, 50, 56, 56)),), SIZE, SIZE) is None


def test_nothing_found_is_none() -> None:
    assert cut_out(field(), {"WBC": picture_of(())}) is None
    far = picture_of((cell(1, (54, 54, 60, 60)),))
    assert cut_out(field(), {"WBC": far}, central=True) is None
    assert cut_out(field(), {"WBC": far}) is not None


def test_several_elements_are_shown_together() -> None:
    parts = {"WBC": picture_of((MIDDLE,)), "PLT": picture_of((CORNER,), element="PLT")}
    cut = cut_out(field(), parts)  # type: ignore[arg-type]
    assert cut is not None and cut[1] == 2
    both = parts["WBC"].mask | parts["PLT"].mask
    np.testing.assert_array_equal(cut[0].any(axis=2), both)


def test_scraps_go_holes_are_filled_and_the_largest_piece_stays() -> None:
    probability = np.zeros((SIZE, SIZE), np.float32)
    probability[22:40, 24:40] = 0.9  # not the four columns on the left: a red cell's
    probability[30, 30] = 0.1  # a vacuole
    probability[22:40, 37] = 0.2  # parts two columns from the rest
    expected = np.zeros((SIZE, SIZE), bool)
    expected[22:40, 24:37] = True
    whole = picture_of((MIDDLE, CORNER), probability)
    np.testing.assert_array_equal(sure_pixels(whole, [MIDDLE]), expected)
    # A cell that the network is nowhere sure of keeps its outline.
    np.testing.assert_array_equal(sure_pixels(whole, [CORNER]), whole.labels == 2)
    assert not sure_pixels(whole, []).any()
