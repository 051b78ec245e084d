"""Reading one field: any usual picture file becomes the upright sRGB picture that a person sees."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path
from typing import BinaryIO

from smearlab.errors import ImageError, UsageError
from smearlab.io import exif, hush
from smearlab.io.colour import to_srgb
from smearlab.io.image_files import field_names, find_images
from smearlab.io.image_formats import foreign_kind, identify, suffix_note
from smearlab.io.png import read_png
from smearlab.io.raster import Raster, Unreadable, read_bmp, read_jpeg, read_webp
from smearlab.io.tiff import read_tiff
from smearlab.types import Field

__all__ = ["field_names", "find_images", "read_field"]

_WHOLE_FILE_READERS = {"JPEG": read_jpeg, "PNG": read_png, "BMP": read_bmp, "WebP": read_webp}


def read_field(
    path: str | Path,
    *,
    name: str | None = None,
    um_per_px: float | None = None,
    max_pixels: int = 200_000_000,
) -> Field:
    """Read one picture as a field.

    JPEG, PNG, TIFF, BMP and WebP; grey, palette, transparent (laid on white), CMYK, 16-bit and
    floating-point pictures; EXIF orientation and embedded colour profiles are applied. The format
    is told from the content, not from the suffix. Of several pages the first is read. Samples of
    more than 8 bits are scaled as :func:`smearlab.io.sample_depth.to_uint8` says. May be called
    from several threads at once.

    Parameters
    ----------
    path : str or Path
        The file.
    name : str, optional
        Name of the field; made from the file name by :func:`field_names` if not given.
    um_per_px : float, optional
        Pixel pitch, µm; overrules the file. Without it, the file's own is used where it can be
        true of a microscope (:data:`smearlab.io.pitch.PLAUSIBLE_UM`); print resolutions are not.
    max_pixels : int
        Pictures that claim more are refused before anything is decoded.

    Returns
    -------
    Field
        ``pixels`` is (H, W, 3) uint8 sRGB, writable; ``notes`` tells what had to be decided.

    Raises
    ------
    ImageError
        For every file that cannot be read; names the file, the reason and the remedy.
    UsageError
        If ``um_per_px`` is not positive and finite, or ``max_pixels`` not positive.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> file = Path(tempfile.mkdtemp()) / "smear 7.png"
    >>> Image.new("L", (32, 24), 200).save(file)
    >>> field = read_field(file, um_per_px=0.1)
    >>> field.name, field.pixels.shape, field.um_per_px
    ('smear 7', (24, 32, 3), 0.1)
    """
    if um_per_px is not None and not (math.isfinite(um_per_px) and um_per_px > 0):
        raise UsageError(
            f"um_per_px must be a positive number of micrometres; received {um_per_px!r}"
        )
    if max_pixels < 1:
        raise UsageError(f"max_pixels must be positive; received {max_pixels!r}")
    source = os.fspath(path)
    try:
        raster, kind = _read_raster(source, max_pixels)
        pixels, colour_notes = to_srgb(raster.image, raster.icc_profile)
    except Unreadable as error:
        raise ImageError(f"{source}: {error}") from error
    except MemoryError as error:
        raise ImageError(
            f"{source}: the memory does not suffice to decode it; lower max_pixels, run fewer "
            "jobs, or cut the picture into fields"
        ) from error
    return Field(
        pixels=exif.upright(pixels, raster.orientation),
        name=field_names([source])[0] if name is None else name,
        um_per_px=raster.um_per_px if um_per_px is None else float(um_per_px),
        source=source,
        notes=suffix_note(source, kind) + raster.notes + colour_notes,
    )


def _read_raster(source: str, max_pixels: int) -> tuple[Raster, str]:
    """Open the file, find out what it is and decode it."""
    try:
        _check_file(Path(source).stat())
        with Path(source).open("rb") as file:
            return _decode(file, max_pixels)
    except FileNotFoundError as error:
        raise Unreadable("there is no such file", "check the name") from error
    except PermissionError as error:
        raise Unreadable(
            "it may not be read by this user", "ask for the permission to read it"
        ) from error
    except OSError as error:
        raise Unreadable(
            f"the system cannot read it ({error.strerror or error})", "check the disk or the share"
        ) from error
    except ValueError as error:  # a NUL in the name
        raise Unreadable(f"that is no file name ({error})", "check the name") from error


def _check_file(status: os.stat_result) -> None:
    """Refuse what is not a plain file with something in it; opening a pipe would wait forever."""
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable("it is a folder", "name the pictures in it, or give it to find_images")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("it is a device, pipe or socket", "name a picture file")
    if status.st_size == 0:
        raise Unreadable("the file is empty (0 bytes)", "copy it again from its source")


def _decode(file: BinaryIO, max_pixels: int) -> tuple[Raster, str]:
    """Decode an open file, and make of whatever a codec throws an :class:`Unreadable`."""
    head = file.read(16)
    kind = identify(head)
    if kind is None:
        raise Unreadable(
            f"it is {foreign_kind(head)}, not a JPEG, PNG, TIFF, BMP or WebP picture",
            "convert it, or leave it out",
        )
    file.seek(0)
    try:
        with hush.hushed():
            if kind == "TIFF":
                return read_tiff(file, max_pixels), kind
            return _WHOLE_FILE_READERS[kind](file.read(), max_pixels), kind
    except (Unreadable, MemoryError):
        raise
    except Exception as error:
        # Strangers' bytes through half a dozen codecs: the kinds of exception are theirs.
        detail = " ".join(str(error).split())[:160] or type(error).__name__
        raise Unreadable(
            f"truncated or damaged {kind} data ({detail})", "copy or export it again"
        ) from error
