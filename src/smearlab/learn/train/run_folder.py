"""The folder of a run: what was asked, and the logs that grow with it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from smearlab.errors import UsageError
from smearlab.io.atomic import remove_leftovers, write_text
from smearlab.learn.train.config import FREE_SETTINGS, TrainConfig

_CONFIG = "config.json"
#: A line a step, and a line a validation.
STEP_LOG, VALIDATION_LOG = "log.jsonl", "validation.jsonl"
_ABSENT = "not there"
#: Says only in words what the run is: no number follows from it.
_WORDS = ("deviations",)
#: Settings that came after runs had been written, beside those of training, and what held before.
_ADDED: Mapping[str, Any] = {"view.centre": "middle", "weights.element": 0.0}


def open_run(
    run: Path,
    asked: Mapping[str, Any],
    hardware: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
) -> None:
    """Make the folder, or check that it was made for the same configuration.

    Parameters
    ----------
    run : Path
        Made if missing; what a killed process left half-written is removed.
    asked : mapping
        What JSON can hold, the training's settings under ``train``; kept in ``config.json``.
        Settings that change no number may differ from those that the run began with, and so may
        those that did not exist then, if they have their defaults.
    hardware : mapping
        A note on the machine, kept beside it and never compared.
    defaults : mapping, optional
        Of the training's settings; those of :class:`~smearlab.learn.train.config.TrainConfig`
        when left out.

    Raises
    ------
    UsageError
        If the folder was made for another configuration; names each key with both values.
    """
    run.mkdir(parents=True, exist_ok=True)
    remove_leftovers(run)
    path = run / _CONFIG
    asked = json.loads(json.dumps(asked))
    usual = json.loads(json.dumps(asdict(TrainConfig()) if defaults is None else defaults))
    if not path.exists():
        kept = {"asked": asked, "hardware": hardware}
        write_text(path, json.dumps(kept, indent=1))
        return
    found = json.loads(path.read_text(encoding="utf-8"))["asked"]
    old, new = (dict(_leaves(_compared(one, usual))) for one in (found, asked))
    for key, before in _ADDED.items():
        part = key.partition(".")[0] + "."
        if all(any(name.startswith(part) for name in one) for one in (old, new)):
            old.setdefault(key, before)
            new.setdefault(key, before)
    differ = [key for key in {**old, **new} if old.get(key, _ABSENT) != new.get(key, _ABSENT)]
    if differ:
        parts = ", ".join(sorted({key.partition(".")[0] for key in differ}))
        changes = "; ".join(
            f"{key} was {old.get(key, _ABSENT)!r} and is {new.get(key, _ABSENT)!r}"
            for key in differ
        )
        raise UsageError(
            f"{run} was begun with another configuration (differs in {parts}): {changes}. "
            "Choose another run folder, or delete this one"
        )


def note_hardware(run: Path, hardware: Mapping[str, Any]) -> None:
    """Write down that a run goes on elsewhere, or in another arithmetic.

    Parameters
    ----------
    run : Path
        Folder of the run.
    hardware : mapping
        Kept in ``config.json`` under ``went_on_with`` if it differs from the last.
    """
    path = run / _CONFIG
    kept = json.loads(path.read_text(encoding="utf-8"))
    before = [kept["hardware"], *kept.get("went_on_with", [])]
    if hardware != before[-1]:
        kept["went_on_with"] = [*before[1:], hardware]
        write_text(path, json.dumps(kept, indent=1))


def open_log(run: Path, done: int, name: str = STEP_LOG) -> IO[str]:
    """A log, ready for the next step's line.

    Lines of steps that are done again, and a half-written last line, are dropped: the log of a
    resumed run is that of an uninterrupted one.

    Parameters
    ----------
    run : Path
        Folder of the run.
    done : int
        Number of steps that the checkpoint holds.
    name : str
        File name of the log.

    Returns
    -------
    text file
        To append to.
    """
    path = run / name
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if 0 < _step_of(line) <= done]
        if len(kept) < len(lines):
            write_text(path, "".join(kept))
    return path.open("a", encoding="utf-8")


def read_log(run: Path, done: int | None = None, name: str = STEP_LOG) -> list[dict[str, Any]]:
    """The lines of a log.

    Parameters
    ----------
    run : Path
        Folder of the run.
    done : int, optional
        The last step that counts; all when left out.
    name : str
        File name of the log; it may be missing.

    Returns
    -------
    list of dict
        Without a half-written last line.
    """
    path = run / name
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    last = math.inf if done is None else done
    return [json.loads(line) for line in lines if 0 < _step_of(line) <= last]


def _step_of(line: str) -> int:
    """The step that a line tells of; 0 for a line that was cut off."""
    try:
        return int(json.loads(line)["step"]) if line.endswith("\n") else 0
    except ValueError:
        return 0


def _compared(asked: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same for a run to go on."""
    train = {**usual, **asked.get("train", {})}
    kept = {key: value for key, value in asked.items() if key not in _WORDS}
    return {**kept, "train": {k: v for k, v in train.items() if k not in FREE_SETTINGS}}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """``train.lr`` and its value, and so on for all that a mapping holds."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
