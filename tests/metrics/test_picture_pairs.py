"""L1, L2, PSNR, SSIM and MS-SSIM of pairs: known answers, scikit-image, torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

import smearlab.learn  # noqa: F401  (makes torchvision, which torchmetrics imports, importable)
from smearlab.metrics.picture_pairs import (
    MS_SSIM_WEIGHTS,
    l1,
    l2,
    ms_ssim,
    ms_ssim_scales,
    psnr,
    ssim,
)

from torchmetrics.functional.image import structural_similarity_index_measure  # isort: skip


def noisy(side: int = 48, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 256, (2, side // 8, side // 8, 3)).repeat(8, 1).repeat(8, 2)
    found = np.clip(true + rng.normal(0, 25, true.shape), 0, 255)
    return found.astype(np.uint8), true.astype(np.uint8)


def test_known_differences() -> None:
    black, grey = np.zeros((1, 4, 4, 3), np.uint8), np.full((1, 4, 4, 3), 51, np.uint8)
    assert l1(black, grey).tolist() == [0.2]
    assert l2(black, grey) == pytest.approx([0.2])
    assert psnr(black, grey) == pytest.approx([-20 * np.log10(0.2)])
    assert psnr(black, black).tolist() == [np.inf]
    half = grey.copy()
    half[:, :2] = 0
    assert l1(black, half) == pytest.approx([0.1])
    assert l2(black, half) == pytest.approx([0.2 * np.sqrt(0.5)])


def test_psnr_equals_scikit_image() -> None:
    found, true = noisy()
    theirs = [peak_signal_noise_ratio(t, f) for f, t in zip(found, true, strict=True)]
    assert psnr(found, true) == pytest.approx(theirs)


def test_scales_equal_torchmetrics_without_the_rim() -> None:
    """Its MS-SSIM averages the coarsest scale over windows that reach out of the picture."""
    found, true = noisy()
    weights = np.array(MS_SSIM_WEIGHTS[:3]) / sum(MS_SSIM_WEIGHTS[:3])
    x, y = (torch.from_numpy(one).double().permute(0, 3, 1, 2) for one in (found, true))
    parts = []
    for scale in range(3):
        options = {"data_range": 255.0, "reduction": "none"}
        if scale < 2:
            _, part = structural_similarity_index_measure(
                x, y, return_contrast_sensitivity=True, **options
            )
        else:
            _, whole = structural_similarity_index_measure(x, y, return_full_image=True, **options)
            part = whole[..., 5:-5, 5:-5].mean((1, 2, 3))
        parts.append(part.numpy())
        x, y = (torch.nn.functional.avg_pool2d(one, 2) for one in (x, y))
    expected = np.prod([part**w for part, w in zip(parts, weights, strict=True)], axis=0)
    assert ms_ssim(found, true, 3) == pytest.approx(expected, rel=1e-5)


def test_ms_ssim_of_one_scale_is_ssim() -> None:
    found, true = noisy()
    assert ms_ssim(found, true, 1) == pytest.approx(ssim(found, true))
    assert ms_ssim(true, true) == pytest.approx([1.0, 1.0])
    assert ms_ssim_scales(48) == 3


def test_what_is_negative_counts_as_zero() -> None:
    found, _ = noisy()
    assert ms_ssim(found, 255 - found, 1).tolist() == [0.0, 0.0]


def test_refusals() -> None:
    found, true = noisy(16)
    with pytest.raises(ValueError, match="room for 1 to 1 scales; received 2"):
        ms_ssim(found, true, 2)
    with pytest.raises(ValueError, match="at least 11 px"):
        ssim(found[:, :8], true[:, :8])
    with pytest.raises(ValueError, match="one shape"):
        l1(found, true[:1])
