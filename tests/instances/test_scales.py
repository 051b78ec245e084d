"""The scale of analysis follows the cells, however large or small they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.instances.scales import (
    RED_CELL_UM,
    busiest_part,
    look_at_field,
    needs_scout,
    red_cell_diameter,
    scale_by_size,
)
from smearlab.io.bundles import Bundle, find_bundle
from smearlab.segment.maps import Segmenter
from smearlab.types import Field
from tiny_bundles import DISC_PX, ELEMENT_CARD, draw_discs, write_element, write_segmenter


class CountingBundle(Bundle):
    """Counts the pixels that went through the network."""

    pixels = 0

    def run(self, **inputs: Any) -> dict[str, np.ndarray]:
        self.pixels += inputs["pixels"].size // 3
        return super().run(**inputs)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_segmenter(tmp_path_factory.mktemp("bundles") / "discs")


@pytest.fixture
def tiny(folder: Path) -> Segmenter:
    return Segmenter(CountingBundle(folder, "segmenter"))


@pytest.fixture(scope="module")
def shipped() -> Segmenter:
    folder = find_bundle("segmenter", "default")
    if not folder.is_dir():
        pytest.skip("the shipped segmenter is not in this checkout")
    return Segmenter(CountingBundle(folder, "segmenter"))


def grid_of_discs(diameter: float, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    pitch = round(2.2 * diameter)
    places = [
        (x, y, "RBC")
        for y in range(pitch, size[1] - pitch, pitch)
        for x in range(pitch, size[0] - pitch, pitch)
    ]
    return draw_discs(places, size, diameter)


def test_a_first_look_that_fits_is_the_last(tiny: Segmenter) -> None:
    pixels = grid_of_discs(DISC_PX * 640 / 256)
    maps, notes = look_at_field(tiny, Field(pixels, "one"))
    assert maps.scale_x == pytest.approx(256 / 640)
    assert notes == []
    assert tiny.bundle.pixels == 256 * 192


@pytest.mark.parametrize("diameter", [5.5, 6.5, 7.5])
def test_cells_too_small_to_be_seen_at_first_are_found(tiny: Segmenter, diameter: float) -> None:
    maps, notes = look_at_field(tiny, Field(grid_of_discs(diameter), "one"))
    assert maps.scale_x * diameter == pytest.approx(DISC_PX, rel=0.4)
    assert maps.classes.shape[:2] == pytest.approx(
        (480 * maps.scale_y / 2, 640 * maps.scale_x / 2), abs=1
    )
    assert len(notes) == 1
    assert f"analysed at {maps.scale_x:.2f}× size" in notes[0]


def test_the_pixel_pitch_tells_the_scale(tiny: Segmenter) -> None:
    diameter = 40
    field = Field(grid_of_discs(diameter), "one", um_per_px=RED_CELL_UM / diameter)
    maps, notes = look_at_field(tiny, field)
    assert maps.scale_x == pytest.approx(DISC_PX / diameter, rel=0.01)
    assert notes == []


def test_a_network_of_fixed_size_gets_its_size(tmp_path: Path) -> None:
    segmenter = Segmenter(Bundle(write_segmenter(tmp_path / "fixed", size_px=128), "segmenter"))
    for pitch in (None, 0.1):
        maps, notes = look_at_field(segmenter, Field(grid_of_discs(40), "one", pitch))
        assert (maps.scale_x, maps.scale_y) == (0.2, 0.2)
        assert notes == []


@pytest.mark.parametrize("pitch", [None, 0.1])
@pytest.mark.parametrize("size", [(480, 640), (16, 2000), (2000, 16), (16, 16)])
def test_an_empty_field_costs_a_bounded_look(
    tiny: Segmenter, size: tuple[int, int], pitch: float | None
) -> None:
    maps, notes = look_at_field(tiny, Field(np.full((*size, 3), 255, np.uint8), "empty", pitch))
    assert notes == []
    assert maps.heat.max() < 0.3
    assert tiny.bundle.pixels < 30 * 256 * 256


@pytest.mark.parametrize(
    ("diameter", "width", "height"),
    [(14, 320, 240), (30, 480, 360), (76, 640, 480), (150, 640, 480)],
)
def test_the_shipped_network_sees_cells_at_the_size_it_was_trained_for(
    shipped: Segmenter, diameter: int, width: int, height: int
) -> None:
    config = SmearConfig(
        width_px=width, height_px=height, rbc_diameter_px=diameter, gap_px=2, n_wbc=1
    )
    field = replace(simulate_field(6, config).field, um_per_px=None)
    card = shipped.bundle.card
    maps, _ = look_at_field(shipped, field)
    low, high = card["cell_diameter_range_px"]
    assert low * 0.9 <= diameter * maps.scale_x <= high * 1.1


def test_few_small_cells_in_a_large_field_are_found(shipped: Segmenter) -> None:
    """At the first look they are 8 px across: too small to be seen."""
    config = SmearConfig(
        width_px=880, height_px=660, rbc_diameter_px=20, n_rbc=25, n_wbc=1, n_plt=2, gap_px=3
    )
    field = replace(simulate_field(1, config).field, um_per_px=None)
    maps, notes = look_at_field(shipped, field)
    low, high = shipped.bundle.card["cell_diameter_range_px"]
    # Cells of so few pixels are measured a fifth too large.
    assert 0.8 * low <= 20 * maps.scale_x <= high
    assert "red cells measure about 2" in notes[0]


def test_a_wrong_pixel_pitch_is_noticed(shipped: Segmenter) -> None:
    field = simulate_field(6).field
    wrong = replace(field, um_per_px=field.um_per_px / 6)
    maps, notes = look_at_field(shipped, wrong)
    low, high = shipped.bundle.card["cell_diameter_range_px"]
    assert low <= 76 * maps.scale_x <= high
    assert len(notes) == 1
    assert "µm by the given pixel pitch" in notes[0]


def test_the_busiest_part_is_where_the_edges_are() -> None:
    pixels = np.full((300, 400, 3), 240, np.uint8)
    rng = np.random.default_rng(0)
    pixels[180:230, 300:350] = rng.integers(0, 255, (50, 50, 3))
    part = busiest_part(pixels, 80)
    assert part.shape == (80, 80, 3)
    assert np.shares_memory(part, pixels)
    assert (part != 240).any(axis=2).sum() > 0.98 * 50 * 50


@pytest.mark.parametrize(
    ("size", "side", "shape"),
    [
        ((300, 400), 1000, (300, 400)),
        ((300, 400), 350, (300, 350)),
        ((16, 400), 60, (16, 60)),
        ((16, 16), 1, (1, 1)),
        ((300, 400), 0, (1, 1)),
    ],
)
def test_a_part_is_no_larger_than_the_field(
    size: tuple[int, int], side: int, shape: tuple[int, int]
) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (*size, 3)).astype(np.uint8)
    assert busiest_part(pixels, side).shape == (*shape, 3)


def test_a_network_that_measures_nothing_is_scaled_by_pitch_then_size_then_guess() -> None:
    field = Field(np.zeros((480, 640, 3), np.uint8), "one")
    pitched = replace(field, um_per_px=0.25)
    assert scale_by_size(ELEMENT_CARD, pitched, 99.0) == (DISC_PX * 0.25 / RED_CELL_UM, [])
    scale, notes = scale_by_size(ELEMENT_CARD, field, 48.0)
    assert scale == DISC_PX / 48
    assert notes == ["red cells measure about 48 px; segmented at 0.50×"]
    scale, notes = scale_by_size(ELEMENT_CARD, field, None)
    assert scale == pytest.approx(6.3 * DISC_PX / 640)
    assert notes == ["no red cell could be measured: its size is a guess; give --um-per-px"]
    assert scale_by_size({**ELEMENT_CARD, "first_look_px": 320}, field, None) == (0.5, [])
    assert scale_by_size({**ELEMENT_CARD, "size_px": 256}, pitched, 99.0) == (0.4, [])


def test_who_needs_a_scout() -> None:
    assert needs_scout(ELEMENT_CARD)
    for key in ("size_px", "first_look_px"):
        assert not needs_scout({**ELEMENT_CARD, key: 256})
    assert not needs_scout({"decoder": "centres"})


def test_a_scout_measures_red_cells(tiny: Segmenter) -> None:
    diameter = DISC_PX * 640 / 256  # the tiny network sees its own size only
    field = Field(grid_of_discs(diameter), "one")
    assert red_cell_diameter(tiny, field) == pytest.approx(diameter, rel=0.1)
    empty = Field(np.full((300, 300, 3), 255, np.uint8), "empty")
    assert red_cell_diameter(tiny, empty) is None


@pytest.mark.parametrize("diameter", [30, 60])
def test_the_shipped_scout_measures_simulated_red_cells(shipped: Segmenter, diameter: int) -> None:
    config = SmearConfig(height_px=360, width_px=480, rbc_diameter_px=diameter)
    field = replace(simulate_field(3, config).field, um_per_px=None)
    assert red_cell_diameter(shipped, field) == pytest.approx(diameter, rel=0.15)


def test_a_scout_sets_the_scale_of_another(tiny: Segmenter, tmp_path: Path) -> None:
    blind = Segmenter(Bundle(write_element(tmp_path / "rbc", "RBC"), "segmenter"))
    field = Field(grid_of_discs(2 * DISC_PX), "one")
    maps, (note,) = look_at_field(blind, field, tiny)
    diameter = red_cell_diameter(tiny, field)
    assert diameter is not None
    assert maps.scale_x == pytest.approx(DISC_PX / diameter, abs=0.01)
    assert note.startswith("red cells measure about")
    assert "guess" in look_at_field(blind, field)[1][0]
