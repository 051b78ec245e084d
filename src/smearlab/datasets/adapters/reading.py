"""From a folder to the rows of a manifest: find the pictures, then hash and measure each."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from smearlab.datasets.adapters.base import Adapter, Found, element_masks
from smearlab.datasets.adapters.tree import Tree, open_tree
from smearlab.errors import AnnotationError, DataError, ImageError
from smearlab.io import exif
from smearlab.io.hush import hushed
from smearlab.io.image_formats import foreign_kind, identify, suffix_note
from smearlab.io.images import read_field

Row = dict[str, Any]
_HEADERS: Mapping[str, Callable[..., Any]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
    "WebP": WebPImageFile,
}
#: What a whole file holds near its end; a preview in its beginning may hold it, too.
_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}
#: Files that lie beside pictures everywhere.
_EVERYWHERE = (
    *("readme*", "licen[cs]e*", "citation*", "changelog*", "*.md", "*.rst", "*.html", "*.pdf"),
    *("manifest.csv", "fetched.json", "classes.txt", "data.yaml", "thumbs.db", "desktop.ini"),
)


@dataclass(frozen=True)
class Problem:
    """Something wrong with one picture.

    Parameters
    ----------
    path : str
        The picture, relative to the folder.
    kind : {"picture", "annotation", "mask", "suffix"}
        A picture or an annotation that cannot be read costs the picture its row; a mask that
        cannot be read or has another size, and a wrong suffix, do not.
    reason : str
        What is wrong.
    """

    path: str
    kind: Literal["picture", "annotation", "mask", "suffix"]
    reason: str


@dataclass(frozen=True)
class Survey:
    """What an adapter found in a folder, before any picture is opened.

    Parameters
    ----------
    adapter : Adapter
    tree : Tree
    found : tuple of Found
    left : tuple of str
        Files that no rule of the adapter understands.
    """

    adapter: Adapter
    tree: Tree
    found: tuple[Found, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """The rows of a set, and what is wrong with it.

    Parameters
    ----------
    survey : Survey
        What they were made of.
    rows : list of dict
        For :meth:`smearlab.datasets.manifest.table.Manifest.from_rows`, in the order of the paths.
    problems : tuple of Problem
        In the same order.
    """

    survey: Survey
    rows: list[Row]
    problems: tuple[Problem, ...]

    @property
    def lost(self) -> tuple[Problem, ...]:
        """Problems that cost a picture its row."""
        return tuple(one for one in self.problems if one.kind in ("picture", "annotation"))


def survey(adapter: Adapter, folder: str | Path) -> Survey:
    """Find the pictures of a set in a folder.

    Raises
    ------
    UsageError
        If there is no such folder.
    DataError
        If it does not hold this set, or a picture has a label that the set does not have.
    """
    tree = open_tree(folder)
    found = tuple(sorted(adapter.find(tree), key=lambda one: one.path))
    if not found:
        half = [path for path in tree.files if path.endswith(".part")]
        more = (
            f". {half[0]} is a half-finished download: run smearlab data fetch again, which goes "
            "on where it stopped, and unpacks"
            if half
            else ""
        )
        raise DataError(
            f"{tree.root} does not hold {adapter.name}. Expected: {adapter.layout}. "
            f"Found: {tree.summary()}{more}"
        )
    for one in found:
        _check_label(adapter.classes, one.label, f"{tree.root / one.path}", adapter.name)
    understood = {path for one in found for path in (one.path, *one.used)}
    patterns = (*_EVERYWHERE, *(pattern.lower() for pattern in adapter.beside))
    left = [
        path
        for path in tree.files
        if path not in understood and not _matches(path.lower(), patterns)
    ]
    return Survey(adapter, tree, found, (*left, *tree.hidden))


def measure(
    what: Survey,
    *,
    jobs: int = 4,
    decode: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> Reading:
    """Hash every picture and read its size; only headers are decoded.

    Parameters
    ----------
    what : Survey
        See :func:`survey`.
    jobs : int
        Threads.
    decode : bool
        Decode every picture to its last pixel, which finds what a header hides.
    advance : callable
        Called after each picture, from one thread.

    Raises
    ------
    DataError
        If a box has a label that the set does not have, or no picture could be read.
    """

    def one(found: Found) -> tuple[Row | None, tuple[Problem, ...]]:
        return _measure_one(what.adapter, what.tree.root, found, decode)

    rows: list[Row] = []
    problems: list[Problem] = []
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for row, wrong in pool.map(one, what.found):
                if row is not None:
                    rows.append(row)
                problems.extend(wrong)
                advance()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if not rows:
        first = problems[0]
        raise DataError(
            f"none of the {len(what.found)} pictures in {what.tree.root} can be read; "
            f"{first.path}: {first.reason}"
        )
    return Reading(what, rows, tuple(problems))


def read_archive(adapter: Adapter, folder: str | Path, *, jobs: int = 4) -> Reading:
    """Find and measure in one step; see :func:`survey` and :func:`measure`.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> from smearlab.datasets.adapters.registry import ADAPTERS
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "blast").mkdir()
    >>> Image.new("RGB", (64, 48)).save(folder / "blast" / "1.png")
    >>> reading = read_archive(ADAPTERS["folder"], folder)
    >>> [(row["path"], row["label"], row["width_px"]) for row in reading.rows]
    [('blast/1.png', 'blast', 64)]
    """
    return measure(survey(adapter, folder), jobs=jobs)


def _matches(path: str, patterns: Sequence[str]) -> bool:
    name = path.rsplit("/", 1)[-1]
    return any(fnmatchcase(name, one) or fnmatchcase(path, one) for one in patterns)


def _check_label(known: Sequence[str], label: str | None, where: str, name: str) -> None:
    if label is not None and known and label not in known:
        raise DataError(
            f"{where} has the label {label!r}, which {name} does not have; its labels are "
            f"{', '.join(known)}. Remove the file, or import your own set as 'folder'"
        )


def _measure_one(
    adapter: Adapter, root: Path, found: Found, decode: bool
) -> tuple[Row | None, tuple[Problem, ...]]:
    file = root / found.path
    try:
        data = file.read_bytes()
        kind, width, height = _header(data)
        if decode:
            read_field(file)
    except (OSError, ValueError, ImageError) as error:
        reason = str(error).removeprefix(f"{file}: ")
        return None, (Problem(found.path, "picture", reason),)
    notes = tuple(Problem(found.path, "suffix", note) for note in suffix_note(found.path, kind))
    notes += tuple(_mask_problems(root, found, width, height))
    try:
        more = found.complete(width, height) if found.complete else {}
    except AnnotationError as error:
        return None, (*notes, Problem(found.path, "annotation", str(error)))
    for box in more.get("boxes") or ():
        _check_label(adapter.box_classes, box["label"], f"a box of {file}", adapter.name)
    columns = ("path", "label", "subtype", "source", "source_image", "group", "patient")
    row: Row = {
        **{column: getattr(found, column) for column in (*columns, "published_split", "mask")},
        "sha256": hashlib.sha256(data).hexdigest(),
        "dataset": adapter.name,
        "width_px": width,
        "height_px": height,
        "um_per_px": adapter.um_per_px,
        "stain": adapter.stain,
        **more,
    }
    return row, notes


def _mask_problems(root: Path, found: Found, width: int, height: int) -> Iterator[Problem]:
    """Masks that cannot be read, or have another size than the picture."""
    if found.mask is None:
        return
    for file in element_masks(root, found.mask).values() or (root / found.mask,):
        name = file.relative_to(root).as_posix()
        try:
            _, *size = _header(file.read_bytes())
        except (OSError, ValueError) as error:
            yield Problem(found.path, "mask", f"its mask {name} cannot be read ({error})")
            continue
        if size != [width, height]:
            is_of = f"{size[0]}×{size[1]} px, the picture of {width}×{height}"
            yield Problem(found.path, "mask", f"its mask {name} is of {is_of}")


def _header(data: bytes) -> tuple[str, int, int]:
    """Format, width and height of a picture as a person sees it; nothing is decoded.

    Raises
    ------
    ValueError
        If it is no picture, or its beginning or its end is missing.
    """
    if not data:
        raise ValueError("the file is empty (0 bytes)")
    kind = identify(data[:16])
    if kind is None:
        raise ValueError(f"it is {foreign_kind(data[:16])}, not a picture")
    if kind in _ENDS and _ENDS[kind] not in data[len(data) // 2 :]:
        raise ValueError(f"truncated {kind} data: its end is missing")
    try:
        with hushed():
            image: Any = _HEADERS[kind](io.BytesIO(data))
    except Exception as error:  # strangers' bytes: the kinds of exception are Pillow's
        detail = " ".join(str(error).split())[:120] or type(error).__name__
        raise ValueError(f"damaged {kind} data ({detail})") from error
    width, height = image.size
    if exif.orientation(exif.first_directory(image.info.get("exif", b""))) >= 5:
        width, height = height, width
    return kind, width, height
