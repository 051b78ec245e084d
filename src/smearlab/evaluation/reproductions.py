"""Records of reproduced tables: what a paper reports beside what was obtained, and how.

A record is written by the program that obtained the figures, never by hand. Pages and tables are
made of records only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from smearlab.errors import RunError
from smearlab.evaluation.grids import duration
from smearlab.evaluation.results import plain
from smearlab.io.atomic import write_text

RECORD = "record.json"
#: Keys of a record that are lists in the file and tuples in memory.
_TUPLES = ("data", "deviations", "findings", "pages")
#: What is said of a part that a record has taken from an earlier one.
_EARLIER = "of an earlier run"


@dataclass(frozen=True)
class Line:
    """One figure of a table.

    Parameters
    ----------
    row : str
        What the figure is of: a network, an element, a type.
    figure : str
        Its name, as ``accuracy`` or ``PCC``.
    reported : float or None
        By the paper; None where it gives none.
    where : str
        Table, figure or section of the paper.
    obtained : float or None
        None where it could not be obtained or is undefined.
    low, high : float or None
        Ends of the 95 % interval.
    n : int or None
        What it was measured on, and ``of`` says what these are.
    of : str
        As ``pictures``, ``fields``, ``cells``.
    digits : int
        Shown after the point.
    """

    row: str
    figure: str
    reported: float | None = None
    where: str = ""
    obtained: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    of: str = "pictures"
    digits: int = 4


@dataclass(frozen=True)
class Record:
    """A table that was reproduced once.

    Parameters
    ----------
    name, title, paper : str
        Of the experiment.
    protocol, scale : str
        How it was split; how much of the training was done.
    lines : tuple of Line
    data : tuple of str
        What was learnt from and measured on, a sentence each.
    deviations, findings : tuple of str
        Where it departs from the paper; what a reader should learn from it.
    hardware, command, commit, version, finished : str
        ``commit`` is empty where the program does not run from a repository; ``finished`` is a
        date and time of ISO 8601, UTC.
    seconds : float
        Wall time of training and measuring together, over all interrupted runs.
    seed : int
    pages : tuple of str
        Files beside the record: pictures, reports.
    """

    name: str
    title: str
    paper: str
    protocol: str
    scale: str
    lines: tuple[Line, ...]
    data: tuple[str, ...]
    deviations: tuple[str, ...]
    hardware: str
    command: str
    commit: str
    version: str
    finished: str
    seconds: float
    seed: int = 0
    findings: tuple[str, ...] = ()
    pages: tuple[str, ...] = field(default=())

    def save(self, folder: Path) -> Path:
        """Write ``record.json``; gives its path."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(plain(asdict(self)), indent=1, ensure_ascii=False, allow_nan=False)
        write_text(folder / RECORD, text + "\n")
        return folder / RECORD

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read it again.

        Raises
        ------
        RunError
            If the file is not there, or is no record.
        """
        try:
            kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            lines = tuple(Line(**line) for line in kept.pop("lines"))
            for name in _TUPLES:
                kept[name] = tuple(kept[name])
            return cls(lines=lines, **kept)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(
                f"{path} is no record of a reproduction ({error}): run smearlab reproduce again"
            ) from error


def find_records(folders: Iterable[Path]) -> list[Record]:
    """All records below some folders, by name, protocol and scale.

    Parameters
    ----------
    folders : iterable of Path
        Of two records of the same experiment, protocol and scale the newer one counts.

    Raises
    ------
    RunError
        If a record cannot be read.
    """
    newest: dict[tuple[str, str, str], Record] = {}
    for folder in folders:
        for path in sorted(folder.rglob(RECORD)):
            record = Record.load(path)
            key = (record.name, record.protocol, record.scale)
            if key not in newest or record.finished > newest[key].finished:
                newest[key] = record
    return [newest[key] for key in sorted(newest)]


def with_parts(record: Record, earlier: Record, parts: Sequence[str]) -> Record:
    """A record, and the parts of an earlier one that it lacks.

    Trainings of hours lie on one machine, and tables grow part by part: what was measured before
    stays, with a sentence in ``data`` on where it comes from.

    Parameters
    ----------
    record, earlier : Record
        Of one experiment, protocol and scale.
    parts : sequence of str
        What rows, findings and sentences of a part begin with, as ``WBC`` or a recipe.

    Returns
    -------
    Record
        The record itself where the earlier one has no part more. Hardware, command and time are
        those of the later one.
    """
    lacking = [
        part
        for part in parts
        if not any(_is_of(part, line.row) for line in record.lines)
        and any(_is_of(part, line.row) for line in earlier.lines)
    ]
    if not lacking:
        return record

    def kept(sentences: Iterable[str]) -> list[str]:
        return [said for said in sentences if any(_is_of(part, said) for part in lacking)]

    source = f"{earlier.hardware}, finished {earlier.finished}, `{earlier.command}`"
    notes = [
        f"{part}: {_EARLIER} on {source}"
        for part in lacking
        if not any(said.startswith(f"{part}: {_EARLIER}") for said in earlier.data)
    ]
    pages = [
        page for page in earlier.pages if any(part.lower() in page.lower() for part in lacking)
    ]
    findings = [said for said in record.findings if not kept([said])]
    return replace(
        record,
        lines=_in_order(
            [*record.lines, *(line for line in earlier.lines if kept([line.row]))], parts
        ),
        data=(*record.data, *kept(earlier.data), *notes),
        deviations=(*record.deviations, *_other_deviations(record, earlier, lacking)),
        findings=(*findings, *kept(earlier.findings)),
        pages=tuple(dict.fromkeys([*record.pages, *pages])),
    )


def _other_deviations(record: Record, earlier: Record, parts: Sequence[str]) -> list[str]:
    """Where the earlier trainings depart and the later do not, with the parts they are of."""
    names = ", ".join(parts)
    return [
        said if any(_is_of(part, said) for part in parts) else f"{names}: {said}"
        for said in earlier.deviations
        if said not in record.deviations
    ]


def _is_of(part: str, said: str) -> bool:
    """Whether a row or a sentence is of a part: it begins with its name, whole."""
    return said.startswith(part) and said[len(part) : len(part) + 1] in ("", " ", ",", ":")


def _in_order(lines: Iterable[Line], parts: Sequence[str]) -> tuple[Line, ...]:
    """Lines by part; what is of none comes last."""
    places = {part: place for place, part in enumerate(parts)}

    def place(line: Line) -> int:
        return next((n for part, n in places.items() if _is_of(part, line.row)), len(places))

    return tuple(sorted(lines, key=place))


def facts_of(record: Record) -> Mapping[str, str]:
    """What stands under a table: label → text."""
    facts = {
        "Paper": record.paper,
        "Data": "; ".join(record.data),
        "Departs from the paper": "; ".join(record.deviations),
        "Hardware": record.hardware,
        "Time": duration(record.seconds),
        "Seed": str(record.seed),
        "Command": record.command,
        "Version": f"smearlab {record.version}"
        + (f", commit {record.commit}" * bool(record.commit)),
        "Finished": record.finished,
    }
    return {label: text for label, text in facts.items() if text}


def better_lines(lines: Sequence[Line], figure: str) -> list[Line]:
    """Those of one figure that were obtained, the highest first."""
    known = [
        line
        for line in lines
        if line.figure == figure and line.obtained is not None and math.isfinite(line.obtained)
    ]
    return sorted(known, key=lambda line: -(line.obtained or 0.0))
