"""What makes a list of pairs unfit to learn from or to be measured on, and is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from smearlab.datasets.pair_files import ElementPair, PairFile
from smearlab.errors import DataError
from smearlab.types import Element

_NAMED = 3


def refuse_other_elements(pairs: Sequence[PairFile], element: Element) -> None:
    """Refuse targets of an element that was not asked for.

    Raises
    ------
    DataError
        Naming the first such pair.
    """
    other = [pair for pair in pairs if pair.element != element]
    if other:
        raise DataError(
            f"{other[0].name} has a target of {other[0].element}, but {element} was asked for "
            f"({len(other)} of {len(pairs)} pairs); list the pairs of {element}"
        )


def refuse_empty_targets(
    pairs: Sequence[PairFile], load: Callable[[PairFile], ElementPair]
) -> None:
    """Refuse pairs of which no target shows a single pixel of the element.

    A single empty target is fine: not every field holds a platelet.

    Parameters
    ----------
    pairs : sequence of PairFile
    load : callable
        Reads a pair; called until a target is not empty.

    Raises
    ------
    DataError
        If there is no pair, or all targets are empty.
    """
    if not pairs:
        raise DataError("there is no pair of a picture and its target; name other data")
    if not any(load(pair).target.any() for pair in pairs):
        element = pairs[0].element
        raise DataError(
            f"the targets of all {len(pairs)} pairs are empty, the first that of {pairs[0].name}: "
            f"there is nothing to learn of {element}; name data that shows it"
        )


def refuse_unpaired(
    element: Element, pictures: Sequence[Path], targets: Sequence[Path], folder: Path
) -> None:
    """Refuse pictures without target and targets without picture.

    Parameters
    ----------
    element : {"RBC", "WBC", "PLT"}
    pictures, targets : sequence of Path
        Those that have no partner.
    folder : Path
        Where the targets lie.

    Raises
    ------
    DataError
        If there are any.
    """
    if pictures:
        raise DataError(
            f"{len(pictures)} pictures have no target of {element} in {folder}: "
            f"{_listed(pictures)}; put it there, named as the picture, or take the picture out"
        )
    if targets:
        raise DataError(
            f"{len(targets)} targets of {element} belong to no picture: {_listed(targets)}; a "
            "target is named as its picture"
        )


def _listed(paths: Sequence[Path]) -> str:
    more = ", …" if len(paths) > _NAMED else ""
    return ", ".join(path.name for path in paths[:_NAMED]) + more
