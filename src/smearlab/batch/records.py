"""One file a finished field: what a resumed run reads instead of analysing again.

A record file is one header line, a JSON body and a binary tail::

    smearlab-record 1 <sha256 of everything after this line> <bytes of JSON>\\n
    {…}<contours, float32 little-endian><thumbnails, JPEG>

It is written last of all files of its field, so a record that passes its checksum says that the
field is done; one that does not is as good as none, and the field is analysed again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.errors import ImageError, SmearlabError
from smearlab.io.atomic import write_bytes
from smearlab.report.records import FieldRecord
from smearlab.types import Cell

_MAGIC = b"smearlab-record 1"
_SUFFIX = ".record"


@dataclass(frozen=True)
class Content:
    """What a file held when it was analysed.

    Parameters
    ----------
    sha256 : str
        Of the whole file, 64 hex digits.
    size : int
        Bytes.
    """

    sha256: str
    size: int


def content_of(path: str | Path) -> Content:
    """Read a whole input file, only to know it again.

    Raises
    ------
    ImageError
        If it is no plain file, or cannot be read.
    """
    try:
        if not Path(path).is_file():  # opening a pipe would wait forever
            raise ImageError(f"{path}: it is no plain file, or does not exist; check the name")
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Content(digest, file.tell())
    except OSError as error:
        raise ImageError(
            f"{path}: the system cannot read it ({error.strerror or error}); check its permission, "
            "the disk or the share"
        ) from error


@dataclass(frozen=True, eq=False)
class StoredField:
    """A field's record with what ties it to its input and its overlay.

    Parameters
    ----------
    record : FieldRecord
        The answer.
    content : Content
        The input file it was made from.
    overlay_size : int or None
        Bytes of the overlay PNG, None without one.
    """

    record: FieldRecord
    content: Content
    overlay_size: int | None = None


class DamagedRecordError(SmearlabError):
    """A record file is cut off, altered or of another format."""


def encode_record(stored: StoredField) -> bytes:
    """Pack a field; :func:`decode_record` gives back every number bit for bit.

    Parameters
    ----------
    stored : StoredField
        Contours are kept as float32, all other numbers as Python's shortest exact decimals.

    Returns
    -------
    bytes
        The same for the same field, so two runs can be compared byte by byte.
    """
    record = stored.record
    contours = [np.ascontiguousarray(cell.contour, dtype="<f4") for cell in record.cells]
    thumbnails = dict(sorted(record.thumbnails.items()))
    body = {
        "name": record.name,
        "source": record.source,
        "width_px": int(record.width_px),
        "height_px": int(record.height_px),
        "um_per_px": None if record.um_per_px is None else float(record.um_per_px),
        "notes": list(record.notes),
        "overlay": record.overlay,
        "overlay_size": stored.overlay_size,
        "content": {"sha256": stored.content.sha256, "size": stored.content.size},
        "cells": [_plain_cell(cell) for cell in record.cells],
        "thumbnails": [[label, len(data)] for label, data in thumbnails.items()],
    }
    # ASCII, because a file name may hold bytes that are no UTF-8 (lone surrogates in Python).
    text = json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii")
    rest = b"".join([text, *(points.tobytes() for points in contours), *thumbnails.values()])
    digest = hashlib.sha256(rest).hexdigest().encode()
    return b"%s %s %d\n%s" % (_MAGIC, digest, len(text), rest)


def decode_record(data: bytes, *, thumbnails: bool = True) -> StoredField:
    """Unpack what :func:`encode_record` packed.

    Parameters
    ----------
    data : bytes
        A whole record file.
    thumbnails : bool
        Whether its pictures are wanted, too.

    Returns
    -------
    StoredField

    Raises
    ------
    DamagedRecordError
        If the bytes are cut off, altered, or written by another format version.
    """
    header, newline, rest = data.partition(b"\n")
    parts = header.rsplit(b" ", 2)
    if not newline or len(parts) != 3 or parts[0] != _MAGIC:
        raise DamagedRecordError(f"no header {_MAGIC.decode()!r}; received {header[:40]!r}")
    if hashlib.sha256(rest).hexdigest().encode() != parts[1]:
        raise DamagedRecordError("the checksum does not match")
    try:
        length = int(parts[2])
        body = json.loads(rest[:length])
        if not thumbnails:
            body["thumbnails"] = []
        return _from_plain(body, memoryview(rest)[length:])
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedRecordError(f"not what this smearlab writes: {error!r}") from error


def _plain_cell(cell: Cell) -> dict[str, Any]:
    return {
        "label": int(cell.label),
        "points": len(cell.contour),
        "bbox": [int(value) for value in cell.bbox],
        "area_px": _number(cell.area_px),
        "touches_border": bool(cell.touches_border),
        "element": cell.element,
        "detection_score": _number(cell.detection_score),
        "type": cell.type,
        "probabilities": {name: _number(value) for name, value in cell.probabilities.items()},
        "confidence": _number(cell.confidence),
    }


def _number(value: float) -> float | None:
    """JSON has no NaN; None stands for it."""
    value = float(value)
    return None if math.isnan(value) else value


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _from_plain(body: dict[str, Any], tail: memoryview) -> StoredField:
    cells: list[Cell] = []
    at = 0
    for plain in body["cells"]:
        count = plain["points"]
        contour = np.frombuffer(tail, dtype="<f4", count=2 * count, offset=at).reshape(count, 2)
        at += contour.nbytes
        cells.append(
            Cell(
                field=body["name"],
                label=plain["label"],
                contour=contour.astype(np.float32),
                bbox=tuple(plain["bbox"]),
                area_px=_float(plain["area_px"]),
                touches_border=plain["touches_border"],
                element=plain["element"],
                detection_score=_float(plain["detection_score"]),
                type=plain["type"],
                probabilities={k: _float(v) for k, v in plain["probabilities"].items()},
                confidence=_float(plain["confidence"]),
            )
        )
    thumbnails: dict[int, bytes] = {}
    for label, size in body["thumbnails"]:
        thumbnails[label] = bytes(tail[at : at + size])
        at += size
    record = FieldRecord(
        name=body["name"],
        source=body["source"],
        width_px=body["width_px"],
        height_px=body["height_px"],
        um_per_px=body["um_per_px"],
        notes=tuple(body["notes"]),
        cells=tuple(cells),
        thumbnails=thumbnails,
        overlay=body["overlay"],
    )
    return StoredField(record, Content(**body["content"]), body["overlay_size"])


class RecordStore:
    """The records of one output folder.

    Parameters
    ----------
    folder : Path
        Where the record files lie; made when the first is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where the record of the field ``name`` lies."""
        return self.folder / f"{name}{_SUFFIX}"

    def names(self) -> list[str]:
        """Fields that have a record, sound or not; sorted."""
        return sorted(path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))

    def save(self, stored: StoredField) -> None:
        """Write one record, whole or not at all."""
        write_bytes(self.path(stored.record.name), encode_record(stored))

    def load(self, name: str, *, thumbnails: bool = True) -> StoredField | None:
        """Read one record.

        Parameters
        ----------
        name : str
            Name of the field.
        thumbnails : bool
            Whether its pictures are wanted, too.

        Returns
        -------
        StoredField or None
            None when there is none, or a damaged one, or one of another field.
        """
        try:
            stored = decode_record(self.path(name).read_bytes(), thumbnails=thumbnails)
        except (FileNotFoundError, DamagedRecordError):
            return None
        return stored if stored.record.name == name else None


class RecordStream:
    """The finished fields of a run in input order, read from disk one at a time.

    Can be iterated over again and again; memory holds one field.

    Parameters
    ----------
    store : RecordStore
        Where they lie.
    names : sequence of str
        Fields to give, in this order; each must have a sound record.
    thumbnails : bool
        Whether their pictures are wanted, too.
    """

    def __init__(
        self, store: RecordStore, names: Sequence[str], *, thumbnails: bool = True
    ) -> None:
        self._store = store
        self._names = names
        self._thumbnails = thumbnails

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[FieldRecord]:
        for name in self._names:
            stored = self._store.load(name, thumbnails=self._thumbnails)
            if stored is None:
                raise DamagedRecordError(
                    f"the record of field {name!r} in {self._store.folder} vanished or was "
                    "altered while the run went on; start the same command again"
                )
            yield stored.record
