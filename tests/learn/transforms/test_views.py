"""Views of boxed fields: boxes stay on what they are boxes of."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_fields import extent, painted_field, where_painted

from smearlab.datasets.box_masks import CODE_OF_ELEMENT, IGNORE
from smearlab.errors import UsageError
from smearlab.learn.transforms.views import (
    PAD_VALUE,
    View,
    ViewConfig,
    crop_view,
    draw_view,
    mosaic,
    turn,
)
from smearlab.types import ELEMENTS

PLAIN = ViewConfig(size=128, diameters_px=(36, 44), mosaic_share=0.0, colour=0.0)


def assert_boxes_fit(view: View, within_px: float) -> int:
    """Every box lies on the rectangle of its colour; returns how many were compared."""
    compared = 0
    for box, element in zip(view.boxes, view.elements, strict=True):
        mask = where_painted(view.pixels, ELEMENTS.index(element))
        if mask.any():
            np.testing.assert_allclose(box, extent(mask), atol=within_px)
            compared += 1
    return compared


def equal(a: View, b: View) -> bool:
    """The same, up to the last bits of the boxes."""
    names = ("pixels", "cut", "element_map", "incomplete", "outside")
    same = all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)
    return same and a.elements == b.elements and np.allclose(a.boxes, b.boxes, atol=1e-4)


@pytest.mark.parametrize("seed", range(12))
def test_boxes_lie_on_what_they_box(seed: int) -> None:
    rng = np.random.default_rng(seed)
    view = crop_view(painted_field(), float(rng.uniform(24, 60)), 128, rng)
    assert view.pixels.shape == (128, 128, 3)
    assert view.boxes.dtype == np.float32
    assert view.boxes.min(initial=0) >= 0 and view.boxes.max(initial=0) <= 128
    assert assert_boxes_fit(view, within_px=1.0) >= 1
    # The map moves with the pixels, up to the half pixel that interpolation blurs.
    for element, code in CODE_OF_ELEMENT.items():
        mine = view.element_map == code
        painted = where_painted(view.pixels, ELEMENTS.index(element))
        assert np.count_nonzero(mine ^ painted) <= 0.12 * max(1, np.count_nonzero(mine)) + 8


def test_red_cells_come_out_as_wide_as_asked() -> None:
    field = painted_field(boxes=((60, 50, 100, 90),), elements=("RBC",))
    assert field.cell_diameter_px == 40
    sizes = []
    for seed in range(20):
        view = crop_view(field, 30.0, 256, np.random.default_rng(seed))
        (x0, y0, x1, y1), *_ = view.boxes
        sizes.append(float(np.sqrt((x1 - x0) * (y1 - y0))))
    np.testing.assert_allclose(sizes, 30.0, atol=0.1)  # stretched, never scaled


def test_beyond_the_field_lies_grey_of_which_nothing_is_claimed() -> None:
    view = crop_view(painted_field(), 20.0, 128, np.random.default_rng(1))
    assert 0.1 < view.outside.mean() < 0.9
    assert (view.element_map[view.outside] == IGNORE).all()
    deep = view.outside[:-1, :-1] & view.outside[1:, 1:] & view.outside[:-1, 1:]
    assert (view.pixels[:-1, :-1][deep] >= PAD_VALUE).all()
    assert (view.pixels[0, 0] == PAD_VALUE).all() or (view.pixels[-1, -1] == PAD_VALUE).all()


def test_of_what_is_mostly_cut_off_nothing_is_asked() -> None:
    field = painted_field(boxes=((60, 50, 100, 90),), elements=("RBC",))
    kept = cut = gone = 0
    for seed in range(80):
        view = crop_view(field, 40.0, 64, np.random.default_rng(seed), (0.1, 0.5))
        if not len(view.boxes):
            gone += 1
            continue
        x0, y0, x1, y1 = view.boxes[0]
        left = (x1 - x0) * (y1 - y0) / 1600
        assert left > 0.1 - 0.01
        assert bool(view.cut[0]) == (left < 0.5) or abs(left - 0.5) < 0.01
        cut += int(view.cut[0])
        kept += int(not view.cut[0])
    assert kept and cut and gone


def test_incomplete_fields_say_so_everywhere() -> None:
    rng = np.random.default_rng(0)
    assert not crop_view(painted_field(), 40, 64, rng).incomplete.any()
    loose = painted_field(incomplete=frozenset({"RBC"}))
    assert crop_view(loose, 40, 64, rng).incomplete.all()


def test_a_field_without_red_cells_is_scaled_by_its_size() -> None:
    field = painted_field(boxes=((60, 50, 100, 90),), elements=("WBC",))
    assert np.isnan(field.cell_diameter_px)
    view = crop_view(field, 0.22 * 144, 256, np.random.default_rng(0))
    (x0, y0, x1, y1), *_ = view.boxes
    assert np.sqrt((x1 - x0) * (y1 - y0)) == pytest.approx(40, abs=0.1)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("flip", [False, True])
def test_turned_boxes_move_with_their_pixels(quarters: int, flip: bool) -> None:
    view = crop_view(painted_field(), 40, 128, np.random.default_rng(4))
    turned = turn(view, quarters, flip)
    assert assert_boxes_fit(turned, within_px=1.0) == assert_boxes_fit(view, within_px=1.0) >= 2
    np.testing.assert_array_equal(
        turned.element_map[turned.outside], np.full(int(view.outside.sum()), IGNORE)
    )


def test_four_quarter_turns_or_two_mirrors_are_none() -> None:
    view = crop_view(painted_field(), 40, 128, np.random.default_rng(4))
    around = view
    for _ in range(4):
        around = turn(around, 1, flip=False)
    assert equal(around, view)
    assert equal(turn(turn(view, 0, flip=True), 0, flip=True), view)
    assert not equal(turn(view, 1, flip=False), view)
    assert equal(turn(view, -1, flip=False), turn(view, 3, flip=False))


def test_a_mosaic_is_four_views_in_reading_order() -> None:
    views = [
        crop_view(painted_field(), 24, 64, np.random.default_rng(seed)) for seed in (1, 2, 3, 4)
    ]
    whole = mosaic(views)
    assert whole.pixels.shape == (128, 128, 3)
    assert (
        len(whole.boxes)
        == len(whole.elements)
        == len(whole.cut)
        == sum(len(v.boxes) for v in views)
    )
    first = 0
    for view, (x, y) in zip(views, [(0, 0), (64, 0), (0, 64), (64, 64)], strict=True):
        window = (slice(y, y + 64), slice(x, x + 64))
        for name in ("pixels", "element_map", "incomplete", "outside"):
            assert np.array_equal(getattr(whole, name)[window], getattr(view, name)), name
        part = whole.boxes[first : first + len(view.boxes)]
        np.testing.assert_array_equal(part, view.boxes + np.array([x, y, x, y], np.float32))
        first += len(view.boxes)


def test_a_drawn_view_follows_from_its_generator() -> None:
    fields = [painted_field(), painted_field(boxes=((30, 30, 70, 70),), elements=("WBC",))]
    config = ViewConfig(size=64, mosaic_share=0.5)
    for seed in range(6):
        first, again = (draw_view(fields, 0, config, np.random.default_rng(seed)) for _ in "ab")
        assert equal(first, again)
    assert not equal(
        draw_view(fields, 0, config, np.random.default_rng(1)),
        draw_view(fields, 0, config, np.random.default_rng(2)),
    )


def test_drawn_views_turn_mirror_and_come_from_the_field_that_was_asked_for() -> None:
    fields = [painted_field(), painted_field(boxes=((30, 30, 70, 70),), elements=("WBC",))]
    seen = set()
    for seed in range(24):
        view = draw_view(fields, 0, PLAIN, np.random.default_rng(seed))
        assert view.pixels.shape == (128, 128, 3)
        compared = assert_boxes_fit(view, within_px=1.0)
        centres = {e: (b[:2] + b[2:]) / 2 for b, e in zip(view.boxes, view.elements, strict=True)}
        if compared == 3 and len(centres) == 3:
            red, white, platelet = (centres[e] for e in ELEMENTS)
            along, down = white - red, platelet - red
            lying = bool(abs(along[0]) > abs(along[1]))
            seen.add((lying, bool(along[0] * down[1] > along[1] * down[0])))
    assert len(seen) == 4  # upright and lying, as it is and mirrored


def test_red_cells_alone_are_darkened() -> None:
    field = painted_field()
    for seed in range(6):
        plain = draw_view([field], 0, PLAIN, np.random.default_rng(seed))
        dark = draw_view([field], 0, replace(PLAIN, dark_reds=1.0), np.random.default_rng(seed))
        np.testing.assert_array_equal(dark.boxes, plain.boxes)
        changed = (dark.pixels != plain.pixels).any(axis=2)
        reds = plain.element_map == CODE_OF_ELEMENT["RBC"]
        near = cv2.dilate(reds.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
        assert not reds.any() or changed[reds].mean() > 0.5
        assert not changed[~near].any()


def test_mosaics_come_as_often_as_asked() -> None:
    fields = [painted_field()]
    config = replace(PLAIN, mosaic_share=1.0, mosaic_diameters_px=(20, 24))
    view = draw_view(fields, 0, config, np.random.default_rng(0))
    assert view.pixels.shape == (128, 128, 3)
    assert sum(e == "RBC" for e in view.elements) > 1, "one field has one red cell, four have four"


def test_colours_change_only_inside_the_field() -> None:
    config = ViewConfig(size=64, diameters_px=(10, 12), mosaic_share=0.0, colour=1.0)
    changed = 0
    for seed in range(10):
        view = draw_view([painted_field()], 0, config, np.random.default_rng(seed))
        assert view.pixels.dtype == np.uint8
        assert view.outside.any()
        assert (view.pixels[view.outside] == PAD_VALUE).all()
        changed += int(not (view.pixels == 255).all(-1).any())
    assert changed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size": 100}, "size must be a multiple of 32; received 100"),
        ({"diameters_px": (50.0, 40.0)}, "diameters_px must be above 0 and rising"),
        ({"mosaic_share": 1.5}, "mosaic_share must lie within"),
        ({"dark_reds": 1.5}, "dark_reds must lie within"),
        ({"visible": (0.5, 0.3)}, "visible must be two rising shares; received 0.5, 0.3"),
    ],
)
def test_impossible_settings_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ViewConfig(**given)  # type: ignore[arg-type]
