"""The augmentations of papers A, B and D on tensors: a picture and its masks go the same way.

Each is a transform of ``torchvision.transforms.v2``: call it with tv_tensors, in any nesting. Of
one call every :class:`~torchvision.tv_tensors.Image` and :class:`~torchvision.tv_tensors.Mask` is
changed alike; beyond the edge their last pixels are repeated, as the papers fill. A lone plain
tensor counts as an image. Chance comes from the generator that the transform is made with, never
from torch's own.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as vF

from smearlab.errors import UsageError
from smearlab.learn.transforms.affine_ranges import PAPER_A, PAPER_D, Affine, AffineRanges, Range

#: What paper B makes of every picture, "08 different versions" by crop, flip and rotation.
VERSIONS = (
    "as it is",
    "left and right exchanged",
    "top and bottom exchanged",
    "turned by 90°",
    "turned by 180°",
    "turned by 270°",
    "cropped",
    "cropped, left and right exchanged",
)


class AffineAugmentation(v2.Transform):  # type: ignore[misc]
    """Papers A and D: turn, shift, shear, zoom and mirror within ranges.

    Parameters
    ----------
    ranges : AffineRanges
        :data:`~smearlab.learn.transforms.affine_ranges.PAPER_A` or
        :data:`~smearlab.learn.transforms.affine_ranges.PAPER_D`, or others.
    rng : Generator
        Source of all chance.

    Examples
    --------
    >>> augment = AffineAugmentation(PAPER_D, np.random.default_rng(0))
    >>> picture = tv_tensors.Image(torch.zeros(3, 32, 32, dtype=torch.uint8))
    >>> mask = tv_tensors.Mask(torch.zeros(32, 32, dtype=torch.uint8))
    >>> [tuple(moved.shape) for moved in augment(picture, mask)]
    [(3, 32, 32), (32, 32)]
    """

    _transformed_types = (vF.is_pure_tensor, tv_tensors.Image, tv_tensors.Mask)

    def __init__(self, ranges: AffineRanges, rng: np.random.Generator) -> None:
        super().__init__()
        self.ranges, self.rng = ranges, rng

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse what would silently stay where it was."""
        _refuse_others(flat_inputs)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw one change for all inputs of a call."""
        return {"affine": self.ranges.draw(self.rng)}

    def transform(self, given: Any, params: dict[str, Any]) -> Any:
        """Carry out the change on one input."""
        return warp(given, params["affine"])


class EightVersions(v2.Transform):  # type: ignore[misc]
    """Paper B: one of the eight versions of a picture, all of which stand for it in training.

    The paper names "cropping, flipping, and rotation" and the number, not the ranges: the eight
    are those of :data:`VERSIONS`, and a crop keeps 70 to 90 % of each side and is resized back.

    Parameters
    ----------
    rng : Generator
        Source of all chance.
    version : int, optional
        0–7, its place in :data:`VERSIONS`; drawn at each call when left out.
    crop : tuple of float
        Range of the share of a side that a crop keeps, above 0 and at most 1.

    Raises
    ------
    UsageError
        If ``version`` is none of the eight, or ``crop`` is no rising range of shares.
    """

    _transformed_types = (vF.is_pure_tensor, tv_tensors.Image, tv_tensors.Mask)

    def __init__(
        self, rng: np.random.Generator, version: int | None = None, crop: Range = (0.7, 0.9)
    ) -> None:
        super().__init__()
        if version is not None and version not in range(len(VERSIONS)):
            raise UsageError(f"version must be one of 0–{len(VERSIONS) - 1}; received {version}")
        if not 0 < crop[0] <= crop[1] <= 1:
            raise UsageError(f"crop must be a rising range within (0, 1]; received {crop}")
        self.rng, self.version, self.crop = rng, version, crop

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse what would silently stay where it was."""
        _refuse_others(flat_inputs)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the version, and where it crops."""
        drawn = int(self.rng.integers(len(VERSIONS)))
        share = float(self.rng.uniform(*self.crop))
        place = self.rng.random(2).tolist()
        return {
            "version": drawn if self.version is None else self.version,
            "share": share,
            "place": (place[0], place[1]),
        }

    def transform(self, given: Any, params: dict[str, Any]) -> Any:
        """Make the version of one input."""
        version = params["version"]
        if version in (1, 7):
            given = vF.horizontal_flip(given)
        elif version == 2:
            given = vF.vertical_flip(given)
        elif version in (3, 4, 5):
            turned = torch.rot90(given.as_subclass(Tensor), version - 2, (-2, -1))
            given = like(turned, given)
        if version in (6, 7):
            given = _crop(given, params["share"], params["place"])
        return given


def paper_a(rng: np.random.Generator) -> AffineAugmentation:
    """BloodCell-Net's augmentation; see :data:`PAPER_A`."""
    return AffineAugmentation(PAPER_A, rng)


def paper_d(rng: np.random.Generator) -> AffineAugmentation:
    """The augmentation before SRGAN and VGG19; see :data:`PAPER_D`."""
    return AffineAugmentation(PAPER_D, rng)


def warp(picture: Tensor, affine: Affine) -> Tensor:
    """Carry out a change; beyond the edge the last pixels are repeated.

    Parameters
    ----------
    picture : Tensor, shape (…, H, W)
        Any number type. A :class:`~torchvision.tv_tensors.Mask` is sampled at the nearest pixel,
        everything else linearly, rounded where the type is an integer.
    affine : Affine

    Returns
    -------
    Tensor
        Of the same class, shape, type and device.
    """
    height, width = picture.shape[-2:]
    mask = isinstance(picture, tv_tensors.Mask)
    plain = picture.as_subclass(Tensor)
    floating = plain.is_floating_point()
    stack = plain.reshape(1, -1, height, width).to(plain.dtype if floating else torch.float32)
    theta = torch.as_tensor(_sampling(affine, width, height), dtype=stack.dtype)
    shape = [1, stack.shape[1], height, width]
    grid = F.affine_grid(theta[None].to(stack.device), shape, align_corners=False)
    mode = "nearest" if mask else "bilinear"
    moved = F.grid_sample(stack, grid, mode, padding_mode="border", align_corners=False)
    if not floating:
        moved = moved.round()
    return like(moved.reshape(plain.shape).to(plain.dtype), picture)


def _sampling(affine: Affine, width: int, height: int) -> Any:
    """Where each point of the result is taken from, shape (2, 3), in half-sides from the middle."""
    half = np.array([width, height]) / 2
    back = np.linalg.inv(affine.linear)
    linear = back * half[None, :] / half[:, None]
    offset = back @ (np.array(affine.shift) * half * 2) / half
    return np.column_stack([linear, -offset])


def _crop(picture: Tensor, share: float, place: tuple[float, float]) -> Tensor:
    height, width = picture.shape[-2:]
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    top, left = round(place[0] * (height - rows)), round(place[1] * (width - columns))
    cropped = vF.resized_crop(picture, top, left, rows, columns, [height, width], antialias=True)
    return cast(Tensor, cropped)


def like(plain: Tensor, given: Tensor) -> Tensor:
    """A plain tensor as an image or a mask, if the given one is."""
    if isinstance(given, tv_tensors.TVTensor):
        return cast(Tensor, tv_tensors.wrap(plain, like=given))
    return plain


def _refuse_others(inputs: list[Any]) -> None:
    """Boxes, videos and Pillow's images would silently stay where they were."""
    for one in inputs:
        other = isinstance(one, tv_tensors.TVTensor) and not isinstance(
            one, tv_tensors.Image | tv_tensors.Mask
        )
        if other or isinstance(one, Image.Image):
            raise UsageError(
                f"a {type(one).__name__} cannot be augmented; give a tv_tensors Image or Mask"
            )
