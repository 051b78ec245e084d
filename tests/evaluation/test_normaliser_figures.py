"""Normalisers judged on drawn smears, whose colours and nuclei are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from drawn_smears import CREAM, PINK, nucleus_mask, smear
from smearlab.errors import ImageError
from smearlab.evaluation.normaliser_figures import (
    FIGURES,
    TargetColours,
    judge,
    nucleus_of,
    picture_figures,
    target_colours,
)
from smearlab.metrics.stain import ciede2000, lab_of, mask_dice, mean_colour
from smearlab.stain.fitting import measure_look
from smearlab.stain.normaliser import Normalised, ReferenceNormaliser


class Inverse:
    """Makes negatives, but leaves a picture with a black corner alone."""

    name = "inverse"
    card: Mapping[str, Any] = {"name": "inverse", "kind": "stain", "sha256": "0" * 64}

    def normalise(self, pixels: np.ndarray) -> Normalised:
        if not pixels[0, 0].any():
            return Normalised(pixels, False, "black corner")
        return Normalised(255 - pixels)

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        return self.normalise(pixels).pixels


@pytest.fixture(scope="module")
def target() -> TargetColours:
    return target_colours([smear(CREAM, seed) for seed in range(3)])


def test_the_targets_colours(target: TargetColours) -> None:
    assert target.ground == pytest.approx(lab_of(np.array(CREAM.ground)), abs=0.01)
    inside = [mean_colour(smear(CREAM, seed), nucleus_mask()) for seed in range(3)]
    assert float(ciede2000(target.nucleus, np.mean(inside, 0))) < 2
    assert (target.n, target.n_nuclei) == (3, 3)


@pytest.mark.parametrize("dyes", [CREAM, PINK])
def test_the_nucleus_is_found_and_red_cells_are_none(dyes: Any) -> None:
    assert mask_dice(nucleus_of(smear(dyes)), nucleus_mask()) > 0.9
    assert not nucleus_of(smear(dyes, nucleus=False)).any()
    assert not nucleus_of(np.full((20, 20, 3), 200, np.uint8)).any()


def test_a_picture_beside_itself(target: TargetColours) -> None:
    figures = picture_figures(smear(PINK), smear(PINK), target)
    assert set(figures) == set(FIGURES)
    assert [figures[k] for k in ("ssim_lightness", "ssim_azure", "nucleus_dice")] == [1, 1, 1]
    assert figures["ground_moved"] == 0
    ground = ciede2000(lab_of(np.array(PINK.ground)), target.ground)
    assert figures["ground_de00"] == pytest.approx(float(ground), abs=0.05)


def test_a_negative_keeps_nothing(target: TargetColours) -> None:
    figures = picture_figures(smear(PINK), 255 - smear(PINK), target)
    assert figures["ssim_lightness"] < 0.1
    assert figures["nucleus_dice"] < 0.3
    assert figures["ground_de00"] > 20


def test_without_a_nucleus_its_figures_are_undefined(target: TargetColours) -> None:
    pixels = smear(PINK, nucleus=False)
    figures = picture_figures(pixels, pixels, target)
    assert np.isnan([figures[k] for k in ("nucleus_de00", "nucleus_de76", "nucleus_dice")]).all()
    assert figures["ssim_lightness"] == 1


def test_a_good_normaliser_comes_near_and_keeps_structure(target: TargetColours) -> None:
    look = measure_look([smear(CREAM, seed) for seed in range(3)], "vahadane")
    pictures = [smear(PINK, seed) for seed in range(4)]
    found = judge(ReferenceNormaliser("v", "vahadane", look), pictures, target)
    for name in ("ground_de00", "nucleus_de00"):
        assert found["after"][name]["value"] < 3 < 6 < found["before"][name]["value"]
    assert found["after"]["ssim_azure"]["value"] > 0.9
    assert found["after"]["nucleus_dice"]["value"] > 0.95
    assert found["after"]["ground_moved"]["value"] == 0
    one = found["after"]["nucleus_de00"]
    assert one["low"] <= one["value"] <= one["high"] and one["n"] == 4
    assert (found["n"], found["unchanged"]) == (4, 0)
    assert found["megapixels_per_s"] > 0


def test_what_is_left_alone_is_counted(target: TargetColours) -> None:
    alone = smear(PINK, nucleus=False)
    alone[0, 0] = 0
    found = judge(Inverse(), [smear(PINK), alone], target)
    assert found["unchanged"] == 1
    assert found["after"]["nucleus_de00"]["n"] == 1
    assert found["after"]["nucleus_de00"]["low"] is None  # of one picture there is no interval


def test_what_cannot_be_judged(target: TargetColours) -> None:
    with pytest.raises(ImageError, match="none of the 2 pictures of the target shows a nucleus"):
        target_colours([smear(CREAM, seed, nucleus=False) for seed in (0, 1)])
    with pytest.raises(ImageError, match="9 × 30 px is too small"):
        picture_figures(*[np.zeros((30, 9, 3), np.uint8)] * 2, target)
