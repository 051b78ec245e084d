"""What a file is, by its first bytes; names are not trusted."""

from __future__ import annotations

from pathlib import Path

#: The formats that are read, and the suffixes they go by.
SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "WebP": (".webp",),
}
#: All suffixes by which pictures in a folder are recognised.
IMAGE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)

_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # BigTIFF
    b"MM\0+": "TIFF",
    b"BM": "BMP",
}

#: What else is likely to be found among pictures, so that the error can say what it is.
_FOREIGN = {
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or office document",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"8BPS": "a Photoshop document",
    b"ZISRAWFILE": "a Zeiss CZI file",
    b"\x89HDF": "an HDF5 file",
    b"\xd0\xcf\x11\xe0": "an Olympus OIB file or old office document",
    b"<?xml": "an XML document",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
}


def identify(head: bytes) -> str | None:
    """Which of :data:`SUFFIXES` a file is, from its first 16 bytes; None for anything else."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    return next((name for start, name in _STARTS.items() if head.startswith(start)), None)


def foreign_kind(head: bytes) -> str:
    """A phrase for what a file is that is none of the formats read."""
    if head[4:8] == b"ftyp":
        return "an HEIF, AVIF or video file"
    if not head.strip(b"\0"):
        return "a file of zeros, as a broken copy leaves it"
    return next((name for start, name in _FOREIGN.items() if head.startswith(start)), "no picture")


def suffix_note(path: str, kind: str) -> tuple[str, ...]:
    """Say so where a picture goes by the suffix of another format."""
    suffix = Path(path).suffix
    if suffix.lower() in SUFFIXES[kind]:
        return ()
    return (f"{kind} data in a file named {suffix!r}" if suffix else f"{kind} data, no suffix",)
