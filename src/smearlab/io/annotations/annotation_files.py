"""Reading and writing the text that annotation formats are made of."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from smearlab.errors import AnnotationError
from smearlab.io.atomic import write_text


def read_bytes(path: Path) -> bytes:
    """The whole file.

    Raises
    ------
    AnnotationError
        If it is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AnnotationError(f"{path}: cannot be read ({reason}); check the name") from error


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, without their ends.

    Raises
    ------
    AnnotationError
        If it cannot be read or is no text.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AnnotationError(
            f"{path}: is no UTF-8 text (byte {error.start}); export it again as UTF-8"
        ) from error
    if "\0" in text:
        raise AnnotationError(f"{path}: holds NUL characters, so it is no text; export it again")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises
    ------
    AnnotationError
        If it cannot be read or is no JSON.
    """
    data = read_bytes(path)
    try:
        return json.loads(data)
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{path}: is no text in UTF-8 or UTF-16; export it again") from error
    except json.JSONDecodeError as error:
        raise AnnotationError(
            f"{path}: line {error.lineno}, column {error.colno}: no JSON ({error.msg}); "
            "the file is cut short or was edited, export it again"
        ) from error
    except (RecursionError, ValueError) as error:
        raise AnnotationError(f"{path}: cannot be understood as JSON ({error})") from error


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, one list element a line where that keeps lines readable.

    Raises
    ------
    OSError
        As :func:`smearlab.io.atomic.open_atomic`.
    """
    write_text(path, json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def number(value: object, complaint: str) -> float:
    """A finite float from JSON or text.

    Parameters
    ----------
    value : object
        What stands there.
    complaint : str
        Beginning of the error: file and place.

    Raises
    ------
    AnnotationError
        If it is no finite number.
    """
    try:
        is_number = isinstance(value, (int, float, str)) and not isinstance(value, bool)
        if is_number and "_" not in str(value):  # Python also takes "1_000" for a number
            result = float(str(value))
            if math.isfinite(result):
                return result
    except (ValueError, OverflowError):
        pass
    raise AnnotationError(f"{complaint}: {value!r} is no finite number; correct it")
