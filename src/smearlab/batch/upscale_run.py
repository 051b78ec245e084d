"""Many pictures made larger into one folder: resumable, each file whole, a bad one costs itself."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
from smearlab.errors import ImageError
from smearlab.io.atomic import write_bytes, write_text
from smearlab.io.images import read_field
from smearlab.report.records import FileError
from smearlab.report.tables import spreadsheet_text, write_errors_csv
from smearlab.upscale.upscaler import Upscaler

#: Written when all pictures are done.
TABLE, ERRORS = "pictures.csv", "errors.csv"
TABLE_COLUMNS = ("picture", "source", "width_px", "height_px", "um_per_px", "notes")
_SUFFIX = ".json"
_UM_PER_INCH = 25_400.0


@dataclass(frozen=True)
class LargerPicture:
    """A finished picture, as the run keeps it and as a line of ``pictures.csv`` has it.

    Parameters
    ----------
    name, source : str
        Of the picture that was given.
    width_px, height_px : int
        Of the larger picture.
    um_per_px : float or None
        Pixel pitch of the larger picture, µm; None where that of the given one is not known.
    notes : tuple of str
        What was decided in reading the file.
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


class LargerPictureStore:
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

    def save(self, picture: LargerPicture) -> None:
        """Write one picture's record, whole or not at all."""
        write_bytes(
            self.folder / f"{picture.name}{_SUFFIX}", json.dumps(asdict(picture)).encode("ascii")
        )

    def load(self, name: str) -> LargerPicture | None:
        """What is kept of a picture; None when there is nothing, or nothing sound."""
        try:
            body = json.loads((self.folder / f"{name}{_SUFFIX}").read_bytes())
            body["notes"], body["content"] = tuple(body["notes"]), Content(**body["content"])
            kept = LargerPicture(**body)
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
class UpscaleResult:
    """What a run came to.

    Parameters
    ----------
    folder : Path
        The output folder.
    n_inputs, n_before : int
        Files that were asked for, and those that were done before this call.
    errors : tuple of FileError
        Files that failed, in input order.
    """

    folder: Path
    n_inputs: int
    n_before: int
    errors: tuple[FileError, ...]


def upscale_files(
    paths: Sequence[str | Path],
    out: str | Path,
    upscaler: Upscaler,
    options: RunOptions | None = None,
    *,
    force: bool = False,
    progress: RunProgress | None = None,
) -> UpscaleResult:
    """Make pictures larger, and write them into one folder.

    The same call on the same folder goes on where the last one ended, in whatever way it ended.

    Parameters
    ----------
    paths : sequence of str or Path
        Files, folders, globs.
    out : str or Path
        The output folder; made when missing.
    upscaler : Upscaler
        One for all threads.
    options : RunOptions, optional
        How; one picture at a time when its ``jobs`` are left out. Overlays, exports and
        ``simulated`` have no meaning here.
    force : bool
        Begin anew in a folder with the results of another run, or write beside a stranger's
        files. Only files that smearlab wrote are removed.
    progress : RunProgress, optional
        Is told how far the run is.

    Returns
    -------
    UpscaleResult
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
    store = LargerPictureStore(root / STATE / RECORDS)
    folder = OutputFolder(root, store)
    inputs = find_inputs(paths)
    with folder.claim(force):
        models = fingerprints({"upscaler": upscaler.card})
        folder.agree(Manifest(inputs, _altering(upscaler, options), models, start_time()), force)
        with writing(root):
            (root / PICTURES).mkdir(exist_ok=True)
            folder.announce([*(picture_file(item.name) for item in inputs), TABLE, ERRORS])
        left = [item for item in inputs if not store.is_done(item.name, root)]
        work = _Work(root, store, upscaler, options)
        errors = work_through(
            left, work.one, progress, total=len(inputs), threads=options.jobs or 1
        )
        failed = {error.path for error in errors}
        done = [store.load(item.name) for item in inputs if item.path not in failed]
        with writing(root):
            write_text(root / TABLE, _table([one for one in done if one is not None]))
            write_errors_csv(root / ERRORS, errors)
    return UpscaleResult(root, len(inputs), len(inputs) - len(left), tuple(errors))


def _altering(upscaler: Upscaler, options: RunOptions) -> dict[str, Any]:
    """What alters results, under the names of the command line."""
    return {
        "command": "upscale",
        "--factor": upscaler.factor,
        "--um-per-px": options.um_per_px,
        "--max-pixels": options.max_pixels,
    }


@dataclass(frozen=True)
class _Work:
    """What is done with one file."""

    root: Path
    store: LargerPictureStore
    upscaler: Upscaler
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
        by, most = self.upscaler.factor, self.options.max_pixels
        if by * by * field.width_px * field.height_px > most:
            raise ImageError(
                f"{item.path}: {by} times as wide it would have {by * field.width_px} × "
                f"{by * field.height_px} px, more than {most}; cut it, or raise --max-pixels"
            )
        larger = self.upscaler.upscale(field.pixels)
        um_per_px = None if field.um_per_px is None else field.um_per_px / by
        data = _png(larger, um_per_px)
        height, width = larger.shape[:2]
        picture = LargerPicture(
            item.name, item.path, width, height, um_per_px, field.notes, len(data), content
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


def _table(pictures: Sequence[LargerPicture]) -> str:
    """``pictures.csv``."""
    file = io.StringIO(newline="")
    table = csv.writer(file, lineterminator="\n")
    table.writerow(TABLE_COLUMNS)
    for one in pictures:
        pitch = "" if one.um_per_px is None else f"{one.um_per_px:.6g}"
        source, notes = (spreadsheet_text(text) for text in (one.source, "; ".join(one.notes)))
        table.writerow((one.file, source, one.width_px, one.height_px, pitch, notes))
    return file.getvalue()
