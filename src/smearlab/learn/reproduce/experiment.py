"""What an experiment is, and what it is run with."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from smearlab.evaluation.reproductions import Line
from smearlab.learn import run_asked
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
    only : tuple of str
        Recipes or elements that are trained; all if it is empty. What is trained already stays in
        the table.
    lists : Path or None
        Folder where lists of pictures are kept for all experiments; ``folder`` if it is None.
    """

    data: str
    folder: Path
    protocol: Protocol = "honest"
    scale: Scale = "cpu"
    show: bool = True
    say: Callable[[str], None] = lambda line: None
    only: tuple[str, ...] = ()
    lists: Path | None = None


def how_to_run(asked: Asked) -> run_asked.Asked:
    """How the runs of an experiment are made: in its folder, with its pictures and protocol."""
    return run_asked.Asked(
        asked.data,
        asked.folder,
        asked.protocol,
        show=asked.show,
        say=asked.say,
        lists=asked.lists,
    )


def is_asked(only: Sequence[str], name: str, of: Sequence[str]) -> bool:
    """Whether a recipe, or an element, is to be trained.

    Parameters
    ----------
    only : sequence of str
        As in :class:`Asked`.
    name : str
    of : sequence of str
        All of its kind: if none of them is named, every one is asked for.

    Examples
    --------
    >>> [is_asked(("wbc",), one, ("rbc", "wbc")) for one in ("rbc", "wbc")]
    [False, True]
    >>> is_asked(("wbc",), "pix2pix", ("rwp_gan", "pix2pix"))
    True
    """
    named = set(only) & set(of)
    return not named or name in named


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
    stands_in : bool
        Whether the data are others than the paper's.
    """

    lines: tuple[Line, ...]
    data: tuple[str, ...]
    deviations: tuple[str, ...]
    hardware: str
    seconds: float
    findings: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    seed: int = 0
    stands_in: bool = True


class Table(typing.Protocol):
    """What trains and measures."""

    @property
    def names(self) -> tuple[str, ...]:
        """Recipes, and elements, that can be trained by themselves."""
        ...

    def __call__(self, asked: Asked) -> Outcome:
        """Train what is not trained yet, and measure."""
        ...


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
        Datasets by their adapter names, any of which will do, but for those of ``essential``.
    wanted : str
        The paper's own data, where they are others.
    run : callable
        Takes :class:`Asked`, gives :class:`Outcome`. Its ``names`` are what ``only`` may hold.
    essential : tuple of str
        Datasets of ``needs`` without which nothing can be done.
    parts : tuple of str
        What rows, findings and sentences on data begin with. A part that has not been trained in
        the folder stays as an earlier record there has it, and the record says so.
    """

    name: str
    title: str
    paper: str
    tables: str
    needs: tuple[str, ...]
    run: Table
    wanted: str = ""
    essential: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    def can_use(self, here: frozenset[str]) -> bool:
        """Whether these datasets will do."""
        return bool(here & {*self.needs}) and here >= {*self.essential}

    @property
    def said_needs(self) -> str:
        """The datasets in words.

        Examples
        --------
        >>> told = Experiment("n", "t", "p", "1", ("a", "b", "c"), None, essential=("c",))
        >>> told.said_needs
        'c, with a or b'
        """
        others = " or ".join(name for name in self.needs if name not in self.essential)
        always = " and ".join(self.essential)
        return f"{always}, with {others}" if always and others else always or others
