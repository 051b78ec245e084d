"""The folder of a run: what was asked, and the log that grows with every step."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch

from smearlab.errors import UsageError
from smearlab.io.atomic import remove_leftovers, write_text

_CONFIG = "config.json"
_LOG = "log.jsonl"


def open_run(run: Path, asked: Mapping[str, Any]) -> None:
    """Make the folder, or check that it was made for the same configuration.

    Parameters
    ----------
    run : Path
        Made if missing; what a killed process left half-written is removed.
    asked : mapping
        What JSON can hold; kept in ``config.json`` with a note on the machine.

    Raises
    ------
    UsageError
        If the folder was made for another configuration.
    """
    run.mkdir(parents=True, exist_ok=True)
    remove_leftovers(run)
    path = run / _CONFIG
    asked = json.loads(json.dumps(asked))
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))["asked"]
        if found != asked:
            differ = sorted(k for k in {*found, *asked} if found.get(k) != asked.get(k))
            raise UsageError(
                f"{run} was begun with another configuration (differs in {', '.join(differ)}): "
                "choose another run folder, or delete this one"
            )
        return
    hardware = {
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "cuda": torch.cuda.is_available(),
    }
    write_text(path, json.dumps({"asked": asked, "hardware": hardware}, indent=1))


def open_log(run: Path, done: int) -> IO[str]:
    """The log, ready for the next step's line.

    Lines of steps that are done again, and a half-written last line, are dropped: the log of a
    resumed run is that of an uninterrupted one.

    Parameters
    ----------
    run : Path
        Folder of the run.
    done : int
        Number of steps that the checkpoint holds.

    Returns
    -------
    text file
        To append to.
    """
    path = run / _LOG
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if 0 < _step_of(line) <= done]
        if len(kept) < len(lines):
            write_text(path, "".join(kept))
    return path.open("a", encoding="utf-8")


def _step_of(line: str) -> int:
    """The step that a line tells of; 0 for a line that was cut off."""
    try:
        return int(json.loads(line)["step"]) if line.endswith("\n") else 0
    except ValueError:
        return 0
