"""How alike two segmented pictures are: SSIM, PSNR, SNR, MAE, PCE and PCC of paper B.

A segmented picture shows an element's own pixels on an even ground. Most of it is ground, which
both pictures share, so every figure here flatters: Dice, IoU and object F1 tell the rest
(:mod:`smearlab.metrics.mask_overlap`, :mod:`smearlab.metrics.segmentation`).

The paper (Khan et al. 2024, equations 2 and 6 to 13) leaves some things open or misprints them:

- Equation 7 prints the denominators of luminance and contrast as products, from which equation 8
  does not follow; used is the standard index of Wang et al. 2004.
- Equation 11 does not say what the noise power is. Here it is that of the difference of the two
  pictures, so SNR = PSNR − 10·log10(255² / mean square of the target). On black the two differ by
  much where the element is rare. In the paper's table they differ by 0.03 dB for white cells: its
  targets must have had a white ground. To compare with it, compare pictures on white.
- PCE and PCC are shares of pixels; whether a pixel counts as the element is the masks' word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.metrics.resampling import ratio

#: Greatest value of a channel.
PEAK = 255.0
#: Window of the index: Gaussian of 1.5 px, cut at 11 × 11 px (Wang et al. 2004).
SSIM_SIGMA_PX, SSIM_WINDOW_PX = 1.5, 11
_REACH_PX = SSIM_WINDOW_PX // 2


@dataclass(frozen=True)
class PictureLikeness:
    """What one field adds to every figure.

    Parameters
    ----------
    ssim : float
        Mean of the index over the judged pixels whose window lies inside the picture; NaN
        without any.
    ssim_defined : int
        1 if ``ssim`` is a number, else 0.
    n_values : int
        Judged pixels × channels.
    squared_error, absolute_error, signal : float
        Sums over the values: of (g − p)², |g − p| and g², with the target g and the found
        picture p in 0–255.
    n_px, wrong_px : int
        Judged pixels, and those of which the two masks say different things.
    """

    ssim: float
    ssim_defined: int
    n_values: int
    squared_error: float
    absolute_error: float
    signal: float
    n_px: int
    wrong_px: int


def likeness(
    found: NDArray[np.uint8],
    true: NDArray[np.uint8],
    found_mask: NDArray[np.bool_],
    true_mask: NDArray[np.bool_],
    judged: NDArray[np.bool_] | None = None,
) -> PictureLikeness:
    """Compare a segmented picture with its target.

    Parameters
    ----------
    found, true : ndarray of uint8, shape (H, W, 3)
        On one ground, at least 11 px wide and high.
    found_mask, true_mask : ndarray of bool, shape (H, W)
        Where each shows the element.
    judged : ndarray of bool, shape (H, W), optional
        Pixels that count; all when left out. Elsewhere both pictures are taken for alike.

    Returns
    -------
    PictureLikeness

    Raises
    ------
    ValueError
        If shapes differ or a side is below 11 px.
    """
    _check(found, true, found_mask, true_mask, judged)
    counted = np.ones(true_mask.shape, np.bool_) if judged is None else judged
    g = true.astype(np.float64)
    p = np.where(counted[..., None], found, true).astype(np.float64)
    index = ssim_map(p, g)[_REACH_PX:-_REACH_PX, _REACH_PX:-_REACH_PX]
    inner = counted[_REACH_PX:-_REACH_PX, _REACH_PX:-_REACH_PX]
    defined = bool(inner.any())
    difference = (g - p)[counted]
    return PictureLikeness(
        ssim=float(index[inner].mean()) if defined else float("nan"),
        ssim_defined=int(defined),
        n_values=difference.size,
        squared_error=float(np.square(difference).sum()),
        absolute_error=float(np.abs(difference).sum()),
        signal=float(np.square(g[counted]).sum()),
        n_px=int(np.count_nonzero(counted)),
        wrong_px=int(np.count_nonzero((found_mask != true_mask) & counted)),
    )


def ssim_map(found: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """Structural similarity of every pixel, the mean over the channels.

    Gaussian windows, population covariances, K₁ = 0.01, K₂ = 0.03, range 255, each channel by
    itself, by scikit-image.

    Parameters
    ----------
    found, true : ndarray of float64, shape (H, W, C)
        In 0–255.

    Returns
    -------
    ndarray of float64, shape (H, W)
        In [-1, 1]; 1 where the windows are alike.

    References
    ----------
    Wang, Z., Bovik, A. C., Sheikh, H. R. & Simoncelli, E. P. (2004). Image quality assessment:
    from error visibility to structural similarity. IEEE Transactions on Image Processing 13,
    600–612. doi:10.1109/TIP.2003.819861
    """
    from skimage.metrics import structural_similarity  # slow to import, and few need it

    similarity: Callable[..., Any] = structural_similarity
    _, index = similarity(
        true,
        found,
        data_range=PEAK,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=SSIM_SIGMA_PX,
        use_sample_covariance=False,
        K1=0.01,
        K2=0.03,
        full=True,
    )
    return np.asarray(np.mean(index, axis=2), np.float64)


def _check(
    found: NDArray[np.uint8],
    true: NDArray[np.uint8],
    found_mask: NDArray[np.bool_],
    true_mask: NDArray[np.bool_],
    judged: NDArray[np.bool_] | None,
) -> None:
    shapes = {found.shape[:2], true.shape[:2], found_mask.shape, true_mask.shape}
    if judged is not None:
        shapes.add(judged.shape)
    if found.ndim != 3 or found.shape != true.shape or len(shapes) != 1:
        raise ValueError(
            "pictures (H, W, 3) and masks (H, W) of one field must share one size; received "
            f"found {found.shape} and true {true.shape}, masks {found_mask.shape} and "
            f"{true_mask.shape}"
        )
    if min(true.shape[:2]) < SSIM_WINDOW_PX:
        raise ValueError(
            f"a picture must be at least {SSIM_WINDOW_PX} px wide and high; received "
            f"{true.shape[1]} × {true.shape[0]}"
        )


#: Names of the sums in the order of :func:`likeness_rows`.
LIKENESS_SUMS = tuple(one.name for one in fields(PictureLikeness))


def likeness_rows(fields_: Sequence[PictureLikeness]) -> NDArray[np.float64]:
    """One row of sums a field; an undefined SSIM adds nothing.

    Parameters
    ----------
    fields_ : sequence of PictureLikeness
        F of them.

    Returns
    -------
    ndarray of float64, shape (F, 8)
        Columns as in :data:`LIKENESS_SUMS`.
    """
    rows = [[float(getattr(one, name)) for name in LIKENESS_SUMS] for one in fields_]
    return np.nan_to_num(np.array(rows, np.float64).reshape(len(rows), len(LIKENESS_SUMS)))


def likeness_figures(
    rows: NDArray[np.float64], weights: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """All figures, pooled over fields: sums first, quotients after.

    Parameters
    ----------
    rows : ndarray of float64, shape (F, 8)
        From :func:`likeness_rows`, of fields or of groups of fields.
    weights : ndarray of int64, shape (R, F), optional
        Resamples; without them there is one row, every field once.

    Returns
    -------
    dict of str to ndarray of float64, shape (R,)
        ``ssim``: mean over fields. ``psnr``: dB, of the pooled squared error; infinite for
        identical pictures. ``snr``: dB; NaN for black targets, infinite for identical pictures.
        ``mae``: mean absolute difference as a share of 255 (the paper's L1 is on a scale of −1 to
        1 and so twice as large). ``pce``, ``pcc``: shares of pixels that are wrong and right;
        they sum to 1. NaN without a judged pixel.
    """
    taken = np.ones((1, len(rows)), dtype=np.int64) if weights is None else weights
    total = dict(zip(LIKENESS_SUMS, (taken @ rows).T, strict=True))
    error, n = total["squared_error"], total["n_values"]
    pce = ratio(total["wrong_px"], total["n_px"])
    return {
        "ssim": ratio(total["ssim"], total["ssim_defined"]),
        "psnr": _decibels(PEAK**2 * n, error),
        "snr": _decibels(total["signal"], error),
        "mae": ratio(total["absolute_error"], n) / PEAK,
        "pce": pce,
        "pcc": 1 - pce,
    }


def _decibels(signal: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """10·log10 of their quotient: infinite without noise, NaN without signal."""
    level: NDArray[np.float64] = np.full(signal.shape, np.nan)
    heard = signal > 0
    level[heard & (noise == 0)] = np.inf
    both = heard & (noise > 0)
    level[both] = 10 * np.log10(signal[both] / noise[both])
    return level
