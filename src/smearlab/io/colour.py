"""From any 8-bit colour model to the sRGB that a person sees."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

#: A profile that changes no probe colour by more than this (of 255) is sRGB, rounding apart.
_SRGB_TOLERANCE = 2

_SPACE_OF_MODE = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}


def to_srgb(
    image: Image.Image, icc_profile: bytes | None = None
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Settle the colours of a picture: profile applied, transparency laid on white.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any mode with 8 bits a sample.
    icc_profile : bytes or None
        The embedded profile. One that is sRGB changes nothing; one that cannot be used is
        passed over and said.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        sRGB, writable.
    tuple of str
        What was decided.
    """
    image, alpha = _split_alpha(image)
    notes: tuple[str, ...] = ()
    if icc_profile:
        image, notes = _apply_profile(image, icc_profile)
    elif image.mode == "LAB":
        image = ImageCms.applyTransform(image, _lab_to_srgb()) or image
    pixels = np.array(image.convert("RGB"))
    if alpha is not None and alpha.min() < 255:
        if alpha.max() == 0:
            # Some exporters leave the alpha channel empty; viewers then ignore it.
            notes += ("empty alpha channel ignored",)
        else:
            pixels = _on_white(pixels, alpha)
    return pixels, notes


def _split_alpha(image: Image.Image) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    """The picture in an opaque mode with a profile's meaning, and its transparency."""
    if image.mode == "La":
        image = image.convert("LA")
    if image.mode == "LA":
        return image.getchannel("L"), np.asarray(image.getchannel("A"))
    if image.mode in ("RGBA", "RGBa", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        return image.convert("RGB"), np.asarray(image.getchannel("A"))
    if image.mode in _SPACE_OF_MODE:
        return image, None
    return image.convert("L" if image.mode == "1" else "RGB"), None


def _on_white(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a picture on white paper: ``(alpha · c + (255 − alpha) · 255) / 255``, rounded."""
    share = alpha[:, :, None].astype(np.uint32)
    mixed = share * pixels + (255 - share) * 255
    return ((mixed + 127) // 255).astype(np.uint8)


def _apply_profile(image: Image.Image, profile: bytes) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert by the embedded profile where it can be used and is not sRGB anyway."""
    try:
        transform, space, name = _transform(profile, image.mode)
        if image.mode == "L" and space == "RGB":  # grey pixels under a colour profile
            image = image.convert("RGB")
            transform, space, name = _transform(profile, "RGB")
        if transform is None:
            return image, ()
        converted = ImageCms.applyTransform(image, transform)
        return converted or image, (f"converted from the colour profile {name!r}",)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image, ("the embedded colour profile cannot be used; colours taken as sRGB",)


@functools.lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> tuple[ImageCms.ImageCmsTransform | None, str, str]:
    """Transform to sRGB (None for a profile that is sRGB), its colour space and its name.

    Kept, as a folder of fields shares one profile; LittleCMS may use one from several threads.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    if mode == "L" and space == "RGB":
        return None, space, ""
    if space != _SPACE_OF_MODE[mode]:
        raise ValueError(f"a {space} profile on {mode} pixels")
    name = (ImageCms.getProfileDescription(source) or "").strip() or "unnamed"
    transform = ImageCms.buildTransform(source, _srgb(), mode, "RGB")
    if mode == "RGB":
        grid = np.linspace(0, 255, 9).astype(np.uint8)
        probe = np.stack(np.meshgrid(grid, grid, grid), axis=-1).reshape(27, 27, 3)
        seen: Any = ImageCms.applyTransform(Image.fromarray(probe), transform)
        if np.abs(np.asarray(seen).astype(int) - probe).max() <= _SRGB_TOLERANCE:
            return None, space, name
    return transform, space, name


@functools.cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@functools.cache
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), _srgb(), "LAB", "RGB")
