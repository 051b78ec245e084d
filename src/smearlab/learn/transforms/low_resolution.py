"""Pairs of high and low resolution: Gaussian blur, then fewer pixels (paper D)."""

from __future__ import annotations

import math
from typing import cast

from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as vF

from smearlab.errors import UsageError

#: σ of the blur over the factor: 1.6 px at ×4, as super-resolution sets are usually made. The
#: paper says "Gaussian filtering" and gives no width.
SIGMA_OF_FACTOR = 0.4


def lower(high: Tensor, factor: int = 4, sigma_px: float | None = None) -> Tensor:
    """A picture as a coarser camera would give it.

    Pixel ``i`` of the result lies in the middle of pixels ``factor · i`` to
    ``factor · (i + 1) - 1``: nothing is shifted.

    Parameters
    ----------
    high : Tensor, shape (…, C, H, W)
        uint8 or floating point, H and W multiples of ``factor``.
    factor : int
        How many pixels become one, along each side; at least 2.
    sigma_px : float, optional
        Of the Gaussian, px of ``high``, above 0; :data:`SIGMA_OF_FACTOR` · factor when left out.

    Returns
    -------
    Tensor, shape (…, C, H / factor, W / factor)
        Of the same class and type.

    Raises
    ------
    UsageError
        If ``factor`` is below 2 or divides a side with a remainder, the picture is smaller than
        the blur, or ``sigma_px`` is not above 0.

    References
    ----------
    Ferdousi et al. (2024), section 3.2.
    """
    height, width = high.shape[-2:]
    if factor < 2 or height % factor or width % factor:
        raise UsageError(
            f"factor must be at least 2 and divide both sides; received {factor} for "
            f"{width}×{height} px"
        )
    sigma = SIGMA_OF_FACTOR * factor if sigma_px is None else sigma_px
    if not (math.isfinite(sigma) and sigma > 0):
        raise UsageError(f"sigma_px must be above 0; received {sigma_px}")
    reach = math.ceil(3 * sigma)
    if min(height, width) <= reach:
        raise UsageError(
            f"a blur of {sigma:g} px needs sides over {reach} px; received {width}×{height} px"
        )
    blurred = vF.gaussian_blur(high, [2 * reach + 1] * 2, [sigma, sigma])
    # Without antialiasing: the blur has already removed what the coarse grid cannot hold.
    return cast(
        Tensor,
        vF.resize(
            blurred,
            [height // factor, width // factor],
            interpolation=InterpolationMode.BILINEAR,
            antialias=False,
        ),
    )


def resolution_pair(
    picture: Tensor, high_px: int = 128, factor: int = 4, sigma_px: float | None = None
) -> tuple[Tensor, Tensor]:
    """A training pair for super-resolution; paper D's is 32 and 128 px.

    Parameters
    ----------
    picture : Tensor, shape (…, C, H, W)
        uint8 or floating point; squeezed to a square.
    high_px : int
        Side of the fine picture, a multiple of ``factor``.
    factor, sigma_px
        See :func:`lower`.

    Returns
    -------
    tuple of Tensor
        Coarse, shape (…, C, high_px / factor, high_px / factor), and fine,
        (…, C, high_px, high_px).

    Raises
    ------
    UsageError
        If ``high_px`` is below 1, or :func:`lower` refuses.
    """
    if high_px < 1:
        raise UsageError(f"high_px must be at least 1; received {high_px}")
    high = cast(Tensor, vF.resize(picture, [high_px, high_px], antialias=True))
    return lower(high, factor, sigma_px), high
