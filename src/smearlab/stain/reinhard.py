"""Mean and deviation of L*, a* and b* made those of the target (Reinhard et al. 2001).

The paper works in the logarithmic l-alpha-beta of Ruderman; here it is CIE L*a*b* of sRGB under
D65, as torchstain and most who came after do.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.stain.density import WHITE, Floats
from smearlab.stain.stains import TooPlainError

#: Below this deviation a channel says nothing that could be stretched.
_LEAST_DEVIATION = 0.05


def measure(through: Floats, published: bool = False) -> dict[str, NDArray[np.float64]]:
    """Mean and deviation of each channel.

    Parameters
    ----------
    through : ndarray of float32, shape (N, 3)
        Transmittances, taken for colours on a white ground.
    published : bool
        Makes no difference here.

    Returns
    -------
    dict of str to ndarray of float64, shape (3,)
        ``mean`` and ``deviation`` of L*, a*, b*.

    Raises
    ------
    TooPlainError
        If a channel does not vary.

    References
    ----------
    Reinhard, E., Ashikhmin, M., Gooch, B. & Shirley, P. (2001). Color transfer between images.
    IEEE Computer Graphics and Applications 21 (5), 34-41. doi:10.1109/38.946629
    """
    lab = _lab(through.reshape(-1, 3)).astype(np.float64)
    deviation = lab.std(0)
    if len(lab) == 0 or not (deviation >= _LEAST_DEVIATION).all():
        raise TooPlainError("its colours do not vary; leave it out")
    return {"mean": lab.mean(0), "deviation": deviation}


def carry(
    through: Floats,
    source: dict[str, NDArray[np.float64]],
    target: dict[str, NDArray[np.float64]],
) -> Floats:
    """Stretched and shifted: equation 10 and what follows of the paper.

    Parameters
    ----------
    through : ndarray of float32, shape (..., 3)
    source, target : dict
        Of :func:`measure`.

    Returns
    -------
    ndarray of float32, shape (..., 3)
        Transmittances.
    """
    scale = (target["deviation"] / source["deviation"]).astype(np.float32)
    shift = (target["mean"] - source["mean"] * scale).astype(np.float32)
    return _through(_lab(through) * scale + shift)


def _lab(through: Floats) -> Floats:
    rgb = ((through * WHITE - 1) / 255).clip(0, 1).astype(np.float32)
    lab = cv2.cvtColor(rgb.reshape(-1, 1, 3), cv2.COLOR_RGB2LAB)
    return np.asarray(lab, np.float32).reshape(through.shape)


def _through(lab: Floats) -> Floats:
    rgb = cv2.cvtColor(lab.reshape(-1, 1, 3), cv2.COLOR_LAB2RGB).reshape(lab.shape)
    return np.asarray((rgb * 255 + 1) / WHITE, np.float32)
