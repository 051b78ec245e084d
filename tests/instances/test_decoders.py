"""From maps to cells, by both decoders."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from scipy.special import expit, logit

from smearlab.errors import BundleError
from smearlab.instances.decoders import decode, outline_cells
from smearlab.io.bundles import Bundle
from smearlab.segment.maps import FieldMaps, Segmenter
from tiny_bundles import DISC_PX, draw_discs, write_segmenter

WATERSHED: dict[str, Any] = {
    "decoder": "watershed",
    "classes": ["background", "cell"],
    "map_step": 2,
    "name": "flood",
}
ALL = {"RBC": 0.3, "WBC": 0.3, "PLT": 0.3}


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
    folder = write_segmenter(tmp_path_factory.mktemp("bundles") / "discs")
    return Segmenter(Bundle(folder, "segmenter"))


def centres_of(cells: list[Any]) -> list[tuple[str | None, int, int]]:
    return [(c.element, (c.bbox[0] + c.bbox[2]) // 2, (c.bbox[1] + c.bbox[3]) // 2) for c in cells]


def test_cells_come_from_top_to_bottom(segmenter: Segmenter) -> None:
    placed = [(30, 126, "PLT"), (150, 30, "RBC"), (62, 30, "WBC"), (110, 78, "RBC")]
    maps = segmenter.maps(draw_discs(placed), 1.0)
    found = decode(maps, segmenter.bundle.card, ALL)
    assert centres_of(found) == [
        ("WBC", 62, 30),
        ("RBC", 150, 30),
        ("RBC", 110, 78),
        ("PLT", 30, 126),
    ]
    for cell in found:
        assert cell.bbox[2] - cell.bbox[0] == cell.bbox[3] - cell.bbox[1] == DISC_PX
        assert max(cell.shares, key=cell.shares.__getitem__) == cell.element
        assert sum(cell.shares.values()) == pytest.approx(1)


def test_each_element_has_its_lowest_score(segmenter: Segmenter) -> None:
    maps = segmenter.maps(draw_discs([(30, 30, "RBC"), (110, 78, "WBC")]), 1.0)
    card = segmenter.bundle.card
    assert centres_of(decode(maps, card, ALL | {"RBC": 0.99})) == [("WBC", 110, 78)]
    assert centres_of(decode(maps, card, ALL | {"WBC": 0.99})) == [("RBC", 30, 30)]


def test_cells_that_are_mostly_cut_off_are_left_out(segmenter: Segmenter) -> None:
    maps = segmenter.maps(draw_discs([(2, 30, "RBC"), (190, 78, "WBC"), (98, 78, "RBC")]), 1.0)
    card = segmenter.bundle.card
    assert len(decode(maps, card, ALL)) == 3
    asked = {**card, "presence": {"RBC": {"whole": [1.0, 0.0], "cut": [1.0, -8.0, 8.0]}}}
    assert centres_of(decode(maps, asked, ALL))[0] == ("RBC", 98, 78)
    assert len(decode(maps, asked, ALL)) == 2


def test_presence_becomes_the_score_of_its_element(segmenter: Segmenter) -> None:
    maps = segmenter.maps(draw_discs([(30, 30, "RBC"), (110, 78, "WBC")]), 1.0)
    card = segmenter.bundle.card
    heat = {cell.element: cell.score for cell in decode(maps, card, ALL)}
    asked = {**card, "presence": {"RBC": {"whole": [2.0, -1.0], "cut": [1.0, 0.0, 0.0]}}}
    found = {cell.element: cell.score for cell in decode(maps, asked, dict.fromkeys(ALL, 0.01))}
    assert found["WBC"] == heat["WBC"]
    assert found["RBC"] == pytest.approx(expit(2 * logit(heat["RBC"]) - 1), rel=1e-4)
    lower = decode(maps, asked, ALL | {"RBC": found["RBC"] + 0.01})
    assert [cell.element for cell in lower] == ["WBC"]


@pytest.mark.parametrize("asked", [0.02, 0.5, 0.9])
def test_a_lower_least_score_changes_no_other_cell(segmenter: Segmenter, asked: float) -> None:
    """What is typical of a field does not depend on what is asked for."""
    placed = [(2, 30, "RBC"), (150, 30, "RBC"), (62, 30, "WBC"), (110, 78, "RBC"), (62, 126, "RBC")]
    maps = segmenter.maps(draw_discs(placed), 1.0)
    curves = {"RBC": {"whole": [2.8, 1.0], "cut": [1.8, -6.5, 12.0]}}
    card = {**segmenter.bundle.card, "presence": curves}
    everything = decode(maps, card, dict.fromkeys(ALL, 0.01))
    enough = [cell for cell in everything if cell.score >= asked]
    found = decode(maps, card, dict.fromkeys(ALL, asked))
    assert [(c.bbox, c.score) for c in found] == [(c.bbox, c.score) for c in enough]


def test_outlines_follow_what_is_seen(segmenter: Segmenter) -> None:
    maps = segmenter.maps(draw_discs([(62, 46, "RBC"), (130, 94, "WBC")]), 1.0)
    found = decode(maps, segmenter.bundle.card, ALL)
    outlines = outline_cells(found, ["RBC", "WBC"], maps, segmenter.bundle.card)
    for outline in outlines:
        assert outline.area_px == pytest.approx(np.pi * DISC_PX**2 / 4, rel=0.2)
    assert outline_cells([], [], maps, segmenter.bundle.card) == []


def foreground(*discs: tuple[int, int, int], size: tuple[int, int] = (80, 120)) -> FieldMaps:
    """Maps of background and cell at half the field's resolution."""
    mask = np.zeros(size, np.uint8)
    for x, y, radius in discs:
        cv2.circle(mask, (x, y), radius, 1, cv2.FILLED)
    cell = np.where(mask > 0, np.float32(0.9), np.float32(0.1))
    classes = np.stack([1 - cell, cell], axis=-1)
    return FieldMaps(classes, None, None, 1.0, 1.0, size[1] * 2, size[0] * 2)


def test_the_watershed_splits_what_touches() -> None:
    found = decode(foreground((40, 40, 15), (66, 40, 15), (100, 20, 8)), WATERSHED, ALL)
    assert len(found) == 3
    assert centres_of(found)[0] == pytest.approx((None, 200, 40), abs=2)
    for cell in found:
        assert cell.element is None
        assert cell.shares == {}
        assert cell.score == pytest.approx(0.9, abs=0.01)
    areas = sorted(cell.outline.area_px for cell in found)
    assert areas[0] == pytest.approx(4 * np.pi * 8**2, rel=0.1)
    assert sum(areas[1:]) == pytest.approx(2 * 4 * np.pi * 15**2, rel=0.2)
    assert outline_cells(found, ["WBC"] * 3, foreground(), WATERSHED) == [
        cell.outline for cell in found
    ]


def test_the_watershed_takes_the_cards_settings() -> None:
    maps = foreground((40, 40, 15), (100, 20, 6))
    card = {**WATERSHED, "watershed": {"min_area_px": 300}}
    assert len(decode(maps, WATERSHED, ALL)) == 2
    assert len(decode(maps, card, ALL)) == 1


def test_a_class_that_is_an_element_gives_cells_of_it() -> None:
    maps = foreground((40, 40, 15), (66, 40, 15))
    card = {**WATERSHED, "classes": ["background", "PLT"]}
    found = decode(maps, card, ALL)
    assert [cell.element for cell in found] == ["PLT", "PLT"]
    assert found[0].shares == {"RBC": 0.0, "WBC": 0.0, "PLT": 1.0}


def test_of_several_classes_the_likeliest_says_what_a_cell_is() -> None:
    one = foreground((40, 40, 15), (100, 20, 8))
    cell = one.classes[..., 1]
    right = np.arange(cell.shape[1]) > 70
    share = np.where(right, np.float32(0.75), np.float32(0.25))
    classes = np.stack([1 - cell, cell * share, cell * (1 - share)], axis=-1)
    maps = FieldMaps(classes, None, None, 1.0, 1.0, one.width_px, one.height_px)
    card = {**WATERSHED, "classes": ["background", "WBC", "RBC"]}
    found = {c.element: c.shares for c in decode(maps, card, ALL)}
    assert found["WBC"] == pytest.approx({"RBC": 0.25, "WBC": 0.75, "PLT": 0}, abs=1e-5)
    assert found["RBC"] == pytest.approx({"RBC": 0.75, "WBC": 0.25, "PLT": 0}, abs=1e-5)
    unknown = decode(maps, {**card, "classes": ["background", "cell", "RBC"]}, ALL)
    assert sorted(str(c.element) for c in unknown) == ["None", "RBC"]


def test_an_empty_foreground_has_no_cells() -> None:
    assert decode(foreground(), WATERSHED, ALL) == []


def test_outlines_of_the_watershed_stay_in_the_field() -> None:
    found = decode(foreground((0, 0, 20), (119, 79, 20)), WATERSHED, ALL)
    assert [cell.bbox for cell in found] == [
        (0, 0, pytest.approx(42, abs=3), pytest.approx(42, abs=3)),
        (pytest.approx(198, abs=3), pytest.approx(118, abs=3), 240, 160),
    ]


def test_an_unknown_decoder_is_said(segmenter: Segmenter) -> None:
    maps = segmenter.maps(draw_discs([]), 1.0)
    with pytest.raises(BundleError, match="decoder 'stars' of bundle 'x' is unknown; known: centr"):
        decode(maps, {"decoder": "stars", "name": "x"}, ALL)
