"""The papers' augmentations on tensors: pictures and masks go the same way, the right one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from drawn_fields import painted_field, where_painted
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as PillowImage

import smearlab.learn  # noqa: F401  (makes torchvision importable)
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.errors import UsageError
from smearlab.io.quick_jpeg import Reduced
from smearlab.learn.transforms.affine_ranges import PAPER_A, PAPER_D, Affine
from smearlab.learn.transforms.paper_augmentations import (
    VERSIONS,
    AffineAugmentation,
    EightVersions,
    paper_a,
    paper_d,
    warp,
)
from smearlab.learn.transforms.picture_views import cut_view

tv_tensors = pytest.importorskip("torchvision.tv_tensors", reason="torchvision is not installed")


def channels_first(pixels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def channels_last(picture: torch.Tensor) -> NDArray[np.uint8]:
    return np.asarray(picture.as_subclass(torch.Tensor).permute(1, 2, 0))


@pytest.fixture(scope="module")
def numbers() -> torch.Tensor:
    """A square in which every pixel is another."""
    return torch.arange(12 * 12).reshape(1, 12, 12).repeat(3, 1, 1).to(torch.uint8)


@pytest.mark.parametrize("make", [paper_a, paper_d, EightVersions], ids=["A", "D", "B"])
def test_picture_and_mask_go_the_same_way(make: type) -> None:
    field = painted_field(size=(160, 160))
    picture = tv_tensors.Image(channels_first(field.pixels))
    mask = tv_tensors.Mask(torch.from_numpy(field.element_map))
    augment = make(np.random.default_rng(3))
    moved = 0
    for _ in range(16):
        result = augment({"pixels": picture, "mask": mask, "name": "painted"})
        assert type(result["pixels"]) is tv_tensors.Image
        assert type(result["mask"]) is tv_tensors.Mask
        assert result["pixels"].dtype == result["mask"].dtype == torch.uint8
        assert result["pixels"].shape == (3, 160, 160)
        assert result["mask"].shape == (160, 160)
        assert result["name"] == "painted"
        assert set(result["mask"].unique().tolist()) <= {0, 1, 2, 3}
        pixels, marks = channels_last(result["pixels"]), result["mask"].numpy()
        for code in (1, 2, 3):
            painted, marked = where_painted(pixels, code - 1), marks == code
            shared = np.count_nonzero(painted & marked)
            assert 2 * shared >= 0.9 * (np.count_nonzero(painted) + np.count_nonzero(marked))
        moved += not torch.equal(result["mask"], mask)
    assert moved >= 10


@given(st.integers(0, 2**32 - 1), st.sampled_from([PAPER_A, PAPER_D]))
def test_tensors_and_arrays_are_warped_alike(seed: int, ranges: object) -> None:
    """The loader warps arrays, a device warps tensors: one augmentation."""
    config = SmearConfig(height_px=72, width_px=96, rbc_diameter_px=24, n_wbc=1)
    pixels = simulate_field(5, config).field.pixels
    affine = ranges.draw(np.random.default_rng(seed))  # type: ignore[attr-defined]
    array = cut_view(Reduced(pixels[:, :72], 72, 72), (0, 0, 72, 72), 72, affine)
    tensor = channels_last(warp(channels_first(pixels[:, :72]), affine))
    difference = np.abs(array.astype(int) - tensor.astype(int))
    assert difference.mean() < 1
    assert np.quantile(difference, 0.999) <= 12  # OpenCV reads between pixels in 32 steps


def test_no_change_changes_nothing(numbers: torch.Tensor) -> None:
    assert torch.equal(warp(numbers, Affine()), numbers)
    mask = tv_tensors.Mask(numbers[0].long())
    assert torch.equal(warp(mask, Affine()), mask)


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_quarter_turns_are_counter_clockwise(numbers: torch.Tensor, quarter_turns: int) -> None:
    turned = warp(tv_tensors.Mask(numbers), Affine(turn=90 * quarter_turns))
    assert torch.equal(turned, torch.rot90(numbers, quarter_turns, (-2, -1)))


def test_mirrors_exchange_left_and_right(numbers: torch.Tensor) -> None:
    assert torch.equal(warp(numbers, Affine(mirrored=True)), numbers.flip(-1))


def test_shifts_go_right_and_down_and_repeat_the_edge(numbers: torch.Tensor) -> None:
    moved = warp(numbers, Affine(shift=(3 / 12, 2 / 12)))
    assert torch.equal(moved[:, 2:, 3:], numbers[:, :-2, :-3])
    assert (moved[:, :3, :4] == numbers[:, :1, :1]).all()
    assert torch.equal(moved[:, 2:, 0], numbers[:, :-2, 0])


def test_zoom_magnifies_and_shear_leans() -> None:
    disc = torch.zeros(1, 101, 101)
    disc[:, 40:61, 40:61] = 1
    tall = warp(disc, Affine(zoom=(1.0, 2.0)))
    assert tall.sum() == pytest.approx(2 * 21 * 21, rel=0.01)
    assert tall[0, :, 50].sum() == pytest.approx(42, abs=0.6)
    leant = warp(disc, Affine(shear=0.2))
    columns = torch.arange(101.0)
    at = [float((leant[0, row] * columns).sum() / leant[0, row].sum()) for row in (42, 50, 58)]
    assert at == pytest.approx([50 - 1.6, 50, 50 + 1.6], abs=0.05)


def test_batches_and_number_types_are_kept(numbers: torch.Tensor) -> None:
    affine = PAPER_D.draw(np.random.default_rng(1))
    batch = torch.stack([numbers, numbers.flip(-1)])
    moved = warp(batch, affine)
    assert moved.dtype == torch.uint8
    assert torch.equal(moved[0], warp(numbers, affine))
    floats = warp(numbers.double() / 255, affine)
    assert floats.dtype == torch.float64
    assert torch.allclose(floats * 255, warp(numbers, affine).double(), atol=0.5001)


def test_augmentations_follow_from_their_generator(numbers: torch.Tensor) -> None:
    for make in (paper_a, paper_d, EightVersions):
        runs = []
        for seed in (1, 1, 2):
            torch.manual_seed(len(runs))  # torch's own chance has no part in it
            augment = make(np.random.default_rng(seed))
            runs.append(torch.stack([augment(numbers) for _ in range(8)]))
        assert torch.equal(runs[0], runs[1])
        assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("version", range(6))
def test_versions_of_paper_b_are_those_of_a_square(numbers: torch.Tensor, version: int) -> None:
    pixels = channels_last(numbers)
    expected = [
        pixels,
        np.fliplr(pixels),
        np.flipud(pixels),
        np.rot90(pixels, 1),
        np.rot90(pixels, 2),
        np.rot90(pixels, 3),
    ][version]
    result = EightVersions(np.random.default_rng(0), version)(tv_tensors.Image(numbers))
    np.testing.assert_array_equal(channels_last(result), expected)


def test_crops_of_paper_b_keep_their_share() -> None:
    ramp = torch.linspace(0, 1, 101).expand(3, 101, 101)  # grows to the right
    kept, starts = [], []
    for seed in range(300):
        crop = EightVersions(np.random.default_rng(seed), 6)(ramp)
        mirrored = EightVersions(np.random.default_rng(seed), 7)(ramp)
        assert crop.shape == (3, 101, 101)
        assert torch.allclose(mirrored[0, 0].diff(), -crop[0, 0].diff(), atol=1e-5)
        kept.append(float(crop[0, 50, -1] - crop[0, 50, 0]))
        starts.append(float(crop[0, 50, 0]) / (1 - kept[-1]))
    assert 0.68 <= min(kept) < 0.71
    assert 0.89 < max(kept) <= 0.91
    assert min(starts) < 0.05
    assert max(starts) > 0.95


def test_all_versions_of_paper_b_are_drawn() -> None:
    augment = EightVersions(np.random.default_rng(0))
    drawn = [augment.make_params([])["version"] for _ in range(800)]
    assert len(VERSIONS) == 8
    assert np.bincount(drawn, minlength=8).min() > 70


def test_what_would_stay_where_it_was_is_refused(numbers: torch.Tensor) -> None:
    boxes = tv_tensors.BoundingBoxes([[0, 0, 4, 4]], format="XYXY", canvas_size=(12, 12))
    for augment in (paper_a(np.random.default_rng(0)), EightVersions(np.random.default_rng(0))):
        with pytest.raises(UsageError, match="a BoundingBoxes cannot be augmented"):
            augment(tv_tensors.Image(numbers), boxes)
        with pytest.raises(UsageError, match="a Image cannot be augmented"):
            augment(PillowImage.new("RGB", (8, 8)))


def test_impossible_settings_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="version must be one of 0–7; received 8"):
        EightVersions(rng, 8)
    with pytest.raises(UsageError, match="crop must be a rising range"):
        EightVersions(rng, crop=(0.9, 0.5))


def test_a_plain_tensor_beside_a_picture_is_no_picture(numbers: torch.Tensor) -> None:
    label = torch.tensor([1, 2, 3])
    augment = AffineAugmentation(PAPER_D, np.random.default_rng(0))
    assert torch.equal(augment(tv_tensors.Image(numbers), label)[1], label)
