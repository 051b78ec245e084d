"""TIFF in the dialects of microscopes: OME, ImageJ, tiled, planar, 16-bit, float, compressed.

Pictures of 8 bits are decoded by Pillow (and its libtiff), deeper ones by tifffile; where
tifffile lacks a codec, :mod:`smearlab.io.tiff_strips` has libtiff unpack the bytes.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from smearlab.io import exif, pitch
from smearlab.io.hush import silence_libtiff
from smearlab.io.raster import Raster, Unreadable, check_size, page_note
from smearlab.io.sample_depth import to_uint8
from smearlab.io.tiff_strips import check_segments, unpack

_MAX_SAMPLES = 16
_ICC_PROFILE = 34675
_MAX_SAMPLE_VALUE = 281
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK = 0, 1, 2, 5
_ASSOCIATED_ALPHA, _ALPHA = 1, 2


def read_tiff(file: BinaryIO, max_pixels: int) -> Raster:
    """Decode the first page of a TIFF or BigTIFF file.

    Three grey pages that OME or ImageJ declare to be the three channels of one picture are
    joined as red, green and blue.

    Parameters
    ----------
    file : binary file object
        Open at its start; stays open.
    max_pixels : int
        See :func:`smearlab.io.raster.check_size`.

    Returns
    -------
    Raster
        Any 8-bit mode; deeper samples are scaled by :func:`smearlab.io.sample_depth.to_uint8`.

    Raises
    ------
    Unreadable
        If the size is refused, the file is cut short, or holds samples that no codec here knows.
    Exception
        Whatever Pillow, libtiff or tifffile raise on damaged data.
    """
    import tifffile

    silence_libtiff()
    with tifffile.TiffFile(file) as tiff:
        pages: list[Any] = [tiff.pages[0]]
        n_pages = len(tiff.pages)
        page = pages[0]
        check_size(page.imagewidth, page.imagelength, max_pixels)
        if page.samplesperpixel > _MAX_SAMPLES or page.imagedepth != 1:
            raise Unreadable(
                f"its first page has {page.samplesperpixel} samples a pixel and "
                f"{page.imagedepth} planes, which is no picture",
                "export one plane as an 8-bit RGB TIFF",
            )
        description = page.description
        tags = _resolution_tags(page)
        notes = page_note(n_pages)
        if n_pages == 3 and page.samplesperpixel == 1 and _is_three_channels(tiff):
            pages = [each.aspage() for each in tiff.pages[:3]]
            notes = ("three pages joined as red, green and blue",)
        for each in pages:
            check_segments(each, file)
        image, orientation, depth_notes = _decode(file, pages, description)
    profile = page.tags.get(_ICC_PROFILE)
    return Raster(
        image,
        profile.value if profile and isinstance(profile.value, bytes) else None,
        orientation,
        pitch.from_description(description, tags) or pitch.from_tags(tags),
        notes + depth_notes,
    )


def _decode(
    file: BinaryIO, pages: list[Any], description: str
) -> tuple[Image.Image, int, tuple[str, ...]]:
    """The picture, the orientation that is still to be applied, and notes."""
    page = pages[0]
    if len(pages) == 1 and page.bitspersample in (1, 2, 4, 8) and page.sampleformat == 1:
        try:
            file.seek(0)
            picture = TiffImageFile(file)
            picture.load()
        except (SyntaxError, Image.DecompressionBombError):
            pass  # a layout that Pillow does not know, or beyond its own limit; tifffile may
        else:
            # Pillow turns the picture itself, and then drops the tag.
            turn = picture.tag_v2.get(exif.ORIENTATION, 1)
            return picture, exif.orientation({exif.ORIENTATION: turn}), ()
    samples = np.concatenate([_samples(file, each) for each in pages], axis=2)
    photometric = _RGB if len(pages) == 3 else int(page.photometric)
    scaled, notes = to_uint8(samples, _significant_bits(page, description))
    image, more = _as_image(scaled, photometric, tuple(page.extrasamples))
    tag = page.tags.get(exif.ORIENTATION)
    turn = exif.orientation({exif.ORIENTATION: int(tag.value)}) if tag else 1
    return image, turn, notes + more


def _samples(file: BinaryIO, page: Any) -> NDArray[Any]:
    """The samples of one page, shape (H, W, S)."""
    try:
        samples = page.asarray(maxworkers=1)
        axes = page.axes
    except (ValueError, NotImplementedError, KeyError, ImportError) as error:
        if "imagecodecs" not in str(error):
            raise
        return unpack(file, page)
    if axes == "SYX":
        samples = np.moveaxis(samples, 0, -1)
    shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
    return np.asarray(samples).reshape(shape)


def _as_image(
    samples: NDArray[np.uint8], photometric: int, extra: tuple[int, ...]
) -> tuple[Image.Image, tuple[str, ...]]:
    """Give scaled samples (H, W, S) the meaning that the page declares."""
    notes: tuple[str, ...] = ()
    n_samples = samples.shape[2]
    if photometric == _BLACK_IS_ZERO and n_samples - len(extra) == 3:
        photometric = _RGB
    n_colours = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _CMYK: 4}.get(photometric)
    if n_colours is None or n_samples < n_colours:
        raise Unreadable(
            f"its {n_samples} samples a pixel have the TIFF colour model {photometric}, "
            "which is not read at this depth",
            "export it as an RGB TIFF or as PNG",
        )
    colours = samples[:, :, :n_colours]
    if photometric == _WHITE_IS_ZERO:
        colours = 255 - colours
    kind = extra[0] if extra and n_samples > n_colours else 0
    size = (samples.shape[1], samples.shape[0])
    if photometric == _CMYK:
        return Image.frombytes("CMYK", size, np.ascontiguousarray(colours).tobytes()), notes
    if kind in (_ASSOCIATED_ALPHA, _ALPHA):
        rgb = np.broadcast_to(colours, (*colours.shape[:2], 3))
        layers = np.concatenate([rgb, samples[:, :, n_colours : n_colours + 1]], axis=2)
        mode = "RGBa" if kind == _ASSOCIATED_ALPHA else "RGBA"
        return Image.frombytes(mode, size, layers.tobytes()).convert("RGBA"), notes
    if n_samples > n_colours:
        notes = (f"{n_samples - n_colours} extra channels ignored",)
    plain = colours[:, :, 0] if n_colours == 1 else colours
    return Image.fromarray(np.ascontiguousarray(plain)), notes


def _is_three_channels(tiff: Any) -> bool:
    """Whether OME or ImageJ say that the three pages are the channels of one picture."""
    if not (tiff.is_ome or tiff.is_imagej):
        return False
    series = tiff.series[0]
    return bool(series.axes == "CYX" and series.shape[0] == 3)


def _resolution_tags(page: Any) -> dict[int, float]:
    """X and Y resolution and their unit, as plain numbers."""
    found: dict[int, float] = {}
    for tag in (exif.X_RESOLUTION, exif.Y_RESOLUTION, exif.RESOLUTION_UNIT):
        entry = page.tags.get(tag)
        value = entry.value if entry else None
        if isinstance(value, tuple) and len(value) == 2 and value[1]:
            found[tag] = value[0] / value[1]
        elif isinstance(value, int):
            found[tag] = int(value)
    return found


def _significant_bits(page: Any, description: str) -> int | None:
    """Bits in use: OME's word, or a MaxSampleValue that ends a bit range.

    Other values of that tag are the largest sample of this very picture, which is no scale.
    """
    said = pitch.significant_bits(description)
    tag = page.tags.get(_MAX_SAMPLE_VALUE)
    if said is None and tag is not None:
        value = max(tag.value) if isinstance(tag.value, tuple) else tag.value
        if isinstance(value, int) and value > 0 and (value & (value + 1)) == 0:
            return value.bit_length()
    return said
