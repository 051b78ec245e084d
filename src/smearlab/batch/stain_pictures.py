"""The pictures of two stains: found, seen to be different ones, and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.adapters.download import file_sha256
from smearlab.datasets.duplicates.finder import find_duplicates
from smearlab.errors import DataError, ImageError, UsageError
from smearlab.io.images import find_images, read_field
from smearlab.report.records import FileError

if TYPE_CHECKING:
    from smearlab.datasets.manifest.table import Manifest

_TABLES = (".parquet", ".csv")
#: Of larger pictures the middle is read: side, px.
MIDDLE_PX = 2048
_NAMED = 3


@dataclass(frozen=True, eq=False)
class StainPictures:
    """Pictures of one stain.

    Parameters
    ----------
    place : str
        Folder, file, pattern or manifest, as the user wrote it.
    files : tuple of Path
        Those that were read.
    pixels : tuple of ndarray of uint8, shape (H, W, 3)
    unread : tuple of FileError
        Files that cannot be read.
    """

    place: str
    files: tuple[Path, ...]
    pixels: tuple[NDArray[np.uint8], ...]
    unread: tuple[FileError, ...]


def files_of(
    place: str, splits: Sequence[str] = (), root: Path | None = None, most: int | None = None
) -> list[Path]:
    """The pictures that a folder, a file, a pattern or a manifest names.

    Parameters
    ----------
    place : str
        A manifest ends in ``.parquet`` or ``.csv``.
    splits : sequence of str
        Parts of a manifest that is split; all of one that is not, or when left out.
    root : Path, optional
        Folder of a manifest's pictures, if not where it says.
    most : int, optional
        At most so many, evenly spread.

    Returns
    -------
    list of Path

    Raises
    ------
    UsageError, ManifestError
        If it names no picture.
    """
    if Path(place).suffix.lower() in _TABLES:
        from smearlab.datasets.manifest.table import read_manifest

        table = read_manifest(place, root)
        parts = table.column("split")
        taken = [part in splits for part in parts] if splits and any(parts) else [True] * len(table)
        paths = table.column("path")
        found = [table.file(path) for path, keep in zip(paths, taken, strict=True) if keep]
        if not found:
            raise UsageError(f"{place} has no picture in {', '.join(splits)}; split it otherwise")
    else:
        found = find_images([place])
    return spread(found, most)


def spread(files: Sequence[Path], most: int | None) -> list[Path]:
    """At most so many files, evenly spread; all for None."""
    if most is None or len(files) <= most:
        return [*files]
    return [files[place] for place in np.linspace(0, len(files) - 1, most).round().astype(int)]


def refuse_same_pictures(source: Sequence[Path], target: Sequence[Path]) -> None:
    """Refuse two sources that share pictures, also altered ones.

    Parameters
    ----------
    source, target : sequence of Path

    Raises
    ------
    DataError
        Names some of the pairs.
    """
    files = _Files([*source, *target])
    found = find_duplicates(cast("Manifest", files), threads=1, show=False)
    # Links hold a group together, so one that has both sides has a link from side to side.
    ends = [(pair.first, pair.second) for pair in found.pairs]
    _refuse_shared(
        [(files[one], files[other]) for one, other in ends if one < len(source) <= other]
    )


def refuse_same_files(source: Sequence[Path], target: Sequence[Path]) -> None:
    """Refuse two sources of which any files have the same bytes: quick, also of thousands.

    Parameters
    ----------
    source, target : sequence of Path

    Raises
    ------
    DataError
        Names some of the pairs.
    """
    ours, theirs = (
        {path: path.stat().st_size for path in files if path.is_file()}
        for files in (source, target)
    )
    sizes = {*ours.values()} & {*theirs.values()}
    there: dict[str, Path] = {}
    for path, size in ours.items():
        if size in sizes:
            there.setdefault(file_sha256(path), path)
    sums = ((path, file_sha256(path)) for path, size in theirs.items() if size in sizes)
    _refuse_shared([(there[digest], path) for path, digest in sums if digest in there])


def _refuse_shared(shared: Sequence[tuple[Path, Path]]) -> None:
    if shared:
        named = ", ".join(f"{one} = {other}" for one, other in shared[:_NAMED])
        more = f" and {len(shared) - _NAMED} more" if len(shared) > _NAMED else ""
        raise DataError(
            f"source and target show the same: {named}{more}; name pictures of two stains that "
            "share none"
        )


class _Files(list[Path]):
    """What the finder of duplicates needs of a manifest."""

    def column(self, name: str) -> NDArray[Any]:
        return np.array([str(path) for path in self], dtype=object)

    def file(self, path: str) -> Path:
        return Path(path)


def read_pictures(place: str, files: Sequence[Path]) -> StainPictures:
    """Read pictures; one that cannot be read costs itself.

    Parameters
    ----------
    place : str
        What they are called.
    files : sequence of Path

    Raises
    ------
    ImageError
        If none of them can be read; gives the reason of the first.
    """
    read, pixels, unread = [], [], []
    for path in files:
        try:
            pixels.append(_middle(read_field(path).pixels))
            read.append(path)
        except ImageError as error:
            unread.append(FileError(str(path), str(error).removeprefix(f"{path}: ")))
    if not read:
        why = f"the first, {unread[0].path}: {unread[0].reason}" if unread else "there is none"
        raise ImageError(f"none of the {len(files)} pictures of {place} can be read; {why}")
    return StainPictures(place, tuple(read), tuple(pixels), tuple(unread))


def _middle(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = (max(0, side - MIDDLE_PX) // 2 for side in pixels.shape[:2])
    return pixels[top : top + MIDDLE_PX, left : left + MIDDLE_PX]
