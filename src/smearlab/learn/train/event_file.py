"""TensorBoard's event files, scalars only: nothing of TensorBoard is needed to write them.

A file is a row of records: length, masked checksum of the length, bytes, masked checksum of the
bytes, all little-endian; a checksum is a CRC-32C (Castagnoli). The bytes are an ``Event`` in the
encoding of protocol buffers.
"""

from __future__ import annotations

import os
import platform
import struct
import time
from collections.abc import Mapping
from pathlib import Path

_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8
_VERSION = b"brain.Event:2"
# Kinds of encoded fields.
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5


class EventFile:
    """Appends scalars to a new event file.

    Parameters
    ----------
    folder : Path
        Made if missing; TensorBoard is given this folder or one above.
    first : int
        The first step that is written. What older files in the folder say of it and of later
        steps is no longer shown.
    """

    def __init__(self, folder: Path, first: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.0f}.{platform.node()}.{os.getpid()}.{first}"
        self._file = (folder / name).open("wb")
        self._add(_field(3, _BYTES, _VERSION))
        began = _field(1, _VARINT, 1)  # SessionLog.START
        self._add(_field(2, _VARINT, first) + _field(7, _BYTES, began))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append scalars of a step, by their names; written at the next :meth:`flush`."""
        summary = b"".join(
            _field(1, _BYTES, _field(1, _BYTES, name.encode()) + _field(2, _FLOAT, value))
            for name, value in values.items()
        )
        self._add(_field(2, _VARINT, step) + _field(5, _BYTES, summary))

    def flush(self) -> None:
        """Let readers see all that was added."""
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def _add(self, fields: bytes) -> None:
        event = _field(1, _DOUBLE, time.time()) + fields
        length = struct.pack("<Q", len(event))
        checks = [struct.pack("<I", _masked(crc32c(part))) for part in (length, event)]
        self._file.write(length + checks[0] + event + checks[1])


def crc32c(data: bytes) -> int:
    """CRC-32C checksum (RFC 3720, appendix B.4).

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _table()


def _masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def _field(number: int, kind: int, value: float | bytes) -> bytes:
    """One field of a protocol buffer."""
    key = _varint(number << 3 | kind)
    if isinstance(value, bytes):
        return key + _varint(len(value)) + value
    if kind == _VARINT:
        return key + _varint(int(value))
    return key + struct.pack("<d" if kind == _DOUBLE else "<f", value)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
