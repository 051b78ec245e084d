"""How alike two pictures are: L1, L2, PSNR, SSIM and MS-SSIM, a figure for each pair."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from smearlab.metrics.segmented_pictures import PEAK, SSIM_SIGMA_PX, SSIM_WINDOW_PX, ssim_map

Pictures = NDArray[np.uint8]
#: Exponents of the scales, the finest first (Wang et al. 2003, section 3.2).
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_REACH_PX = SSIM_WINDOW_PX // 2
_K2 = 0.03


def l1(a: Pictures, b: Pictures) -> NDArray[np.float64]:
    """Mean absolute difference of each pair, in [0, 1].

    Parameters
    ----------
    a, b : ndarray of uint8, shape (N, H, W, 3)

    Returns
    -------
    ndarray of float64, shape (N,)

    Raises
    ------
    ValueError
        If the shapes differ, or are not those of pictures.
    """
    _check(a, b)
    return np.array([np.abs(x - y).mean() / PEAK for x, y in _pairs(a, b)])


def l2(a: Pictures, b: Pictures) -> NDArray[np.float64]:
    """Root of the mean squared difference of each pair, in [0, 1]; see :func:`l1`."""
    _check(a, b)
    return np.array([math.sqrt(np.square(x - y).mean()) / PEAK for x, y in _pairs(a, b)])


def psnr(a: Pictures, b: Pictures) -> NDArray[np.float64]:
    """Peak signal-to-noise ratio of each pair, dB; infinite for identical ones; see :func:`l1`."""
    apart = l2(a, b)
    level: NDArray[np.float64] = np.full(apart.shape, np.inf)
    return np.asarray(np.multiply(-20, np.log10(apart, out=-level / 20, where=apart > 0)))


def ssim(a: Pictures, b: Pictures) -> NDArray[np.float64]:
    """Structural similarity of each pair, by :func:`smearlab.metrics.segmented_pictures.ssim_map`.

    The mean over the pixels whose window lies inside the picture; see :func:`l1`. Sides are at
    least 11 px.
    """
    _check(a, b, SSIM_WINDOW_PX)
    return np.array([_ssim(x, y) for x, y in _pairs(a, b)])


def ms_ssim_scales(side_px: int) -> int:
    """Scales that fit: the window must lie inside the smallest; 0 below 11 px, 5 from 176 px on.

    Examples
    --------
    >>> [ms_ssim_scales(side) for side in (10, 11, 64, 128, 360)]
    [0, 1, 3, 4, 5]
    """
    most = len(MS_SSIM_WEIGHTS)
    return sum(side_px // 2**scale >= SSIM_WINDOW_PX for scale in range(most))


def ms_ssim(a: Pictures, b: Pictures, scales: int | None = None) -> NDArray[np.float64]:
    """Structural similarity at several scales, of each pair.

    Contrast and structure at every scale, luminance at the coarsest, each to the power of its
    weight. Small pictures have room for fewer than the paper's five scales; the weights of those
    that are left are divided by their sum. Figures with different numbers of scales do not compare.

    Parameters
    ----------
    a, b : ndarray of uint8, shape (N, H, W, 3)
    scales : int, optional
        As many as fit when left out; see :func:`ms_ssim_scales`.

    Returns
    -------
    ndarray of float64, shape (N,)
        In [0, 1]: what is negative at a scale counts as 0.

    Raises
    ------
    ValueError
        If shapes differ, or the scales do not fit.

    References
    ----------
    Wang, Z., Simoncelli, E. P. & Bovik, A. C. (2003). Multiscale structural similarity for image
    quality assessment. 37th Asilomar Conference on Signals, Systems & Computers, 1398–1402.
    doi:10.1109/ACSSC.2003.1292216
    """
    _check(a, b, SSIM_WINDOW_PX)
    fit = ms_ssim_scales(min(a.shape[1:3]))
    scales = fit if scales is None else scales
    if not 1 <= scales <= fit:
        raise ValueError(
            f"pictures of {a.shape[2]} × {a.shape[1]} px have room for 1 to {fit} scales; received "
            f"{scales}"
        )
    weights = np.array(MS_SSIM_WEIGHTS[:scales])
    weights /= weights.sum()
    found = []
    for x, y in _pairs(a, b):
        figures = []
        for _ in range(scales - 1):
            figures.append(_contrast_structure(x, y))
            x, y = _halved(x), _halved(y)
        figures.append(_ssim(x, y))
        found.append(np.prod(np.maximum(figures, 0) ** weights))
    return np.array(found)


def _ssim(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    inner = slice(_REACH_PX, -_REACH_PX)
    return float(ssim_map(x, y)[inner, inner].mean())


def _contrast_structure(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Mean of the index without its luminance term, where the window lies inside the picture."""

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        reach = (_REACH_PX, _REACH_PX, 0)
        kept = gaussian_filter(values, (SSIM_SIGMA_PX, SSIM_SIGMA_PX, 0), radius=reach)
        return np.asarray(kept[_REACH_PX:-_REACH_PX, _REACH_PX:-_REACH_PX])

    mean_x, mean_y = mean(x), mean(y)
    variances = mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    steady = (_K2 * PEAK) ** 2
    return float(((2 * covariance + steady) / (variances + steady)).mean())


def _halved(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of 2 × 2 px; an odd last row or column is left out."""
    height, width = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
    blocks = x[:height, :width].reshape(height // 2, 2, width // 2, 2, -1)
    return np.asarray(blocks.mean((1, 3)))


def _pairs(a: Pictures, b: Pictures) -> Any:
    for x, y in zip(a, b, strict=True):
        yield x.astype(np.float64), y.astype(np.float64)


def _check(a: Pictures, b: Pictures, least_px: int = 1) -> None:
    if a.shape != b.shape or a.ndim != 4 or a.shape[3] != 3 or a.dtype != np.uint8:
        raise ValueError(
            "pairs need uint8 pictures of one shape (N, H, W, 3); received "
            f"{a.dtype} {a.shape} and {b.dtype} {b.shape}"
        )
    if min(a.shape[1:3]) < least_px:
        raise ValueError(
            f"pictures must be at least {least_px} px wide and high; received "
            f"{a.shape[2]} × {a.shape[1]}"
        )
