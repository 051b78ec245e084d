"""Stages of a workflow, each kept in a folder that is called by what it follows from.

A stage follows from its settings and from what the stages before it made. Where these are the
same, it is taken as it lies there; where something changed, the stages after it are made anew,
beside the old ones. A stage that was interrupted goes on in its folder. What another
process is making is waited for.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smearlab import __version__
from smearlab.errors import RunError
from smearlab.evaluation.results import plain
from smearlab.io.atomic import write_text
from smearlab.io.locks import waiting_for

#: Of what stages leave; another number, and they are not taken up.
FORMAT = 1
RECORD = "stage.json"
#: Seconds that calls took, interrupted ones as well.
_SPENT = "seconds.json"
_LOCK = "lock"
STAGES = "stages"


@dataclass(frozen=True, eq=False)
class Done:
    """A stage that is there.

    Parameters
    ----------
    name : str
    folder : Path
    facts : mapping
        What it says of itself, as JSON holds it; ``digest`` tells its result where another way
        to it may give the same one.
    key : str
        Of what it follows from.
    seconds : float
        That it took, with the calls that were interrupted, but for those that were killed.
    kept : bool
        Whether it was there before.
    """

    name: str
    folder: Path
    facts: Mapping[str, Any]
    key: str
    seconds: float
    kept: bool

    @property
    def digest(self) -> str:
        """What later stages follow from."""
        return str(self.facts.get("digest", self.key))


#: Makes a stage in its folder from those that it needs, by name; gives its facts.
Make = Callable[[Path, Mapping[str, Done]], Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Stage:
    """What shall be made.

    Parameters
    ----------
    name : str
    make : callable
        See :data:`Make`. What it leaves of an interrupted call it takes up again.
    settings : mapping
        All that the result follows from beside the stages that it needs; JSON holds it.
    needs : tuple of Stage
    """

    name: str
    make: Make
    settings: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[Stage, ...] = ()


class Workshop:
    """Where stages lie, and where they are made; several processes may share it.

    Parameters
    ----------
    out : Path
        Stages lie in ``OUT/stages/NAME-KEY``.
    say : callable
        Told in a line what goes on.
    """

    def __init__(self, out: Path, say: Callable[[str], None] = lambda line: None) -> None:
        self.out, self.say = out, say
        self._done: dict[int, Done] = {}

    def done(self, stage: Stage) -> Done:
        """The stage, made if it is not there; those that it needs first.

        Raises
        ------
        RunError
            If what lies there is of another version of this program, or cannot be read.
        """
        if id(stage) not in self._done:
            self._done[id(stage)] = self._found_or_made(stage)
        return self._done[id(stage)]

    @property
    def made(self) -> list[Done]:
        """All stages so far, in the order in which they were asked for."""
        return [*self._done.values()]

    def _found_or_made(self, stage: Stage) -> Done:
        needs = {one.name: self.done(one) for one in stage.needs}
        follows = {
            "stage": stage.name,
            "settings": plain(stage.settings),
            "needs": {name: one.digest for name, one in needs.items()},
        }
        told = json.dumps(follows, sort_keys=True, ensure_ascii=False)
        key = hashlib.sha256(told.encode()).hexdigest()[:12]
        folder = self.out / STAGES / f"{stage.name}-{key}"
        there = _kept(folder, key)
        if there is not None:
            self.say(f"{stage.name}: as it was made before")
            return Done(stage.name, folder, there["facts"], key, float(there["seconds"]), True)
        folder.mkdir(parents=True, exist_ok=True)
        with waiting_for(folder / _LOCK, lambda pid: self.say(_others(stage.name, pid))):
            # Another process may have made it meanwhile.
            there = _kept(folder, key)
            if there is None:
                return self._made(stage, folder, needs, {"key": key, **follows})
        return Done(stage.name, folder, there["facts"], key, float(there["seconds"]), True)

    def _made(
        self, stage: Stage, folder: Path, needs: Mapping[str, Done], told: Mapping[str, Any]
    ) -> Done:
        self.say(f"{stage.name}: {folder}")
        began, before = time.monotonic(), _spent(folder)
        try:
            facts = plain(stage.make(folder, needs))
        finally:  # a call that is interrupted has taken its time, too
            seconds = round(before + time.monotonic() - began, 3)
            write_text(folder / _SPENT, json.dumps(seconds))
        record = {
            "format": FORMAT, "smearlab": __version__, **told,
            "seconds": seconds, "facts": facts,
        }  # fmt: skip
        text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
        write_text(folder / RECORD, text + "\n")
        return Done(stage.name, folder, facts, str(told["key"]), seconds, False)


def _others(name: str, holder: str) -> str:
    return f"{name}: process {holder} is making it; waiting"


def _spent(folder: Path) -> float:
    """Seconds of interrupted calls."""
    try:
        return float(json.loads((folder / _SPENT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return 0.0


def _kept(folder: Path, key: str) -> dict[str, Any] | None:
    """What a finished stage wrote; None if it is not finished."""
    path = folder / RECORD
    if not path.is_file():
        return None
    remedy = f"delete {folder}, or name another folder with --out"
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version, found = kept["format"], kept["key"]
        _ = kept["facts"], float(kept["seconds"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} cannot be read ({error!r}): {remedy}") from error
    if version != FORMAT or found != key:
        of = kept.get("smearlab", "an unknown version")
        raise RunError(
            f"{path} was written by smearlab {of} in format {version}, and this one reads format "
            f"{FORMAT}: {remedy}"
        )
    return kept
