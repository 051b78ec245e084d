"""SSIM, PSNR, SNR, MAE, PCE and PCC, against scikit-image, torchmetrics and known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import smearlab.learn  # noqa: F401  (makes torchvision, which torchmetrics imports, importable)
from smearlab.metrics.resampling import draw_weights
from smearlab.metrics.segmented_pictures import (
    PictureLikeness,
    likeness,
    likeness_figures,
    likeness_rows,
    ssim_map,
)

from torchmetrics.functional.image import structural_similarity_index_measure  # isort: skip


def figures(*fields: PictureLikeness) -> dict[str, float]:
    return {n: float(v[0]) for n, v in likeness_figures(likeness_rows(fields)).items()}


def drawn(seed: int, side: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A picture of blobs on black, and its mask."""
    rng = np.random.default_rng(seed)
    mask = rng.random((side // 8, side // 8)).repeat(8, axis=0).repeat(8, axis=1) > 0.6
    pixels = rng.integers(60, 200, (side, side, 3), dtype=np.uint8)
    return np.where(mask[..., None], pixels, np.uint8(0)), mask


def compared(seed: int) -> tuple[dict[str, float], np.ndarray, np.ndarray]:
    true, true_mask = drawn(seed)
    found, found_mask = drawn(seed + 100)
    return figures(likeness(found, true, found_mask, true_mask)), found, true


@pytest.mark.parametrize("seed", range(3))
def test_psnr_and_ssim_equal_scikit_image(seed: int) -> None:
    ours, found, true = compared(seed)
    assert ours["psnr"] == pytest.approx(peak_signal_noise_ratio(true, found))
    theirs = structural_similarity(
        true, found, channel_axis=-1, gaussian_weights=True, use_sample_covariance=False
    )
    assert ours["ssim"] == pytest.approx(theirs)


@pytest.mark.parametrize("seed", range(3))
def test_ssim_equals_torchmetrics(seed: int) -> None:
    """Which averages the rim, too, where windows reach out of the picture; so without it."""
    ours, found, true = compared(seed)
    tensors = [torch.from_numpy(one).double().permute(2, 0, 1)[None] for one in (found, true)]
    _, index = structural_similarity_index_measure(
        *tensors, data_range=255.0, return_full_image=True
    )
    assert ours["ssim"] == pytest.approx(float(index[..., 5:-5, 5:-5].mean()), abs=1e-6)


def test_ssim_by_the_formula_at_one_pixel() -> None:
    """Written out from Wang et al. 2004, with a window of its own making."""
    true, _ = drawn(5)
    found, _ = drawn(6)
    offset = np.arange(-5, 6)
    window = np.exp(-(offset[:, None] ** 2 + offset[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for channel in range(3):
        g = true[10:21, 12:23, channel].astype(float)
        p = found[10:21, 12:23, channel].astype(float)
        mg, mp = (window * g).sum(), (window * p).sum()
        vg, vp = (window * (g - mg) ** 2).sum(), (window * (p - mp) ** 2).sum()
        cov = (window * (g - mg) * (p - mp)).sum()
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        values.append((2 * mg * mp + c1) * (2 * cov + c2) / ((mg**2 + mp**2 + c1) * (vg + vp + c2)))
    ours = ssim_map(found.astype(float), true.astype(float))[15, 17]
    assert ours == pytest.approx(np.mean(values))


def test_known_picture() -> None:
    """Twelve by twelve: half of the target at 100, found ten too bright there, black elsewhere."""
    mask = np.zeros((12, 12), bool)
    mask[:6] = True
    true = np.where(mask[..., None], np.uint8(100), np.uint8(0)).repeat(3, axis=2)
    found = np.where(mask[..., None], np.uint8(110), np.uint8(0)).repeat(3, axis=2)
    wrong = mask.copy()
    wrong[6, :6] = True
    ours = figures(likeness(found, true, wrong, mask))
    assert ours["psnr"] == pytest.approx(10 * math.log10(255**2 / 50))
    assert ours["snr"] == pytest.approx(20.0)  # 5000 / 50
    assert ours["mae"] == pytest.approx(5 / 255)
    assert ours["pce"] == pytest.approx(6 / 144)
    assert ours["pcc"] == pytest.approx(138 / 144)


@given(st.integers(0, 50))
def test_a_perfect_prediction(seed: int) -> None:
    true, mask = drawn(seed)
    ours = figures(likeness(true, true, mask, mask))
    assert ours["ssim"] == pytest.approx(1.0)
    assert (ours["mae"], ours["pce"], ours["pcc"]) == (0.0, 0.0, 1.0)
    assert ours["psnr"] == math.inf
    assert ours["snr"] == (math.inf if mask.any() else pytest.approx(math.nan, nan_ok=True))


@given(st.integers(0, 50))
def test_all_but_the_signal_are_symmetric(seed: int) -> None:
    true, true_mask = drawn(seed)
    found, found_mask = drawn(seed + 1000)
    one = figures(likeness(found, true, found_mask, true_mask))
    other = figures(likeness(true, found, true_mask, found_mask))
    for name in ("ssim", "psnr", "mae", "pce", "pcc"):
        assert one[name] == pytest.approx(other[name])


def test_a_black_target_has_no_signal() -> None:
    black, none = np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), bool)
    found, mask = drawn(1, 16)
    ours = figures(likeness(found, black, mask, none))
    assert math.isnan(ours["snr"])
    assert math.isfinite(ours["psnr"])


def test_on_white_snr_comes_near_to_psnr_as_in_the_paper() -> None:
    """A target of 1 % on white: the mean square is that of white, to within its share."""
    true = np.full((100, 100, 3), 255, np.uint8)
    true[:10, :10] = 90
    found = np.roll(true, 2, axis=0)
    mask = true[..., 0] < 255
    ours = figures(likeness(found, true, np.roll(mask, 2, axis=0), mask))
    assert 0 < ours["psnr"] - ours["snr"] < 0.05


def test_unjudged_pixels_do_not_count() -> None:
    true, mask = drawn(3)
    found, found_mask = true.copy(), mask.copy()
    found[20:30, 20:30] = 255
    found_mask[20:30, 20:30] = True
    judged = np.ones(mask.shape, bool)
    judged[20:30, 20:30] = False
    ours = figures(likeness(found, true, found_mask, mask, judged))
    assert ours["psnr"] == math.inf
    assert ours["pcc"] == 1.0
    assert ours["ssim"] == pytest.approx(1.0)
    none = figures(likeness(found, true, found_mask, mask, np.zeros_like(judged)))
    assert all(math.isnan(value) for value in none.values())


def test_figures_are_pooled_over_fields_and_resamples() -> None:
    parts = [likeness(*_pair(seed)) for seed in range(4)]
    rows = likeness_rows(parts)
    weights = draw_weights(4, resamples=5)
    drawn_figures = likeness_figures(rows, weights)
    for n, row in enumerate(weights):
        chosen = [parts[i] for i in np.repeat(np.arange(4), row)]
        for name, value in figures(*chosen).items():
            assert drawn_figures[name][n] == pytest.approx(value)


def _pair(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    true, true_mask = drawn(seed)
    found, found_mask = drawn(seed + 7)
    return found, true, found_mask, true_mask


def test_what_does_not_fit_is_refused() -> None:
    true, mask = drawn(1)
    with pytest.raises(ValueError, match="must share one size"):
        likeness(true[:20], true, mask, mask)
    with pytest.raises(ValueError, match="must share one size"):
        likeness(true, true, mask, mask, mask[:5])
    with pytest.raises(ValueError, match="at least 11 px wide and high; received 8 × 40"):
        likeness(true[:, :8], true[:, :8], mask[:, :8], mask[:, :8])
