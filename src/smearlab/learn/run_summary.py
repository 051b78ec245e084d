"""``summary.json`` of runs of every kind but classifiers: written, read again, told by its kind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from smearlab.errors import RunError
from smearlab.evaluation.results import plain
from smearlab.evaluation.runs import SUMMARY
from smearlab.io.atomic import write_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Summary = TypeVar("Summary")


@dataclass(frozen=True)
class Progress:
    """What a run tells of its training; summaries say more.

    Parameters
    ----------
    epochs : int
        That were begun.
    best_epoch : int
        The one whose weights are kept, from 1; the last where none was chosen.
    steps : int
    train_seconds : float or None
        With validating, but without decoding pictures; None if nothing was trained.
    images_per_s : float or None
    hardware, precision : str
        All that the run went on with, one after the other.
    """

    epochs: int
    best_epoch: int
    steps: int
    train_seconds: float | None
    images_per_s: float | None
    hardware: str
    precision: str


def save_summary(run: Path, summary: DataclassInstance) -> None:
    """Write it in the run folder.

    Parameters
    ----------
    run : Path
    summary : dataclass
        What is not finite becomes null.
    """
    text = json.dumps(plain(asdict(summary)), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(run / SUMMARY, text + "\n")


def load_summary(
    of: type[Summary], run: Path, kind: str, named: str, tuples: Sequence[str]
) -> Summary:
    """Read it again.

    Parameters
    ----------
    of : type
        The dataclass that was saved.
    run : Path
    kind : str
        Its ``kind``.
    named : str
        What such a run is called, with its article, in messages.
    tuples : sequence of str
        Keys that are lists in the file and tuples in memory.

    Raises
    ------
    RunError
        If the folder is no finished run, or one of another kind, or cannot be read.
    """
    path = run / SUMMARY
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if kept["kind"] != kind:
            raise RunError(
                f"{run} is a run of a {kept['kind']}, not of {named}: name a folder that smearlab "
                f"train wrote for {named}"
            )
        for name in tuples:
            kept[name] = tuple(kept[name])
        return of(**kept)
    except FileNotFoundError:
        raise RunError(
            f"{run} is no finished run, {SUMMARY} is missing: name the folder of {named} that "
            "smearlab train wrote, after it has ended"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} cannot be read ({error}): train the run anew") from error


def is_run_of(kind: str, folder: Path) -> bool:
    """Whether a folder holds a finished run of a kind."""
    try:
        kept = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(kept, dict) and kept.get("kind") == kind
