"""What a run is made of: its inputs, the options that alter results, the models.

The manifest is written before the first field is analysed. The same command finds it again and
goes on; another command in the same output folder is told how the two differ.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from smearlab import __version__
from smearlab.errors import OutputExistsError
from smearlab.io.atomic import write_bytes

_FORMAT = 1
#: How many differing inputs a message names before it says "and n more".
_NAMED = 3


@dataclass(frozen=True)
class Input:
    """One input file.

    Parameters
    ----------
    name : str
        Name of its field.
    path : str
        As the user wrote it.
    size : int
        Bytes, -1 when the file could not be looked at.
    mtime_ns : int
        Time of its last change, ns.
    """

    name: str
    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, name: str, path: str | Path) -> Input:
        """Look at a file; one that cannot be looked at fails later, when it is read."""
        try:
            status = Path(path).stat()
        except OSError:
            return cls(name, str(path), -1, 0)
        return cls(name, str(path), status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Manifest:
    """A run.

    Parameters
    ----------
    inputs : sequence of Input
        In the order of all outputs.
    options : mapping
        Everything that alters results, as plain JSON values; not the number of jobs.
    models : mapping
        What :meth:`smearlab.pipeline.Analyzer.describe` says of the bundles.
    started : str
        ISO 8601, UTC; a resumed run keeps it, so its report is the same.
    version : str
        Of smearlab.
    """

    inputs: Sequence[Input]
    options: Mapping[str, Any]
    models: Mapping[str, Any]
    started: str
    version: str = __version__

    def to_json(self) -> bytes:
        """The bytes of ``run.json``."""
        body = {
            "format": _FORMAT,
            "version": self.version,
            "started": self.started,
            "options": dict(self.options),
            "models": dict(self.models),
            "inputs": [asdict(item) for item in self.inputs],
        }
        return json.dumps(body, indent=1).encode("ascii") + b"\n"


def start_time() -> str:
    """Now, UTC, to the second; or the moment ``SOURCE_DATE_EPOCH`` names, for equal bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    seconds = float(epoch) if epoch.isdigit() else time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write ``run.json``, whole or not at all."""
    write_bytes(path, manifest.to_json())


def read_manifest(path: Path) -> Manifest | None:
    """Read ``run.json``.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Manifest or None
        None when there is none.

    Raises
    ------
    OutputExistsError
        If there is one that cannot be understood: nothing is known of the folder then.
    """
    try:
        body = json.loads(path.read_bytes())
        if body["format"] != _FORMAT:
            raise ValueError(f"format {body['format']!r}, this smearlab reads {_FORMAT}")
        return Manifest(
            inputs=tuple(Input(**item) for item in body["inputs"]),
            options=body["options"],
            models=body["models"],
            started=body["started"],
            version=body["version"],
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise OutputExistsError(
            f"{path} cannot be understood ({error}); choose another --out, or --force to begin "
            "anew in this folder"
        ) from error


def differences(old: Manifest, new: Manifest) -> list[str]:
    """Say how another command differs from the one whose results a folder holds.

    A file whose size or time alone changed is not named here: its content decides, see
    :func:`changed_inputs`.

    Parameters
    ----------
    old, new : Manifest
        What the folder holds and what is asked.

    Returns
    -------
    list of str
        One line a difference; empty when the new command continues the old one.
    """
    found: list[str] = []
    if old.version != new.version:
        found.append(f"smearlab {old.version} there, {new.version} now")
    found += _differing(old.options, new.options, "option ")
    found += _differing(old.models, new.models, "")
    before = {(item.name, item.path) for item in old.inputs}
    after = {(item.name, item.path) for item in new.inputs}
    if gone := sorted(path for _, path in before - after):
        found.append(f"{_many(gone)} there, not asked for now")
    if added := sorted(path for _, path in after - before):
        found.append(f"{_many(added)} asked for now, not there")
    return found


def changed_inputs(old: Manifest, new: Manifest) -> list[Input]:
    """The inputs of ``new`` whose size or time of change is not what ``old`` saw."""
    seen = {item.path: (item.size, item.mtime_ns) for item in old.inputs}
    return [item for item in new.inputs if seen.get(item.path) != (item.size, item.mtime_ns)]


def _differing(old: Mapping[str, Any], new: Mapping[str, Any], label: str) -> list[str]:
    keys = [*old, *(key for key in new if key not in old)]
    # Compared as JSON text, so that a tuple equals the list it is read back as, and NaN itself.
    texts = [(key, _json(old.get(key)), _json(new.get(key))) for key in keys]
    return [
        f"{label}{key} is {_brief(before)} there, {_brief(after)} now"
        for key, before, after in texts
        if before != after
    ]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _brief(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}…"


def _many(paths: Sequence[str]) -> str:
    named = ", ".join(paths[:_NAMED])
    rest = len(paths) - _NAMED
    return f"{named} and {rest} more" if rest > 0 else named
