"""The smear simulator: what it says is there is there, once, where it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from smearlab.datasets.simulated_looks import LOOKS
from smearlab.datasets.simulator import (
    RBC_DIAMETER_UM,
    WBC_TYPES,
    SmearConfig,
    simulate_field,
)
from smearlab.errors import UnknownNameError, UsageError
from smearlab.types import CELL_TYPES, ELEMENT_OF_TYPE

APART = {"touching": 0.0, "overlap": 0.0, "inside": True}
SHARP = {"blur_px": 0.0, "noise": 0.0, "illumination": 0.0, "jpeg_quality": None}


@given(
    seed=st.integers(0, 10_000),
    n_rbc=st.integers(0, 25),
    n_wbc=st.integers(0, 2),
    n_plt=st.integers(0, 6),
    inside=st.booleans(),
    overlap=st.sampled_from([0.0, 0.3, 0.6]),
    touching=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_every_asked_cell_is_there_and_in_sight(
    seed: int, n_rbc: int, n_wbc: int, n_plt: int, inside: bool, overlap: float, touching: float
) -> None:
    config = SmearConfig(
        rbc_diameter_px=40,
        n_rbc=n_rbc,
        n_wbc=n_wbc,
        n_plt=n_plt,
        inside=inside,
        overlap=overlap,
        touching=touching,
    )
    truth = simulate_field(seed, config)
    assert (truth.count("RBC"), truth.count("WBC"), truth.count("PLT")) == (n_rbc, n_wbc, n_plt)
    areas = np.bincount(truth.labels.array.ravel(), minlength=len(truth.cells) + 1)
    assert len(areas) == len(truth.cells) + 1
    for i, cell in enumerate(truth.cells):
        assert cell.label == i + 1
        assert areas[cell.label] == cell.area_px > 0
        assert cell.element == ELEMENT_OF_TYPE[cell.type]
        assert not (inside and cell.touches_border)


@given(seed=st.integers(0, 10_000))
def test_boxes_hold_the_visible_pixels_and_contours(seed: int) -> None:
    truth = simulate_field(seed, SmearConfig(rbc_diameter_px=50, touching=0.8, overlap=0.5))
    height, width = truth.labels.array.shape
    for cell in truth.cells:
        x0, y0, x1, y1 = cell.bbox
        assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
        ys, xs = np.nonzero(truth.labels.array == cell.label)
        assert xs.min() >= x0 and xs.max() < x1 and ys.min() >= y0 and ys.max() < y1
        assert len(cell.contour) >= 3
        assert (cell.contour >= (x0, y0)).all() and (cell.contour < (x1, y1)).all()
        edge = x0 == 0 or y0 == 0 or x1 == width or y1 == height
        assert edge or not cell.touches_border


@given(seed=st.integers(0, 10_000), look=st.sampled_from([*LOOKS, "random"]))
def test_cells_apart_are_separate_dark_objects(seed: int, look: str) -> None:
    """Counted from the picture alone, with nothing but a threshold on absorbed light."""
    config = SmearConfig(
        rbc_diameter_px=48, n_rbc=14, n_wbc=2, n_plt=4, crenated=0.2, look=look, **APART, **SHARP
    )
    truth = simulate_field(seed, config)
    objects, n = ndimage.label(truth.labels.array > 0, np.ones((3, 3)))
    assert n == 20
    boxes = ndimage.find_objects(objects)
    assert {(s[1].start, s[0].start, s[1].stop, s[0].stop) for s in boxes} == {
        cell.bbox for cell in truth.cells
    }
    pixels = truth.field.pixels.astype(float)
    ground = np.median(pixels[truth.labels.array == 0], axis=0)
    absorbed = (ground - pixels).sum(axis=2)
    for cell in truth.cells:
        inside = absorbed[truth.labels.array == cell.label].mean()
        assert inside > 4 * np.abs(absorbed[truth.labels.array == 0]).mean(), cell.type


def test_covered_cells_keep_their_whole_box() -> None:
    """A red cell under another one has the box of its full shape."""
    config = SmearConfig(
        rbc_diameter_px=60, n_rbc=20, n_wbc=0, n_plt=0, touching=1, overlap=0.6, oval=0, dense=0,
        inside=True,
    )  # fmt: skip
    truth = simulate_field(4, config)
    covered = [c for c in truth.cells if c.area_px < 0.7 * np.pi / 4 * _sides(c.bbox)]
    assert covered, "the field was meant to contain overlapped cells"
    for cell in truth.cells:
        x0, y0, x1, y1 = cell.bbox
        assert 48 <= x1 - x0 <= 80 and 48 <= y1 - y0 <= 80


def _sides(box: tuple[int, int, int, int]) -> int:
    x0, y0, x1, y1 = box
    return (x1 - x0) * (y1 - y0)


def test_overlap_is_darker_than_either_cell() -> None:
    """Densities add: the picture of two overlapping cells is the product of their pictures."""
    config = SmearConfig(n_rbc=12, n_wbc=0, n_plt=0, touching=1, overlap=0.6, **SHARP)
    truth = simulate_field(11, config)
    alone = [tuple(cell.bbox) for cell in truth.cells]
    shared = np.zeros(truth.labels.array.shape, int)
    for x0, y0, x1, y1 in alone:
        yy, xx = np.mgrid[y0:y1, x0:x1]
        shared[y0:y1, x0:x1] += (
            ((xx + 0.5 - (x0 + x1) / 2) / (x1 - x0)) ** 2
            + ((yy + 0.5 - (y0 + y1) / 2) / (y1 - y0)) ** 2
        ) < 0.2
    light = truth.field.pixels.astype(float).sum(2)
    assert (shared > 1).sum() > 50
    assert light[shared > 1].mean() < 0.9 * light[shared == 1].mean()


def test_the_same_seed_gives_the_same_bytes() -> None:
    config = SmearConfig(look="random", n_wbc=7)
    first, again = simulate_field(5, config), simulate_field(5, config)
    assert first.field.pixels.tobytes() == again.field.pixels.tobytes()
    assert first.labels.array.tobytes() == again.labels.array.tobytes()
    assert [c.bbox for c in first.cells] == [c.bbox for c in again.cells]
    other = simulate_field(6, config)
    assert first.field.pixels.tobytes() != other.field.pixels.tobytes()


def test_each_type_once_when_as_many_are_asked_as_there_are() -> None:
    truth = simulate_field(2, SmearConfig(n_wbc=len(WBC_TYPES), rbc_diameter_px=50))
    assert sorted(c.type for c in truth.cells if c.element == "WBC") == sorted(WBC_TYPES)


def test_types_are_the_types_of_the_house() -> None:
    assert set(WBC_TYPES) < set(CELL_TYPES)
    assert len(WBC_TYPES) == 7


def test_sizes_are_those_of_blood() -> None:
    """Red cells have the diameter asked for; platelets are small, monocytes large."""
    truth = simulate_field(
        3,
        SmearConfig(
            height_px=900,
            width_px=900,
            n_rbc=45,
            n_wbc=6,
            n_plt=12,
            wbc_types=("monocyte",),
            **APART,
        ),
    )
    size = {
        element: np.mean([c.equivalent_diameter_px for c in truth.cells if c.element == element])
        for element in ("RBC", "WBC", "PLT")
    }
    assert size["RBC"] == pytest.approx(76, rel=0.05)
    assert 1.8 < size["WBC"] / size["RBC"] < 2.4
    assert 0.25 < size["PLT"] / size["RBC"] < 0.45
    assert truth.field.um_per_px == pytest.approx(RBC_DIAMETER_UM / 76)


def test_class_map_agrees_with_labels() -> None:
    truth = simulate_field(8)
    maps = truth.class_map
    assert maps.classes == ("background", "RBC", "WBC", "PLT")
    assert maps.probabilities.shape == (480, 640, 4)
    assert np.array_equal(maps.probabilities.sum(2), np.ones((480, 640)))
    assert np.array_equal(maps.probabilities[..., 0] == 1, truth.labels.array == 0)
    areas = maps.probabilities.sum((0, 1))
    for i, element in enumerate(("RBC", "WBC", "PLT"), start=1):
        assert areas[i] == sum(c.area_px for c in truth.cells if c.element == element)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rbc_diameter_px": 2}, "rbc_diameter_px must lie within 8–400; received 2"),
        ({"height_px": 9000}, "height_px must lie within 32–8192; received 9000"),
        ({"touching": -0.1}, "touching must lie within 0–1; received -0.1"),
        ({"noise": float("nan")}, "noise must lie within 0–60; received nan"),
        ({"dye": 0.1}, "dye must lie within 0.3–2; received 0.1"),
        ({"uneven_focus_px": 21}, "uneven_focus_px must lie within 0–20; received 21"),
        ({"jpeg_quality": 0}, "jpeg_quality must lie within 1–100; received 0"),
        ({"dense": 0.6, "oval": 0.6}, "dense \\+ oval \\+ crenated must be at most 1"),
        ({"wbc_types": ()}, "wbc_types is empty but n_wbc is 1"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SmearConfig(**changes)  # type: ignore[arg-type]


def test_unknown_names_come_with_a_hint() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'monocyte'"):
        SmearConfig(wbc_types=("monocytes",))
    with pytest.raises(UnknownNameError, match="did you mean 'cream'"):
        SmearConfig(look="creme")


def test_more_dye_absorbs_more_light_and_moves_nothing() -> None:
    pale, deep = (simulate_field(7, SmearConfig(dye=dye, **SHARP)) for dye in (0.6, 1.4))
    assert np.array_equal(pale.labels.array, deep.labels.array)
    cells = pale.labels.array > 0
    light = [truth.field.pixels.astype(float)[cells].mean() for truth in (pale, deep)]
    assert light[1] < 0.85 * light[0]


def test_cells_that_do_not_fit_are_refused() -> None:
    config = SmearConfig(height_px=200, width_px=200, n_rbc=60, **APART)
    with pytest.raises(UsageError, match="found no place for another erythrocyte"):
        simulate_field(1, config)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UsageError, match="seed must be 0 or more; received -1"):
        simulate_field(-1)
