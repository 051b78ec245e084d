"""The files below a folder, and what a listing beside them tells."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from smearlab.errors import DataError, UsageError
from smearlab.io.image_formats import IMAGE_SUFFIXES

_LISTING = "manifest.csv"
_LISTING_COLUMNS = {"path", "split", "label", "source", "original"}
_LEVELS = 3
_NAMED = 6


@dataclass(frozen=True)
class Tree:
    """Files by their path below a folder, with ``/`` between folders.

    Parameters
    ----------
    root : Path
        The folder.
    files : tuple of str
        Sorted; hidden ones are left out.
    hidden : tuple of str
        Pictures with a hidden name: archives hold them by mistake.
    listing : mapping of str to mapping
        What a ``manifest.csv`` in the folder, or up to two folders above, says of a file: its
        ``split``, ``label``, ``source`` and ``original`` name.
    """

    root: Path
    files: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    listing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.files)

    def __contains__(self, path: str) -> bool:
        return path in self._known

    @property
    def pictures(self) -> Iterator[PurePosixPath]:
        """Files with the suffix of a picture, in order."""
        for name in self.files:
            path = PurePosixPath(name)
            if path.suffix.lower() in IMAGE_SUFFIXES:
                yield path

    def first(self, *paths: PurePosixPath | str) -> str | None:
        """The first of some paths that is a file here."""
        return next((str(path) for path in paths if str(path) in self._known), None)

    def said(self, path: str, column: str) -> str | None:
        """What the listing says of a file, None where it says nothing."""
        return self.listing.get(path, {}).get(column) or None

    def text(self, path: str) -> str:
        """A small text file.

        Raises
        ------
        DataError
            If it cannot be read.
        """
        try:
            return (self.root / path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"{self.root / path} cannot be read ({error}); copy it again"
            ) from error

    def summary(self) -> str:
        """What is here, in a few words."""
        if not self.files:
            return "no file"
        folders = Counter(str(PurePosixPath(name).parent) for name in self.files)
        suffixes = Counter(PurePosixPath(name).suffix.lower() or "none" for name in self.files)
        kinds = ", ".join(f"{suffix} {n}" for suffix, n in suffixes.most_common(_NAMED))
        named = sorted(name for name in folders if name != ".")[:_NAMED]
        where = f", in the folders {', '.join(named)}" if named else ""
        more = ", …" if len(folders) > _NAMED else ""
        return f"{len(self.files)} files ({kinds}){where}{more}"


def open_tree(folder: str | Path) -> Tree:
    """List a folder to any depth; linked folders are not entered.

    Raises
    ------
    UsageError
        If it is no folder, or a folder in it cannot be listed.
    """
    root = Path(folder)
    if root.is_file():
        raise UsageError(f"{root} is a file; unpack it and name the folder")
    if not root.is_dir():
        raise UsageError(f"{root} does not exist; name the folder that holds the archive")

    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename} cannot be listed ({error.strerror})") from error

    files, hidden = [], []
    for here, folders, names in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        inside = Path(here).relative_to(root)
        for name in names:
            path = (inside / name).as_posix()
            if not name.startswith("."):
                files.append(path)
            elif PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
                hidden.append(path)
    return Tree(root, tuple(sorted(files)), tuple(sorted(hidden)), _listing(root))


def _listing(root: Path) -> dict[str, Mapping[str, str]]:
    """Rows of the nearest listing that speak of files below ``root``."""
    real = root.resolve()
    for base in (real, *real.parents)[:_LEVELS]:
        file = base / _LISTING
        if not file.is_file():
            continue
        before = real.relative_to(base).as_posix()
        prefix = "" if before == "." else f"{before}/"
        with file.open(newline="", encoding="utf-8", errors="replace") as stream:
            reader = csv.DictReader(stream)
            if not set(reader.fieldnames or ()) >= _LISTING_COLUMNS:
                continue
            return {
                row["path"].removeprefix(prefix): row
                for row in reader
                if row["path"] and row["path"].startswith(prefix)
            }
    return {}
