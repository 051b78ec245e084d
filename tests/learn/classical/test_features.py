"""All features together: their table, painted cells, real masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from painted_cells import KINDS, disc, paint
from PIL import Image

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.classical.feature import Feature, names_of
from smearlab.learn.classical.features import (
    FEATURES,
    GROUPS,
    FeatureConfig,
    columns_of,
    measure,
)
from smearlab.learn.classical.regions import find_regions

PAGE = Path(__file__).resolve().parents[3] / "docs" / "classical.md"
LOW = np.array([feature.low for feature in FEATURES])
HIGH = np.array([feature.high for feature in FEATURES])


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float(2 * np.count_nonzero(a & b) / max(1, np.count_nonzero(a) + np.count_nonzero(b)))


def in_range(values: NDArray[np.float32]) -> bool:
    known = ~np.isnan(values)
    return bool(np.all((values >= LOW - 1e-6)[known] & (values <= HIGH + 1e-6)[known]))


def test_every_feature_has_a_name_of_its_own_and_is_on_the_page() -> None:
    names = names_of(FEATURES)
    assert len(set(names)) == len(names) == 12 + 18 + 56 + 324
    assert {feature.group for feature in FEATURES} == set(GROUPS)
    page = PAGE.read_text(encoding="utf-8")
    for feature in FEATURES:
        family = feature.name
        if feature.group == "colour":
            family = feature.name.replace("nucleus_", "PART_").replace("cytoplasm_", "PART_")
        elif feature.group == "texture":
            family = "lbp_PART_r" + feature.name.split("_r")[1][0]
        elif feature.group == "gradients":
            family = "hog_block"
        assert family in page, f"{feature.name} is not described"


@pytest.mark.parametrize("kind", KINDS)
def test_painted_cells_are_parted_from_ground_and_neighbours(kind: str) -> None:
    for seed in range(4):
        pixels, nucleus, cell = paint(kind, seed)
        found = find_regions(pixels)
        assert dice(found.nucleus, nucleus) > 0.92
        assert dice(found.cell, cell) > 0.93
        values = dict(zip(names_of(FEATURES), measure(pixels).tolist(), strict=True))
        assert values["nucleus_to_cell"] == pytest.approx(nucleus.sum() / cell.sum(), abs=0.08)
        assert values["nucleus_lobes"] == len(KINDS[kind][0])


def test_a_red_cell_in_the_middle_has_a_body_but_no_nucleus() -> None:
    pixels = np.full((128, 128, 3), (235, 220, 205), np.uint8)
    pixels[disc(30)] = (205, 165, 160)
    found = find_regions(cv2.GaussianBlur(pixels, (0, 0), 1.0))
    body = found.cell | found.nucleus
    assert dice(body, disc(30)) > 0.93


def test_a_red_cell_beside_is_not_of_the_cell() -> None:
    """It touches; its middle is as pale as the ground, and it lies near a large nucleus."""
    pixels = np.full((128, 128, 3), (235, 220, 205), np.uint8)
    ring = disc(18, at=(0, 53)) & ~disc(6, at=(0, 53))
    pixels[ring] = (205, 165, 160)
    pixels[disc(38)] = (190, 180, 205)
    pixels[disc(34)] = (85, 45, 120)
    found = find_regions(cv2.GaussianBlur(pixels, (0, 0), 1.0))
    assert dice(found.cell, disc(38)) > 0.95
    assert not found.cell[100:, :].sum() > 0.1 * ring.sum()


def test_a_vacuole_is_of_the_cell() -> None:
    pixels = np.full((128, 128, 3), (235, 220, 205), np.uint8)
    pixels[disc(44)] = (190, 180, 205)
    pixels[disc(8, at=(30, 0))] = (235, 220, 205)
    pixels[disc(18, at=(-10, 0))] = (85, 45, 120)
    found = find_regions(cv2.GaussianBlur(pixels, (0, 0), 1.0))
    assert found.cell[disc(6, at=(30, 0))].all()


def test_a_nucleus_across_the_ground_is_of_another_cell() -> None:
    """Near enough to be a lobe, but ground lies between; the picture cuts its cell."""
    pixels = np.full((128, 128, 3), (235, 220, 205), np.uint8)
    for at, radii in (((-8, -8), (32, 22)), ((44, 44), (26, 24))):
        for radius, colour in zip(radii, ((190, 180, 205), (85, 45, 120)), strict=True):
            pixels[disc(radius, at=at)] = colour
    found = find_regions(cv2.GaussianBlur(pixels, (0, 0), 1.0))
    assert dice(found.nucleus, disc(22, at=(-8, -8))) > 0.95
    assert dice(found.cell, disc(32, at=(-8, -8))) > 0.95


@given(st.integers(0, 2**32 - 1), st.sampled_from([32, 64]), st.integers(0, 80))
def test_any_picture_gives_features_within_their_range(seed: int, side: int, noise: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 256, 3) + rng.normal(0, noise, (side, side, 3))
    values = measure(base.clip(0, 255).astype(np.uint8))
    assert values.dtype == np.float32
    assert in_range(values)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_empty_picture_has_areas_of_nothing(grey: int) -> None:
    values = measure(np.full((128, 128, 3), grey, np.uint8))
    named = dict(zip(names_of(FEATURES), values.tolist(), strict=True))
    assert named["nucleus_area"] == named["cell_area"] == named["nucleus_lobes"] == 0
    assert np.isnan(named["nucleus_hue_cos"])


def test_the_picture_is_not_changed() -> None:
    pixels = paint("neutrophil")[0]
    before = pixels.copy()
    measure(pixels)
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("shape", [(128, 64), (30, 30), (28, 28)])
def test_other_shapes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="squares whose side is a multiple of 4"):
        measure(np.zeros((*shape, 3), np.uint8))


def test_settings_are_checked() -> None:
    with pytest.raises(UsageError, match="multiple of 4 and at least 32; received 30"):
        FeatureConfig(size_px=30)
    with pytest.raises(UsageError, match="crop_px must be at least 1 or None; received 0"):
        FeatureConfig(crop_px=0)
    with pytest.raises(UsageError, match="groups must name at least one"):
        FeatureConfig(groups=())
    with pytest.raises(UnknownNameError, match="did you mean 'colour'"):
        FeatureConfig(groups=("color",))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="the range of x must not be empty"):
        Feature("x", "shape", "1", 1, 1, "")


def test_columns_of_groups_are_theirs() -> None:
    assert len(columns_of(GROUPS)) == len(FEATURES)
    chosen = columns_of(("colour",))
    assert {FEATURES[n].group for n in chosen} == {"colour"}
    assert len(chosen) == 18


def test_cells_of_real_pictures(data_part: Callable[[str], Path]) -> None:
    """300 white cells of two stains with masks by experts: cytoplasm 128, nucleus 255."""
    folder = data_part("cells/zheng1")
    found = []
    for path in sorted((folder / "images").iterdir())[::3]:
        with Image.open(path) as picture, Image.open(folder / "masks" / path.name) as mask:
            pixels, truth = np.array(picture.convert("RGB")), np.array(mask.convert("L")) > 60
        found.append(dice(find_regions(pixels).cell, truth))
    assert len(found) == 100
    assert np.mean(found) > 0.95
    assert np.median(found) > 0.97
