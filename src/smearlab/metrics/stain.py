"""What a stain normaliser did: colours nearer to the target's, structure kept, ground kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.metrics.segmented_pictures import PEAK, SSIM_WINDOW_PX, ssim_map

Pixels = NDArray[np.uint8]
Lab = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: A difference that an eye beside the other colour sees.
VISIBLE = 2.0
_REACH_PX = SSIM_WINDOW_PX // 2


def lab_of(colours: NDArray[Any]) -> Lab:
    """CIE L*a*b* of sRGB under D65, 2-degree observer.

    Parameters
    ----------
    colours : ndarray, shape (..., 3)
        0-255, whole or not.

    Returns
    -------
    ndarray of float64, shape (..., 3)
        L* 0-100, a*, b*.
    """
    from skimage.color import rgb2lab  # slow to import, and few need it

    scaled = np.asarray(colours, np.float64) / PEAK
    return np.asarray(rgb2lab(scaled), np.float64)


def ciede2000(one: Lab, other: Lab) -> NDArray[np.float64]:
    """CIEDE2000 colour difference, all weights 1.

    Parameters
    ----------
    one, other : ndarray of float64, shape (..., 3)
        L*a*b*; shapes that broadcast.

    Returns
    -------
    ndarray of float64, shape (...)
        0 for the same colour.

    References
    ----------
    Sharma, G., Wu, W. & Dalal, E. N. (2005). The CIEDE2000 color-difference formula. Color Research
    and Application 30, 21-30. doi:10.1002/col.20070

    Examples
    --------
    >>> float(ciede2000(np.array([50, 2.5, 0]), np.array([50, 0, -2.5])).round(4))
    4.3065
    """
    from skimage.color import deltaE_ciede2000

    one, other = np.broadcast_arrays(one, other)
    return np.asarray(deltaE_ciede2000(one, other), np.float64)  # type: ignore[no-untyped-call]


def delta_e_76(one: Lab, other: Lab) -> NDArray[np.float64]:
    """Euclidean distance in L*a*b* (CIE 1976), shape (...).

    Examples
    --------
    >>> float(delta_e_76(np.array([50, 3.0, 0]), np.array([50, 0, 4.0])))
    5.0
    """
    return np.asarray(np.linalg.norm(np.asarray(one) - np.asarray(other), axis=-1))


def mean_colour(pixels: Pixels, where: Mask) -> Lab:
    """Mean L*a*b* of part of a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    where : ndarray of bool, shape (H, W)

    Returns
    -------
    ndarray of float64, shape (3,)
        NaN where the part is empty.
    """
    chosen = pixels[where]
    return lab_of(chosen).mean(0) if len(chosen) else np.full(3, np.nan)


def plane_ssim(before: NDArray[np.floating], after: NDArray[np.floating], peak: float) -> float:
    """Structural similarity of two planes, as of lightness or of the amount of a stain.

    Parameters
    ----------
    before, after : ndarray of float, shape (H, W)
        At least 11 px wide and high; 0 to ``peak``.
    peak : float
        Greatest value there can be; above 0.

    Returns
    -------
    float
        Mean over the pixels whose window lies inside, by
        :func:`smearlab.metrics.segmented_pictures.ssim_map`.

    Raises
    ------
    ValueError
        If the shapes differ or are too small.
    """
    if before.shape != after.shape or before.ndim != 2 or min(before.shape) < SSIM_WINDOW_PX:
        raise ValueError(
            f"planes must share one shape (H, W) of at least {SSIM_WINDOW_PX} px; received "
            f"{before.shape} and {after.shape}"
        )
    planes = [np.asarray(plane, np.float64)[..., None] * (PEAK / peak) for plane in (before, after)]
    inner = slice(_REACH_PX, -_REACH_PX)
    return float(ssim_map(*planes)[inner, inner].mean())


def mask_dice(before: Mask, after: Mask) -> float:
    """Dice of two masks of one picture; NaN where both are empty.

    Examples
    --------
    >>> mask_dice(np.array([True, True, False]), np.array([True, False, False]))
    0.6666666666666666
    """
    if before.shape != after.shape:
        raise ValueError(f"masks must share one shape; received {before.shape} and {after.shape}")
    both, sizes = int((before & after).sum()), int(before.sum()) + int(after.sum())
    return 2 * both / sizes if sizes else float("nan")


def ground_moved(before: Pixels, after: Pixels, ground: Mask, visible: float = VISIBLE) -> float:
    """Share of ground pixels that stand out from the ground otherwise than before.

    The ground as a whole may take another colour: that of the target. What must not be is a cast, a
    spot or an edge that was not there. So every pixel's difference to the mean ground is taken
    before and after, in L*a*b*, and counts where the two are more than ``visible`` apart.

    Parameters
    ----------
    before, after : ndarray of uint8, shape (H, W, 3)
    ground : ndarray of bool, shape (H, W)
        Pixels that were ground before.
    visible : float
        In units of L*a*b*.

    Returns
    -------
    float
        0 to 1; NaN without ground.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if before.shape != after.shape or before.shape[:2] != ground.shape:
        raise ValueError(
            f"pictures and mask must share one size; received {before.shape}, {after.shape} and "
            f"{ground.shape}"
        )
    if not ground.any():
        return float("nan")
    offsets = []
    for pixels in (before, after):
        lab = lab_of(pixels[ground])
        offsets.append(lab - lab.mean(0))
    return float((delta_e_76(offsets[0], offsets[1]) > visible).mean())
