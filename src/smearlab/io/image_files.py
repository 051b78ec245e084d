"""Which files are meant, and what the fields in them are called."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from smearlab.errors import UsageError
from smearlab.io.image_formats import IMAGE_SUFFIXES

_MAX_NAME = 100
# Path separators, what Windows forbids, control characters, and bytes that were no UTF-8 (Python
# gives them as lone surrogates).
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f\ud800-\udfff]')
_PATTERN = re.compile(r"[*?[]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def find_images(paths: Sequence[str | Path], *, recursive: bool = True) -> list[Path]:
    """Find the pictures that files, folders and glob patterns name.

    A file that is named is always included, so that it fails with a reason if it is no picture.
    Folders, and patterns that do not spell out a suffix (``data/*``), give the files with a
    picture's suffix (:data:`smearlab.io.image_formats.IMAGE_SUFFIXES`). Hidden files and folders
    are left out; linked folders are not entered.

    Parameters
    ----------
    paths : sequence of str or Path
        Files, folders, glob patterns (``*``, ``?``, ``[…]``, and ``**`` for any depth).
    recursive : bool
        Whether folders are searched to any depth.

    Returns
    -------
    list of Path
        Each file once, in natural order (``field 2`` before ``field 10``), written as the user
        wrote them.

    Raises
    ------
    UsageError
        If one of the paths gives no file, or a folder cannot be listed; names it.
    """
    if isinstance(paths, (str, Path)):
        raise UsageError(f"paths must be a list of paths; received the single path {str(paths)!r}")
    found: dict[str, Path] = {}
    for path in paths:
        files = list(_files_of(os.fspath(path), recursive))
        if not files:
            raise UsageError(_nothing_found(os.fspath(path)))
        for file in files:
            found.setdefault(os.path.realpath(file), file)
    return sorted(found.values(), key=_natural_key)


def field_names(paths: Sequence[str | Path]) -> list[str]:
    """Name the fields in files: unique, and fit for file names on every system.

    A field is called as its file, without the suffix. Where several files would share a name (also
    where they differ in case only), the suffix is put behind it for neighbours in one folder, and
    folders before it until all differ; a number is the last resort.

    Parameters
    ----------
    paths : sequence of str or Path
        The files.

    Returns
    -------
    list of str
        One name a file, in the same order. The same files in another order get the same names,
        except where only a number can tell them apart.

    Examples
    --------
    >>> field_names(["a/1.png", "b/1.png", "b/2.png", "b/2.tif"])
    ['a_1', 'b_1', '2-png', '2-tif']
    """
    files = [Path(path) for path in paths]
    names = [_safe(_stem(file.name)) for file in files]
    in_folder = Counter((file.parent, _fold(_stem(file.name))) for file in files)
    stems = [
        # Neighbours of one name differ in their suffixes; no folder could tell them apart.
        _stem(file.name)
        if in_folder[file.parent, _fold(_stem(file.name))] == 1
        else f"{_stem(file.name)}-{file.suffix[1:].lower()}"
        for file in files
    ]
    for level in range(max((len(file.parts) for file in files), default=0)):
        folders = [file.parent.parts[-level:] if level else () for file in files]
        _rename_shared(
            names, [_safe("_".join((*f, s))) for f, s in zip(folders, stems, strict=True)]
        )
    taken = {_fold(name) for name in names}
    for same in _shared(names):
        for number, i in enumerate(same[1:], start=2):
            while _fold(f"{names[i]}-{number}") in taken:
                number += len(names)
            names[i] = f"{names[i]}-{number}"
            taken.add(_fold(names[i]))
    return names


def _files_of(path: str, recursive: bool) -> Iterator[Path]:
    """The files that one path of the user gives."""
    if "\0" in path:
        return
    if Path(path).is_dir():
        yield from _files_in(Path(path), recursive)
    elif os.path.lexists(path):
        yield Path(path)
    elif _PATTERN.search(path):
        says_suffix = bool(re.search(r"\.\w+$", path))
        # "a/**" matches all folders below a by itself.
        enter = recursive and not path.endswith("**")
        for match in map(Path, glob.iglob(path, recursive=True)):  # noqa: PTH207 (absolute, too)
            if match.is_dir():
                yield from _files_in(match, enter)
            elif says_suffix or _is_image_name(match):
                yield match


def _files_in(folder: Path, recursive: bool) -> Iterator[Path]:
    """Pictures by suffix in a folder."""

    def refuse(error: OSError) -> None:
        raise UsageError(
            f"{error.filename}: the folder cannot be listed ({error.strerror}); "
            "ask for the permission, or leave it out"
        ) from error

    for here, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and _is_image_name(Path(name)):
                yield Path(here) / name


def _is_image_name(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES


def _nothing_found(path: str) -> str:
    known = " ".join(sorted(IMAGE_SUFFIXES))
    if "\0" not in path and Path(path).is_dir():
        return f"{path}: no picture in this folder; pictures are files with one of {known}"
    if _PATTERN.search(path):
        return f"{path}: the pattern matches no picture; check it, or name files or a folder"
    return f"{path}: there is no such file or folder; check the name"


def _natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Numbers by value, letters without regard to case; the path itself decides ties."""
    pieces = re.split(r"(\d+)", str(path).casefold())
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in pieces if p], str(path)


def _stem(name: str) -> str:
    """File name without its suffix, and without the ``.ome`` before it."""
    stem = Path(name).stem
    return stem[:-4] if stem.lower().endswith(".ome") and len(stem) > 4 else stem


def _safe(name: str) -> str:
    """A name that every file system takes, of at most 100 characters."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).strip(" .")
    if not name or name.strip("_") == "":
        name = "field"
    if _RESERVED.match(name):
        name = "_" + name
    if len(name.encode()) > _MAX_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: _MAX_NAME - 9].decode(errors="ignore").rstrip(" .") + "-" + digest
    return name


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _shared(names: Sequence[str]) -> list[list[int]]:
    """Indices of the names that are used more than once, a list for each."""
    users: defaultdict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        users[_fold(name)].append(i)
    return [same for same in users.values() if len(same) > 1]


def _rename_shared(names: list[str], longer: Sequence[str]) -> None:
    """Give the longer name to all who share one; those who are alone keep theirs."""
    for same in _shared(names):
        for i in same:
            names[i] = longer[i]
