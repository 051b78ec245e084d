"""What ``smearlab verify`` left of a set of synthetic pictures, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from smearlab.errors import DataError

#: In the folder of a verification.
RESULT = "verification.json"


def read_verification(path: str | Path) -> dict[str, Any]:
    """The result of a verification.

    Parameters
    ----------
    path : str or Path
        Its folder, or the file in it.

    Raises
    ------
    DataError
        If there is none, or it cannot be read.
    """
    path = Path(path)
    file = path / RESULT if path.is_dir() else path
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(kept["checks"], dict) and isinstance(kept["synthetic"], dict):
            return dict(kept)
        reason = "it has other contents"
    except FileNotFoundError:
        reason = "there is no such file"
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"it cannot be read ({error})"
    raise DataError(
        f"{file} is no result of smearlab verify: {reason}; name the folder that it wrote"
    )
