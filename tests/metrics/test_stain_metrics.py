"""Colour differences on the published pairs; structure, masks and ground on known answers."""

from __future__ import annotations

import numpy as np
import pytest

from smearlab.metrics.stain import (
    ciede2000,
    delta_e_76,
    ground_moved,
    lab_of,
    mask_dice,
    mean_colour,
    plane_ssim,
)

#: L*a*b* of two colours and their CIEDE2000: rows 1, 4, 7, 9, 13, 17, 20, 25, 32 and 34 of Table 1
#: of Sharma, Wu and Dalal (2005).
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0009), 7.1792),
    ((50, -0.0010, 2.4900), (50, 0.0009, -2.4900), 4.8045),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((90.9257, -0.5406, -0.9208), (88.6381, -0.8985, -0.7239), 1.5381),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "wanted"), SHARMA)
def test_ciede2000_of_the_published_pairs(
    one: tuple[float, ...], other: tuple[float, ...], wanted: float
) -> None:
    a, b = np.array(one, float), np.array(other, float)
    assert float(ciede2000(a, b)) == pytest.approx(wanted, abs=1e-4)
    assert float(ciede2000(b, a)) == pytest.approx(wanted, abs=1e-4)


def test_lab_of_known_colours() -> None:
    """White, black and sRGB red under D65."""
    found = lab_of(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0]]))
    wanted = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]]
    assert found == pytest.approx(np.array(wanted), abs=0.02)
    assert delta_e_76(found[0], found[1]) == pytest.approx(100, abs=0.01)


def test_the_mean_colour_is_of_the_part_only() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:, 2:] = 255
    part = np.zeros((4, 4), bool)
    part[:, 2:] = True
    assert mean_colour(pixels, part) == pytest.approx([100, 0, 0], abs=0.01)
    assert np.isnan(mean_colour(pixels, np.zeros((4, 4), bool))).all()


def test_ssim_of_planes() -> None:
    plane = np.random.default_rng(0).random((24, 24))
    assert plane_ssim(plane, plane, 1.0) == pytest.approx(1)
    assert plane_ssim(plane, 1 - plane, 1.0) < 0
    # Of two even planes only luminance is left: (2ab + c) / (a² + b² + c), c = (0.01 · 255)².
    a, b, c = 51.0, 102.0, 2.55**2
    even = plane_ssim(np.full((12, 12), 0.2), np.full((12, 12), 0.4), 1.0)
    assert even == pytest.approx((2 * a * b + c) / (a * a + b * b + c))
    scaled = plane_ssim(np.full((12, 12), 20.0), np.full((12, 12), 40.0), 100.0)
    assert scaled == pytest.approx(even)
    with pytest.raises(ValueError, match=r"at least 11 px; received \(9, 20\)"):
        plane_ssim(plane[:9, :20], plane[:9, :20], 1.0)
    with pytest.raises(ValueError, match="share one shape"):
        plane_ssim(plane, plane[1:], 1.0)


def test_dice_of_masks() -> None:
    one = np.zeros((4, 4), bool)
    one[:2] = True
    other = np.zeros((4, 4), bool)
    other[1:3] = True
    assert mask_dice(one, one) == 1
    assert mask_dice(one, other) == 0.5
    assert mask_dice(one, ~one) == 0
    assert np.isnan(mask_dice(one & ~one, one & ~one))
    with pytest.raises(ValueError, match="share one shape"):
        mask_dice(one, other[1:])


def test_ground_that_is_moved_as_a_whole_has_not_moved() -> None:
    before = np.full((10, 10, 3), (250, 226, 202), np.uint8)
    ground = np.ones((10, 10), bool)
    other = np.full((10, 10, 3), (216, 184, 170), np.uint8)
    assert ground_moved(before, before, ground) == 0
    assert ground_moved(before, other, ground) == 0
    spotted = other.copy()
    spotted[0, :5] = (200, 150, 190)  # five of a hundred stand out
    assert ground_moved(before, spotted, ground) == pytest.approx(0.05)
    left_out = ground.copy()
    left_out[0] = False
    assert ground_moved(before, spotted, left_out) == 0
    assert np.isnan(ground_moved(before, other, ~ground))
    with pytest.raises(ValueError, match="share one size"):
        ground_moved(before, other[1:], ground)
