"""What makes a list of pairs unfit to learn from or to be measured on, and is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearlab.datasets.pair_files import ElementPair, PairFile
from smearlab.errors import AnnotationError, DataError
from smearlab.types import Element

_NAMED = 3


def refuse_other_sizes(pairs: Iterable[PairFile]) -> None:
    """Refuse a target of another size than its picture, by what their files say of themselves.

    Nothing is decoded. A file that says nothing is left to whoever reads it.

    Parameters
    ----------
    pairs : iterable of PairFile
        Masks beside boxes count as targets, whatever element is asked for.

    Raises
    ------
    AnnotationError
        Naming the target and both sizes.
    """
    for pair in pairs:
        target = pair.target or (pair.boxed and pair.boxed.masks)
        if pair.image is None or not target:
            continue
        sizes = [_size_px(path) for path in (pair.image, target)]
        # A picture that is turned when it is read says so elsewhere: sides may change places.
        if None not in sizes and len({tuple(sorted(size)) for size in sizes if size}) > 1:
            said = ["{} × {}".format(*size) for size in sizes if size]
            raise AnnotationError(
                f"the target {target} has {said[1]} px, its picture {pair.image} {said[0]}; both "
                "must be of one size"
            )


def refuse_red_cells(target: NDArray[np.bool_], red: NDArray[np.bool_], pair: PairFile) -> None:
    """Refuse the target of another element that shows red cells: the wrong file in a folder.

    Parameters
    ----------
    target, red : ndarray of bool, shape (H, W)
        Of the element that was asked for, and of the red cells of the same picture.
    pair : PairFile

    Raises
    ------
    AnnotationError
        If more than half of the target lies on red cells.
    """
    area = int(np.count_nonzero(target))
    shared = int(np.count_nonzero(target & red)) if target.shape == red.shape else 0
    if pair.element != "RBC" and 2 * shared > area:
        raise AnnotationError(
            f"the target {pair.target} shows red cells ({100 * shared / area:.0f} % of it lies in "
            f"{pair.red_target}), but {pair.element} was asked for: put the target of "
            f"{pair.element} there"
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


def refuse_missing_masks(pairs: Iterable[PairFile], listed: Iterable[Path]) -> None:
    """Refuse masks that a data folder lists and that are not there.

    Without, their pictures would silently be taken from boxes.

    Parameters
    ----------
    pairs : iterable of PairFile
        With boxes; a picture is told by its group.
    listed : iterable of Path
        Every mask that there should be, named as the source of its picture.

    Raises
    ------
    DataError
        Naming the first picture without its mask.
    """
    masks = {path.stem: path for path in listed}
    for pair in pairs:
        known = masks.get(pair.boxed.group.rpartition("/")[2]) if pair.boxed else None
        if known is not None and pair.boxed is not None and pair.boxed.masks is None:
            raise DataError(
                f"{pair.image} has no target; {known} is listed and missing: copy it again"
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
            f"{_counted(pictures, 'picture has', 'pictures have')} no target of {element} in "
            f"{folder}: {_listed(pictures)}; put it there, named as the picture, or take the "
            "picture out"
        )
    if targets:
        raise DataError(
            f"{_counted(targets, 'target', 'targets')} of {element} without a picture: "
            f"{_listed(targets)}; a target is named as its picture"
        )


def _listed(paths: Sequence[Path]) -> str:
    more = ", …" if len(paths) > _NAMED else ""
    return ", ".join(path.name for path in paths[:_NAMED]) + more


def _counted(paths: Sequence[Path], one: str, more: str) -> str:
    return f"{len(paths)} {one if len(paths) == 1 else more}"


def _size_px(path: Path) -> tuple[int, int] | None:
    """Width and height that a picture's file tells; None if it tells none."""
    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
