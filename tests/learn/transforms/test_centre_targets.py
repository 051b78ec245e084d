"""Targets of the cell-centre network: what is asked is what the boxes say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.datasets.box_masks import IGNORE
from smearlab.learn.transforms.centre_targets import centre_targets
from smearlab.learn.transforms.views import View
from smearlab.types import ELEMENTS, Element

SIZE = 96


def view_of(
    boxes: list[tuple[float, float, float, float]],
    elements: list[Element],
    cut: list[bool] | None = None,
    element_map: np.ndarray | None = None,
    incomplete: bool = False,
) -> View:
    return View(
        np.zeros((SIZE, SIZE, 3), np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4),
        tuple(elements),
        np.array(cut or [False] * len(boxes), bool),
        np.zeros((SIZE, SIZE), np.uint8) if element_map is None else element_map,
        np.full((SIZE, SIZE), incomplete),
        np.zeros((SIZE, SIZE), bool),
    )


spans = st.tuples(st.floats(0, SIZE - 12), st.floats(6, 60)).map(
    lambda s: (s[0], min(SIZE, sum(s)))
)
cells = st.lists(
    st.tuples(spans, spans, st.sampled_from(ELEMENTS), st.booleans()), min_size=0, max_size=6
)


@given(cells)
def test_every_kept_cell_has_one_centre_and_no_other_step_has(drawn: list) -> None:
    boxes = [(x[0], y[0], x[1], y[1]) for x, y, _, _ in drawn]
    elements = [e for _, _, e, _ in drawn]
    cut = [c for _, _, _, c in drawn]
    target = centre_targets(view_of(boxes, elements, cut))
    centres = {
        (ELEMENTS.index(e), int((y0 + y1) / 2 / 4), int((x0 + x1) / 2 / 4))
        for (x0, y0, x1, y1), e, c in zip(
            np.array(boxes, np.float32).reshape(-1, 4), elements, cut, strict=True
        )
        if not c
    }
    assert set(zip(*np.nonzero(target["heat"] == 1), strict=True)) == centres
    assert target["heat"].shape == (3, SIZE // 4, SIZE // 4)
    assert target["heat"].min() >= 0 and target["heat"].max() <= 1
    assert {str(target[k].dtype) for k in ("heat", "heat_weight", "sides", "sides_weight")} == {
        "float32"
    }


def test_sides_decode_back_to_the_boxes_at_the_centres() -> None:
    boxes = [(3.5, 8.0, 41.0, 44.5), (50.0, 10.0, 93.0, 60.0), (20.0, 70.0, 31.0, 80.0)]
    target = centre_targets(view_of(boxes, list(ELEMENTS)))
    for (_, row, column), box in zip(
        sorted(zip(*np.nonzero(target["heat"] == 1), strict=True)), boxes, strict=True
    ):
        x, y = (column + 0.5) * 4, (row + 0.5) * 4
        left, top, right, bottom = target["sides"][:, row, column]
        assert (x - left, y - top, x + right, y + bottom) == pytest.approx(box, abs=1e-4)
        assert target["sides_weight"][row, column] > 0
    # So they do wherever they have weight and no other cell is near.
    for row, column in zip(*np.nonzero(target["sides_weight"][:, :11]), strict=True):
        if row < 14:
            x, y = (column + 0.5) * 4, (row + 0.5) * 4
            left, top, right, bottom = target["sides"][:, row, column]
            assert (x - left, y - top, x + right, y + bottom) == pytest.approx(boxes[0], abs=1e-4)


def test_every_cell_weighs_the_same_and_rarer_ones_twice() -> None:
    def weight(box: tuple[float, float, float, float], element: Element) -> float:
        return float(centre_targets(view_of([box], [element]))["sides_weight"].sum())

    small, large = (40, 40, 52, 52), (20, 16, 80, 80)
    # Steps where the bell is low have none: about a tenth of the weight in a large cell.
    assert weight(small, "RBC") == pytest.approx(weight(large, "RBC"), rel=0.15)
    assert 0.8 < weight(large, "RBC") <= 1
    assert weight(large, "WBC") == pytest.approx(2 * weight(large, "RBC"))


def test_small_cells_win_where_boxes_overlap() -> None:
    boxes = [(40.0, 40.0, 52.0, 52.0), (16.0, 16.0, 80.0, 80.0)]  # a platelet on a red cell
    target = centre_targets(view_of(boxes, ["PLT", "RBC"]))
    left, top, right, bottom = target["sides"][:, 11, 11]
    assert (46 - left, 46 - top, 46 + right, 46 + bottom) == pytest.approx(boxes[0], abs=1e-4)


def test_cut_cells_are_neither_targets_nor_mistakes() -> None:
    target = centre_targets(view_of([(0, 20, 10, 44)], ["WBC"], cut=[True]))
    white = ELEMENTS.index("WBC")
    assert target["heat"].max() == 0
    assert (target["heat_weight"][white, 5:12, 0:3] == 0).all()
    assert target["heat_weight"][white].sum() == 24 * 24 - 7 * 3
    others = [n for n in range(3) if n != white]
    assert (target["heat_weight"][others] == 1).all()
    assert target["sides_weight"].max() == 0


def test_where_red_cells_may_lack_a_box_their_absence_proves_nothing() -> None:
    marks = np.zeros((SIZE, SIZE), np.uint8)
    marks[40:60, 40:60] = IGNORE
    red = ELEMENTS.index("RBC")
    loose = centre_targets(view_of([], [], element_map=marks, incomplete=True))["heat_weight"]
    assert (loose[red, 10:15, 10:15] == 0).all()
    assert loose[red].sum() == 24 * 24 - 25
    assert (np.delete(loose, red, axis=0) == 1).all()
    strict = centre_targets(view_of([], [], element_map=marks, incomplete=False))["heat_weight"]
    assert (strict == 1).all()
    # A box that lies there all the same is a target.
    boxed = centre_targets(view_of([(42, 42, 58, 58)], ["RBC"], element_map=marks, incomplete=True))
    assert boxed["heat_weight"][red, 12, 12] == 1


def test_the_pixel_classes_are_the_map_at_half_size() -> None:
    marks = np.zeros((SIZE, SIZE), np.uint8)
    marks[10:31, 20:60] = 2
    target = centre_targets(view_of([], [], element_map=marks))
    assert target["classes"].shape == (SIZE // 2, SIZE // 2)
    assert target["classes"].flags.c_contiguous
    assert np.count_nonzero(target["classes"] == 2) == pytest.approx(21 * 40 / 4, rel=0.06)
    assert (target["classes"][6:14, 11:29] == 2).all()
