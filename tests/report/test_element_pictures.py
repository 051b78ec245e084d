"""Pictures of elements: the field is still seen, the elements stand out, the legend can be read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.report.element_pictures import MOST_SPREAD, draw_elements, draw_spread
from smearlab.report.palette import HALO, HEX_OF_ELEMENT, relative_luminance, rgb_of_element
from smearlab.types import ELEMENTS, Cell, Element, Field

SIZE = (160, 420)
Y, X = np.mgrid[: SIZE[0], : SIZE[1]]


def disc(x: int, y: int, radius: int, element: Element, label: int) -> tuple[np.ndarray, Cell]:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    contour = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
    box = (x - radius, y - radius, x + radius, y + radius)
    cell = Cell(
        "f", label, contour.astype(np.float32), box, 3.1 * radius**2, False, element, 1, "monocyte"
    )
    return np.hypot(X - x, Y - y) <= radius, cell


@pytest.fixture
def drawn() -> tuple[Field, dict[Element, np.ndarray], np.ndarray]:
    pixels = np.full((*SIZE, 3), (230, 200, 210), np.uint8)
    found = {e: disc(60 + 100 * n, 80, 30 - 8 * n, e, n + 1) for n, e in enumerate(ELEMENTS)}
    masks = {element: mask for element, (mask, _) in found.items()}
    for mask in masks.values():
        pixels[mask] = (150, 60, 120)
    field = Field(pixels, "f")
    picture = draw_elements(field, masks, {element: [cell] for element, (_, cell) in found.items()})
    return field, masks, picture


def test_elements_stand_out_of_a_dimmed_field(
    drawn: tuple[Field, dict[Element, np.ndarray], np.ndarray],
) -> None:
    field, masks, picture = drawn
    height = SIZE[0]
    assert picture.shape[0] > height
    assert picture.shape[1:] == (SIZE[1], 3)
    away = ~np.any([np.hypot(X - 60 - 100 * n, Y - 80) < 36 for n in range(3)], axis=0)
    ground = picture[:height][away]
    assert ground.mean() < 0.65 * field.pixels[away].mean()
    for element in ELEMENTS:
        inner = masks[element] & (np.hypot(X - 60 - 100 * ELEMENTS.index(element), Y - 80) < 8)
        own = picture[:height][inner].astype(int)
        assert np.abs(own - field.pixels[inner]).max() < 25, "the stain keeps its colour"
        colour = np.array(rgb_of_element(element))
        n_of_colour = (np.abs(picture[:height].astype(int) - colour).sum(axis=2) < 130).sum()
        assert n_of_colour > 15, "the outline has the element's colour"


def test_the_legend_has_every_element_that_was_looked_for(
    drawn: tuple[Field, dict[Element, np.ndarray], np.ndarray],
) -> None:
    field, masks, picture = drawn
    legend = picture[SIZE[0] :]
    for element in ELEMENTS:
        assert (legend == rgb_of_element(element)).all(axis=2).any()
    only = draw_elements(field, {"WBC": masks["WBC"]}, {"WBC": []})[SIZE[0] :]
    assert (only == rgb_of_element("WBC")).all(axis=2).any()
    assert not (only == rgb_of_element("RBC")).all(axis=2).any()


@given(width=st.integers(1, 300), height=st.integers(1, 60))
def test_any_size_has_a_picture(width: int, height: int) -> None:
    field = Field(np.full((height, width, 3), 255, np.uint8), "f")
    masks: dict[Element, np.ndarray] = {e: np.zeros((height, width), bool) for e in ELEMENTS}
    picture = draw_elements(field, masks, {e: [] for e in ELEMENTS})
    assert picture.shape[1] == width
    assert picture.dtype == np.uint8


def test_the_field_is_not_changed() -> None:
    pixels = np.full((*SIZE, 3), 200, np.uint8)
    mask, cell = disc(50, 50, 20, "WBC", 1)
    draw_elements(Field(pixels, "f"), {"WBC": mask}, {"WBC": [cell]})
    assert (pixels == 200).all()


def test_spread_is_the_brighter_the_larger() -> None:
    spread = np.repeat(np.linspace(0, MOST_SPREAD, 200, dtype=np.float32)[None], 40, axis=0)
    light = draw_spread(spread, 8)[0].astype(float) @ (0.2126, 0.7152, 0.0722)
    assert light[0] < 5
    assert light[-1] > 200
    smooth = np.convolve(light, np.ones(5) / 5, "valid")
    assert (np.diff(smooth) > -0.5).all()
    beyond = draw_spread(np.full((4, 200), 9.0, np.float32), 8)
    assert (beyond[0] == beyond[0, 0]).all()


def test_colours_of_elements_are_seen_on_the_halo_and_apart() -> None:
    assert set(HEX_OF_ELEMENT) == set(ELEMENTS)
    light = [relative_luminance(rgb_of_element(element)) for element in ELEMENTS]
    dark = relative_luminance(HALO)
    assert all((value + 0.05) / (dark + 0.05) > 4.5 for value in light)
