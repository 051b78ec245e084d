"""Outlines of detections: foreground, shared out among cells that touch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.instances.labels import paint_polygons
from smearlab.instances.outlines import Outline, draw_outlines
from smearlab.instances.polygons import polygon_area
from smearlab.segment.maps import FieldMaps

WIDTH, HEIGHT = 200, 140
RBC, WBC, PLT = range(3)
Disc = tuple[float, float, float, int]


def maps_of(*discs: Disc, step: int = 2, scale: float = 1.0) -> FieldMaps:
    """Class maps that show discs (x, y, radius, element); later ones lie on top."""
    width, height = round(WIDTH * scale), round(HEIGHT * scale)
    y, x = (np.mgrid[:height, :width] + 0.5) / scale
    fine = np.zeros((height, width, 4), np.float32)
    fine[..., 0] = 1
    for cx, cy, radius, element in discs:
        fine[(x - cx) ** 2 + (y - cy) ** 2 <= radius**2] = np.eye(4, dtype=np.float32)[1 + element]
    size = (width // step, height // step)
    classes = np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.float32)
    return FieldMaps(classes, None, None, width / WIDTH, height / HEIGHT, WIDTH, HEIGHT)


def outlines_of(
    *discs: Disc, step: int = 2, scale: float = 1.0, shown: bool = True
) -> list[Outline]:
    boxes = [
        (max(0, x - r), max(0, y - r), min(WIDTH, x + r), min(HEIGHT, y + r))
        for x, y, r, _ in discs
    ]
    maps = maps_of(*(discs if shown else ()), step=step, scale=scale)
    return draw_outlines(
        np.array(boxes, np.float32).reshape(-1, 4), [disc[3] for disc in discs], maps, step
    )


def painted(outlines: list[Outline]) -> np.ndarray:
    numbers = range(1, len(outlines) + 1)
    return paint_polygons([o.contour for o in outlines], numbers, WIDTH, HEIGHT)[0]


def true_disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize(("step", "scale"), [(1, 1.0), (2, 1.0), (2, 0.5), (2, 0.37), (2, 2.0)])
def test_a_cell_alone_has_its_shape(step: int, scale: float) -> None:
    (outline,) = outlines_of((90, 70, 30, RBC), step=step, scale=scale)
    assert overlap(painted([outline]) == 1, true_disc(90, 70, 30)) > (0.97 if scale > 0.4 else 0.95)
    assert outline.contour.dtype == np.float32
    assert polygon_area(outline.contour.astype(float)) == pytest.approx(outline.area_px, rel=0.01)


@pytest.mark.parametrize("gap", [0, -8, -16])
def test_touching_cells_share_the_foreground(gap: float) -> None:
    """The line runs through the waist; together they have all of it, once."""
    discs = ((70.0, 70.0, 30.0, RBC), (130.0 + gap, 70.0, 30.0, RBC))
    labels = painted(outlines_of(*discs))
    middle = round(100 + gap / 2)
    assert np.nonzero(labels == 1)[1].max() == pytest.approx(middle, abs=2)
    assert np.nonzero(labels == 2)[1].min() == pytest.approx(middle, abs=2)
    both = true_disc(*discs[0][:3]) | true_disc(*discs[1][:3])
    assert overlap(labels > 0, both) > 0.96


def test_cells_of_different_size_share_in_proportion() -> None:
    labels = painted(outlines_of((70, 70, 40, RBC), (122, 70, 12, RBC)))
    assert overlap(labels == 1, true_disc(70, 70, 40)) > 0.95
    assert overlap(labels == 2, true_disc(122, 70, 12)) > 0.85


def test_a_platelet_on_a_red_cell_is_its_own() -> None:
    outlines = outlines_of((90, 70, 35, RBC), (95, 72, 9, PLT))
    labels = painted(outlines)
    assert overlap(labels == 2, true_disc(95, 72, 9)) > 0.8
    ring = true_disc(90, 70, 35) & ~true_disc(95, 72, 9)
    assert overlap(labels == 1, ring) > 0.95
    assert [o.area_px for o in outlines] == [(labels == 1).sum(), (labels == 2).sum()]


def test_what_a_pixel_looks_like_decides_between_elements() -> None:
    """A white cell that presses on a red one keeps its round shape."""
    labels = painted(outlines_of((70, 70, 30, RBC), (105, 70, 30, WBC)))
    assert overlap(labels == 2, true_disc(105, 70, 30)) > 0.9


@pytest.mark.parametrize("radius", [1.2, 1.6, 2.2, 3.0, 4.5, 6.0])
def test_platelets_survive_smoothing(radius: float) -> None:
    (outline,) = outlines_of((90.3, 70.6, radius, PLT), step=1)
    assert outline.area_px == pytest.approx(np.pi * radius**2, rel=0.5, abs=2)
    labels = painted([outline])
    y, x = np.nonzero(labels)
    assert (x.mean() + 0.5, y.mean() + 0.5) == pytest.approx((90.3, 70.6), abs=1)


def test_a_spur_is_cut_off() -> None:
    maps = maps_of((90, 70, 30, RBC), step=1)
    maps.classes[69:71, 115:150] = (0, 1, 0, 0)  # a scratch through the cell's box
    (outline,) = draw_outlines(np.array([[60, 40, 120, 100]], np.float32), [RBC], maps, 1)
    assert outline.contour[:, 0].max() < 123


def test_without_foreground_the_box_is_the_outline() -> None:
    (outline,) = outlines_of((90, 70, 20, RBC), shown=False)
    assert overlap(painted([outline]) == 1, true_disc(90, 70, 20)) > 0.95


@pytest.mark.parametrize(("x", "y"), [(5, 70), (195, 70), (90, 6), (90, 134), (4, 4)])
def test_a_cell_cut_by_the_edge_reaches_to_it(x: float, y: float) -> None:
    (outline,) = outlines_of((x, y, 30, RBC))
    assert overlap(painted([outline]) == 1, true_disc(x, y, 30)) > 0.93
    low, high = outline.contour.min(axis=0), outline.contour.max(axis=0)
    reaches = [low[0] < 0.7, low[1] < 0.7, high[0] > WIDTH - 0.7, high[1] > HEIGHT - 0.7]
    assert reaches == [x - 30 < 0, y - 30 < 0, x + 30 > WIDTH, y + 30 > HEIGHT]


def test_no_cells_have_no_outlines() -> None:
    assert outlines_of() == []


discs = st.tuples(
    st.floats(2, WIDTH - 2), st.floats(2, HEIGHT - 2), st.floats(1.5, 45), st.integers(0, 2)
)


@given(listed=st.lists(discs, min_size=1, max_size=9), scale=st.sampled_from((0.4, 1.0)))
def test_outlines_are_sound(listed: list[Disc], scale: float) -> None:
    """Wherever cells lie: closed, inside the field, with the area that is painted."""
    outlines = outlines_of(*listed, scale=scale)
    labels = painted(outlines)
    for number, outline in enumerate(outlines, start=1):
        assert len(outline.contour) >= 3
        assert np.isfinite(outline.contour).all()
        assert (outline.contour >= 0).all()
        assert (outline.contour <= (WIDTH, HEIGHT)).all()
        assert outline.area_px == max(1, (labels == number).sum())


@given(x=st.floats(60, 140), y=st.floats(50, 90), r=st.floats(14, 25), turns=st.floats(0, 6.2))
def test_outlines_overlap_by_no_more_than_their_rims(
    x: float, y: float, r: float, turns: float
) -> None:
    """Neighbours that press on each other: a pixel along the line between them at most."""
    other = (x + 1.5 * r * np.cos(turns), y + 1.5 * r * np.sin(turns), r, RBC)
    outlines = outlines_of((x, y, r, RBC), other)
    alone = [painted([outline]) > 0 for outline in outlines]
    assert (alone[0] & alone[1]).sum() <= 2 * r
