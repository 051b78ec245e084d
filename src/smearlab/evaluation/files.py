"""Many files, one at a time or several at once: what fails costs itself, order is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from smearlab.errors import AnnotationError, ImageError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class BadFile:
    """A file that could not be evaluated.

    Parameters
    ----------
    path : str
        The picture, as it was given.
    reason : str
        What is wrong, and with which file.
    """

    path: str
    reason: str


def _nothing() -> None:
    """Progress that nobody watches."""


def over_files(
    items: Sequence[Item],
    work: Callable[[Item], Result],
    *,
    path_of: Callable[[Item], Path],
    jobs: int = 1,
    advance: Callable[[], None] = _nothing,
) -> tuple[list[Result], list[BadFile]]:
    """Do the same work for every file.

    Parameters
    ----------
    items : sequence
        What to work on, one picture each.
    work : callable
        Takes an item; may raise ImageError, AnnotationError or OSError, which costs that item.
    path_of : callable
        The picture of an item, for the list of failures.
    jobs : int
        Threads, at least 1. The results do not depend on it.
    advance : callable
        Called after every item, from one thread.

    Returns
    -------
    results : list
        Of the items that succeeded, in their order.
    failures : list of BadFile
        The others, in their order.

    Raises
    ------
    ValueError
        If ``jobs`` is below 1.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1; received {jobs}")

    def attempt(item: Item) -> Result | BadFile:
        try:
            return work(item)
        except (ImageError, AnnotationError, OSError) as problem:
            return BadFile(str(path_of(item)), str(problem))

    results: list[Result] = []
    failures: list[BadFile] = []

    def sort(outcomes: Iterable[Result | BadFile]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, BadFile):
                failures.append(outcome)
            else:
                results.append(outcome)
            advance()

    if jobs == 1:
        sort(map(attempt, items))
        return results, failures
    with ThreadPoolExecutor(jobs) as pool:
        try:
            sort(pool.map(attempt, items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results, failures


def partner(
    picture: Path, pictures: Path, folder: Path, suffixes: Sequence[str], endings: Sequence[str]
) -> Path | None:
    """The annotation file of a picture: same place under its folder, same name.

    Parameters
    ----------
    picture : Path
        A picture somewhere under ``pictures``.
    pictures, folder : Path
        The two folders that mirror each other.
    suffixes : sequence of str
        What the annotation may end in, with the dot, the preferred first.
    endings : sequence of str
        What may follow the picture's name, e.g. ``""`` and ``"_mask"``, the preferred first.

    Returns
    -------
    Path or None
        None when there is no such file.
    """
    below = picture.parent.relative_to(pictures) if picture.is_relative_to(pictures) else Path()
    places = [folder / below, folder] if below.parts else [folder]
    for place in places:
        for ending in endings:
            for suffix in suffixes:
                candidate = place / f"{picture.stem}{ending}{suffix}"
                if candidate.is_file():
                    return candidate
    return None
