"""Pictures made of pictures, in one folder: resumable, each file whole, a bad one costs itself."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smearlab.batch.element_files import PICTURES
from smearlab.batch.field_loop import work_through
from smearlab.batch.folder import RECORDS, STATE, OutputFolder, writing
from smearlab.batch.manifest import Input, Manifest, start_time
from smearlab.batch.progress import RunProgress, SilentProgress
from smearlab.batch.records import Content, content_of
from smearlab.batch.run import RunOptions, find_inputs, fingerprints
from smearlab.io.atomic import write_bytes, write_text
from smearlab.io.images import read_field
from smearlab.report.records import FileError
from smearlab.report.tables import spreadsheet_text, write_errors_csv
from smearlab.types import Field

#: Written when all pictures are done.
TABLE, ERRORS = "pictures.csv", "errors.csv"
TABLE_COLUMNS = ("picture", "source", "width_px", "height_px", "um_per_px", "notes")
_SUFFIX = ".json"
_UM_PER_INCH = 25_400.0


@dataclass(frozen=True, eq=False)
class Remade:
    """What was made of a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
    um_per_px : float or None
        Pixel pitch, µm; None where it is not known.
    notes : tuple of str
        What had to be decided.
    """

    pixels: NDArray[np.uint8]
    um_per_px: float | None
    notes: tuple[str, ...] = ()


class PictureMaker(Protocol):
    """Makes one picture of another. Called from several threads."""

    def describe(self) -> Mapping[str, Mapping[str, Any]]:
        """Kind of model → its card, with ``name`` and ``sha256``."""

    def altering(self) -> Mapping[str, Any]:
        """What alters results besides, as plain values, under the names of the command line."""

    def make(self, field: Field) -> Remade:
        """One picture of another; an ImageError costs only this one."""


@dataclass(frozen=True)
class MadePicture:
    """A finished picture, as the run keeps it and as a line of ``pictures.csv`` has it.

    Parameters
    ----------
    name, source : str
        Of the picture that was given.
    width_px, height_px : int
        Of the made picture.
    um_per_px : float or None
        Its pixel pitch, µm; None where it is not known.
    notes : tuple of str
        What was decided in reading the file and in making the picture.
    size : int
        Bytes of the PNG.
    content : Content
        The input file that it was made from.
    """

    name: str
    source: str
    width_px: int
    height_px: int
    um_per_px: float | None
    notes: tuple[str, ...]
    size: int
    content: Content

    @property
    def file(self) -> str:
        """The PNG, relative to the output folder."""
        return picture_file(self.name)


def picture_file(name: str) -> str:
    """The PNG of a picture, relative to the output folder."""
    return f"{PICTURES}/{name}.png"


class MadePictureStore:
    """Finished pictures, a JSON file each, written after the picture itself.

    Parameters
    ----------
    folder : Path
        Where the files lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Pictures of which there is something, sound or not; sorted."""
        return sorted(path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))

    def save(self, picture: MadePicture) -> None:
        """Write one picture's record, whole or not at all."""
        write_bytes(
            self.folder / f"{picture.name}{_SUFFIX}", json.dumps(asdict(picture)).encode("ascii")
        )

    def load(self, name: str) -> MadePicture | None:
        """What is kept of a picture; None when there is nothing, or nothing sound."""
        try:
            body = json.loads((self.folder / f"{name}{_SUFFIX}").read_bytes())
            body["notes"], body["content"] = tuple(body["notes"]), Content(**body["content"])
            kept = MadePicture(**body)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return kept if kept.name == name else None

    def is_done(self, name: str, root: Path) -> bool:
        """Whether a picture is kept here and its PNG is as it was written."""
        kept = self.load(name)
        try:
            return kept is not None and (root / kept.file).stat().st_size == kept.size
        except OSError:
            return False


@dataclass(frozen=True)
class PicturesResult:
    """What a run came to.

    Parameters
    ----------
    folder : Path
        The output folder.
    n_inputs, n_before : int
        Files that were asked for, and those that were done before this call.
    errors : tuple of FileError
        Files that failed, in input order.
    pictures : tuple of MadePicture
        Those that are done, in input order.
    """

    folder: Path
    n_inputs: int
    n_before: int
    errors: tuple[FileError, ...]
    pictures: tuple[MadePicture, ...] = ()


def make_pictures(
    paths: Sequence[str | Path],
    out: str | Path,
    maker: PictureMaker,
    options: RunOptions | None = None,
    *,
    force: bool = False,
    progress: RunProgress | None = None,
    also: Sequence[str] = (),
) -> PicturesResult:
    """Make a picture of every picture, and write them into one folder.

    The same call on the same folder goes on where the last one ended, in whatever way it ended.

    Parameters
    ----------
    paths : sequence of str or Path
        Files, folders, globs.
    out : str or Path
        The output folder; made when missing.
    maker : PictureMaker
        One for all threads.
    options : RunOptions, optional
        How; one picture at a time when its ``jobs`` are left out. Overlays, exports and
        ``simulated`` have no meaning here.
    force : bool
        Begin anew in a folder with the results of another run, or write beside a stranger's
        files. Only files that smearlab wrote are removed.
    progress : RunProgress, optional
        Is told how far the run is.
    also : sequence of str
        Files that the caller is going to write into the folder, so that ``force`` knows them.

    Returns
    -------
    PicturesResult
        Failed files are in its ``errors``; they do not raise.

    Raises
    ------
    UsageError
        If a path gives no picture, or another process works in the folder.
    OutputExistsError
        If the folder holds something else and ``force`` is not set.
    OutputError
        If the results cannot be written.
    RunInterrupted
        On Ctrl-C.
    """
    options, progress = options or RunOptions(), progress or SilentProgress()
    root = Path(out)
    store = MadePictureStore(root / STATE / RECORDS)
    folder = OutputFolder(root, store)
    inputs = find_inputs(paths)
    with folder.claim(force):
        models = fingerprints(maker.describe())
        folder.agree(Manifest(inputs, dict(maker.altering()), models, start_time()), force)
        with writing(root):
            (root / PICTURES).mkdir(exist_ok=True)
            folder.announce([*(picture_file(item.name) for item in inputs), TABLE, ERRORS, *also])
        left = [item for item in inputs if not store.is_done(item.name, root)]
        work = _Work(root, store, maker, options)
        errors = work_through(
            left, work.one, progress, total=len(inputs), threads=options.jobs or 1
        )
        failed = {error.path for error in errors}
        kept = [store.load(item.name) for item in inputs if item.path not in failed]
        done = tuple(one for one in kept if one is not None)
        with writing(root):
            write_text(root / TABLE, _table(done))
            write_errors_csv(root / ERRORS, errors)
    return PicturesResult(root, len(inputs), len(inputs) - len(left), tuple(errors), done)


@dataclass(frozen=True)
class _Work:
    """What is done with one file."""

    root: Path
    store: MadePictureStore
    maker: PictureMaker
    options: RunOptions

    def one(self, item: Input) -> Callable[[], None]:
        """From file to what writes its picture and its record."""
        content = content_of(item.path)
        field = read_field(
            item.path,
            name=item.name,
            um_per_px=self.options.um_per_px,
            max_pixels=self.options.max_pixels,
        )
        made = self.maker.make(field)
        data = _png(made.pixels, made.um_per_px)
        height, width = made.pixels.shape[:2]
        notes = (*field.notes, *made.notes)
        picture = MadePicture(
            item.name, item.path, width, height, made.um_per_px, notes, len(data), content
        )

        def write() -> None:
            with writing(self.root):
                write_bytes(self.root / picture.file, data)
                self.store.save(picture)  # last: from here on the picture is done

        return write


def _png(pixels: NDArray[np.uint8], um_per_px: float | None) -> bytes:
    """A PNG that says its pixel pitch, where that is known."""
    buffer = io.BytesIO()
    dpi = None if um_per_px is None else _UM_PER_INCH / um_per_px
    pitch = {} if dpi is None else {"dpi": (dpi, dpi)}
    Image.fromarray(pixels).save(buffer, "PNG", **pitch)
    return buffer.getvalue()


def _table(pictures: Sequence[MadePicture]) -> str:
    """``pictures.csv``."""
    file = io.StringIO(newline="")
    table = csv.writer(file, lineterminator="\n")
    table.writerow(TABLE_COLUMNS)
    for one in pictures:
        pitch = "" if one.um_per_px is None else f"{one.um_per_px:.6g}"
        source, notes = (spreadsheet_text(text) for text in (one.source, "; ".join(one.notes)))
        table.writerow((one.file, source, one.width_px, one.height_px, pitch, notes))
    return file.getvalue()
