"""Overlays and thumbnails of drawn fields, looked at pixel by pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from drawn_cells import make_cell, make_cells
from smearlab.report.overlay import draw_overlay, encode_png, thumbnail, thumbnails
from smearlab.report.palette import rgb_of
from smearlab.types import CELL_TYPES, UNIDENTIFIED, Cell, Field

#: Backgrounds of common stains: pink, cream, grey, blue.
GROUNDS = {
    "pink": (214, 180, 172),
    "cream": (252, 230, 205),
    "grey": (205, 203, 198),
    "blue": (120, 150, 205),
}


def plain_field(colour: tuple[int, int, int] = GROUNDS["cream"], size: int = 120) -> Field:
    return Field(np.full((size, size, 3), colour, np.uint8), "plain")


def on_contour(picture: NDArray[np.uint8], cell: Cell) -> NDArray[np.int16]:
    """Pixels under the contour, shape (N, 3)."""
    x, y = np.rint(cell.contour).astype(int).T
    return picture[y, x].astype(np.int16)


def opened(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("name", CELL_TYPES)
def test_a_contour_has_the_colour_of_its_type(name: str) -> None:
    field, cell = plain_field((60, 90, 40)), make_cell(name, box=(30, 40, 80, 90))
    picture = draw_overlay(field, [cell])
    assert picture.shape == field.pixels.shape and picture.dtype == np.uint8
    near = (np.abs(picture.astype(int) - rgb_of(name)).max(axis=-1) < 70).sum()
    assert near > 0.6 * cell.perimeter_px


def test_the_field_itself_is_not_drawn_on() -> None:
    field = plain_field()
    before = field.pixels.copy()
    draw_overlay(field, make_cells(CELL_TYPES))
    assert np.array_equal(field.pixels, before)


def test_a_read_only_or_strided_field_can_be_drawn() -> None:
    pixels = np.full((60, 80, 3), 200, np.uint8)[::-1, ::2]
    pixels.flags.writeable = False
    assert draw_overlay(Field(pixels, "f"), [make_cell(box=(5, 5, 20, 20))]).shape == (60, 40, 3)


def test_without_cells_the_overlay_is_the_field() -> None:
    field = plain_field()
    assert np.array_equal(draw_overlay(field, []), field.pixels)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", CELL_TYPES)
def test_a_contour_is_seen_on_every_ground(name: str, ground: str) -> None:
    field = plain_field(GROUNDS[ground])
    cell = make_cell(name, box=(30, 40, 80, 90))
    row = draw_overlay(field, [cell])[65:66, 24:36]  # across the left side
    ground_lab = rgb2lab(np.array(GROUNDS[ground])[None, None] / 255)
    assert deltaE_ciede2000(rgb2lab(row / 255), ground_lab).max() > 25


def test_cut_cells_are_dashed_and_whole_ones_are_not() -> None:
    def coloured(border: bool) -> float:
        cell = make_cell("erythroblast", box=(10, 20, 100, 110), border=border)
        picture = draw_overlay(plain_field(), [cell])
        return float(
            (np.abs(on_contour(picture, cell) - rgb_of("erythroblast")).max(1) < 90).mean()
        )

    assert coloured(border=False) > 0.95
    assert 0.3 < coloured(border=True) < 0.75


def test_codes_are_written_for_all_but_erythrocytes() -> None:
    field = plain_field()
    box = (40, 50, 80, 90)
    for name in CELL_TYPES:
        picture = draw_overlay(field, [make_cell(name, box=box)])
        above = (picture[:46] != field.pixels[:46]).any()
        assert above == (name != "erythrocyte"), name


@pytest.mark.parametrize("box", [(0, 0, 12, 12), (108, 0, 120, 12), (0, 108, 12, 120)])
def test_codes_stay_within_the_field(box: tuple[int, int, int, int]) -> None:
    picture = draw_overlay(plain_field(), [make_cell("neutrophil", box=box, border=True)])
    exact = (picture == rgb_of("neutrophil")).all(axis=-1)
    rows, columns = np.nonzero(exact)
    # The tag is drawn whole: its fill spans more than the 5 px of a clipped one.
    assert rows.size > 60 and np.ptp(columns) > 15


def test_a_field_smaller_than_a_code_is_no_problem() -> None:
    tiny = Field(np.zeros((5, 7, 3), np.uint8), "tiny")
    assert draw_overlay(tiny, [make_cell("neutrophil", box=(0, 0, 7, 5))]).shape == (5, 7, 3)


def test_a_contour_without_length_is_no_problem() -> None:
    cell = make_cell("platelet", box=(10, 10, 10, 10), border=True)
    picture = draw_overlay(plain_field(), [cell])
    assert picture.shape == plain_field().pixels.shape
    assert (picture[40:] == plain_field().pixels[40:]).all()


def test_png_gives_the_same_pixels_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)
    assert np.array_equal(opened(encode_png(pixels)), pixels)


def test_a_thumbnail_has_the_cell_in_its_middle() -> None:
    field = plain_field((255, 255, 255), size=200)
    field.pixels[20:60, 100:140] = 0
    picture = opened(thumbnail(field, make_cell(box=(100, 20, 140, 60)), size=72))
    assert picture.shape == (72, 72, 3)
    rows, columns = np.nonzero(picture[..., 0] < 128)
    assert rows.mean() == pytest.approx(35.5, abs=1) and columns.mean() == pytest.approx(
        35.5, abs=1
    )
    # 40 of 52 px: about 30 % context around the cell
    assert np.ptp(rows) + 1 == pytest.approx(72 / 1.3, abs=2)


def test_beyond_the_edge_a_thumbnail_repeats_the_last_pixels() -> None:
    field = plain_field((90, 140, 200), size=80)
    field.pixels[40:] = (200, 60, 60)
    picture = opened(thumbnail(field, make_cell(box=(60, 60, 80, 80), border=True))).astype(int)
    assert np.abs(picture - (200, 60, 60)).max() < 12


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0, 0, 80, 3), (79, 79, 80, 80)])
def test_cells_of_odd_shapes_have_thumbnails(box: tuple[int, int, int, int]) -> None:
    cell = make_cell("platelet", box=box)
    assert opened(thumbnail(plain_field(size=80), cell, size=20)).shape == (20, 20, 3)


def test_a_thumbnail_of_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match="received 0"):
        thumbnail(plain_field(), make_cell(), size=0)


def test_who_gets_a_thumbnail() -> None:
    red = [make_cell(label=i, confidence=0.5 + i / 100) for i in range(1, 12)]
    platelets = [make_cell("platelet", label=i, confidence=i / 100) for i in range(40, 60)]
    white = [make_cell("monocyte", label=i) for i in range(100, 130)]
    doubtful = [make_cell(UNIDENTIFIED, label=200, element="WBC", confidence=0.99)]
    doubtful += [
        make_cell(UNIDENTIFIED, label=i, element="RBC", confidence=i / 1000)
        for i in range(300, 320)
    ]
    chosen = thumbnails(plain_field(), [*white, *platelets, *doubtful, *red])
    assert list(chosen) == [1, 6, 11, *range(40, 52), *range(100, 130), 200, *range(300, 312)]


def test_nucleated_cells_have_larger_thumbnails() -> None:
    cells = make_cells(["erythrocyte", "platelet", "basophil"])
    sides = [opened(data).shape[0] for data in thumbnails(plain_field(), cells, size=40).values()]
    assert sides == [40, 40, 60]


def test_one_or_two_red_cells_are_not_doubled() -> None:
    assert list(thumbnails(plain_field(), make_cells(["erythrocyte"] * 2))) == [1, 2]
    assert list(thumbnails(plain_field(), make_cells(["erythrocyte"]))) == [1]
    assert thumbnails(plain_field(), []) == {}


def test_a_cell_without_confidence_counts_as_least_confident() -> None:
    cells = [make_cell("platelet", label=i, confidence=0.9) for i in range(1, 13)]
    cells.append(make_cell("platelet", label=99, confidence=float("nan")))
    assert 99 in thumbnails(plain_field(), cells)
