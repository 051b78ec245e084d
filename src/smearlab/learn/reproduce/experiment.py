"""What an experiment is, and what it is run with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from smearlab.evaluation.reproductions import Line
from smearlab.learn.classifier_recipe import Protocol

Scale = Literal["smoke", "cpu", "paper"]
#: Two steps on few pictures; what two cores do in hours; what the paper did.
SCALES: tuple[Scale, ...] = get_args(Scale)


@dataclass(frozen=True)
class Asked:
    """How an experiment shall run.

    Parameters
    ----------
    data : str
        A manifest, a folder of public sets, or ``simulated``.
    folder : Path
        Runs, records and pages of this experiment, protocol and scale go here.
    protocol : {"paper", "honest"}
    scale : {"smoke", "cpu", "paper"}
    show : bool
        Whether to draw progress bars.
    say : callable
        Told in a line what goes on.
    """

    data: str
    folder: Path
    protocol: Protocol = "honest"
    scale: Scale = "cpu"
    show: bool = True
    say: Callable[[str], None] = lambda line: None


@dataclass(frozen=True)
class Outcome:
    """What an experiment found; the rest of the record is filled in by who ran it.

    Parameters
    ----------
    lines : tuple of Line
    data, deviations, findings : tuple of str
        See :class:`smearlab.evaluation.reproductions.Record`.
    hardware : str
    seconds : float
    pages : tuple of str
        Relative to the folder.
    seed : int
    """

    lines: tuple[Line, ...]
    data: tuple[str, ...]
    deviations: tuple[str, ...]
    hardware: str
    seconds: float
    findings: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Experiment:
    """A table, or several, of one paper.

    Parameters
    ----------
    name, title : str
    paper : str
        Authors, year, short name.
    tables : str
        Which tables and figures.
    needs : tuple of str
        Datasets by their adapter names, any of which will do.
    wanted : str
        The paper's own data, where they are others.
    run : callable
        Takes :class:`Asked`, gives :class:`Outcome`.
    """

    name: str
    title: str
    paper: str
    tables: str
    needs: tuple[str, ...]
    run: Callable[[Asked], Outcome]
    wanted: str = ""
