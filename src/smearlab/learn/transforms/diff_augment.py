"""DiffAugment: what the critic sees is changed at random, and gradients pass through the change.

Zhao et al. (2020), "Differentiable augmentation for data-efficient GAN training", section 3.2 and
appendix: colour (brightness ±0.5, saturation ×[0, 2], contrast ×[0.5, 1.5]), translation by up to
an eighth of the side with zeros around, cutout of a square of half the side. The paper's pictures
lie in [−1, 1] and ours in [0, 1]: brightness is ±0.25 here, and its zeros are a middle grey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from smearlab.registry import look_up

_GREY = 0.5
_BRIGHTNESS, _SHIFT = 0.25, 1 / 8


def brightened(pictures: Tensor, by: Tensor) -> Tensor:
    """Add a number to all values of each picture.

    Parameters
    ----------
    pictures : Tensor, shape (N, C, H, W)
    by : Tensor, shape (N,)
    """
    return pictures + _each(by)


def saturated(pictures: Tensor, factor: Tensor) -> Tensor:
    """Move the channels away from their mean, or towards it.

    Parameters
    ----------
    pictures : Tensor, shape (N, C, H, W)
    factor : Tensor, shape (N,)
        0 leaves grey, 1 changes nothing.
    """
    grey = pictures.mean(1, keepdim=True)
    return grey + _each(factor) * (pictures - grey)


def contrasted(pictures: Tensor, factor: Tensor) -> Tensor:
    """Move all values away from the mean of the picture, or towards it.

    Parameters
    ----------
    pictures : Tensor, shape (N, C, H, W)
    factor : Tensor, shape (N,)
    """
    mean = pictures.mean((1, 2, 3), keepdim=True)
    return mean + _each(factor) * (pictures - mean)


def translated(pictures: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Shift each picture by whole pixels; what comes into view is grey.

    Parameters
    ----------
    pictures : Tensor, shape (N, C, H, W)
    right, down : Tensor of int, shape (N,)
        At most the side.
    """
    n, _, height, width = pictures.shape
    most = int(torch.cat([right, down]).abs().max())
    padded = F.pad(pictures, (most, most, most, most), value=_GREY)
    rows = torch.arange(height, device=pictures.device) + (most - down)[:, None]
    columns = torch.arange(width, device=pictures.device) + (most - right)[:, None]
    which = torch.arange(n, device=pictures.device)[:, None, None]
    taken = padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]
    return taken.permute(0, 3, 1, 2)


def cut_out(pictures: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """A square of half the side becomes grey.

    Parameters
    ----------
    pictures : Tensor, shape (N, C, H, W)
    x, y : Tensor of int, shape (N,)
        Its middle; what lies outside of the picture is lost.
    """
    height, width = pictures.shape[2:]

    def inside(middle: Tensor, side: int) -> Tensor:
        low = (middle - side // 4)[:, None]
        place = torch.arange(side, device=pictures.device)
        return (place >= low) & (place < low + side // 2)

    hidden = inside(y, height)[:, None, :, None] & inside(x, width)[:, None, None, :]
    return torch.where(hidden, pictures.new_tensor(_GREY), pictures)


def _each(values: Tensor) -> Tensor:
    return values.reshape(-1, 1, 1, 1)


def _colour(pictures: Tensor) -> Tensor:
    chance = torch.rand(3, len(pictures), device=pictures.device, dtype=pictures.dtype)
    pictures = brightened(pictures, (2 * chance[0] - 1) * _BRIGHTNESS)
    return contrasted(saturated(pictures, 2 * chance[1]), 0.5 + chance[2])


def _translation(pictures: Tensor) -> Tensor:
    n, _, height, width = pictures.shape
    right, down = (
        torch.randint(-most, most + 1, (n,), device=pictures.device)
        for most in (round(_SHIFT * width), round(_SHIFT * height))
    )
    return translated(pictures, right, down)


def _cutout(pictures: Tensor) -> Tensor:
    n, _, height, width = pictures.shape
    x, y = (torch.randint(side, (n,), device=pictures.device) for side in (width, height))
    return cut_out(pictures, x, y)


#: What can be drawn, by name.
AUGMENTATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "colour": _colour,
    "translation": _translation,
    "cutout": _cutout,
}


class DiffAugment:
    """Changes a batch, each picture by chance of its own, which is torch's.

    Parameters
    ----------
    names : tuple of str
        Of :data:`AUGMENTATIONS`, in the order in which they are applied; none changes nothing.

    Raises
    ------
    UnknownNameError
        If there is no such augmentation.
    """

    def __init__(self, names: tuple[str, ...] = tuple(AUGMENTATIONS)) -> None:
        self.names = names
        self._parts = [look_up("augmentation", AUGMENTATIONS, name) for name in names]

    def __call__(self, pictures: Tensor) -> Tensor:
        """``(N, C, H, W)`` in [0, 1] → the same shape, not cut off at 0 and 1."""
        for part in self._parts:
            pictures = part(pictures)
        return pictures
