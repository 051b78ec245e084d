"""The output folder: whose it is, who is writing to it, and what smearlab wrote there.

::

    DIR/cells.csv counts.json report.html errors.csv
    DIR/overlays/<field>.png           analyze
    DIR/pictures/<field>.….png         segment
    DIR/annotations/…                  on request
    DIR/.smearlab/run.json             the run: inputs, options, models
    DIR/.smearlab/outputs.json         which files were written, and how they looked then
    DIR/.smearlab/records/<field>.record
    DIR/.smearlab/lock
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from smearlab.batch.element_files import ELEMENT_TABLES, PICTURES, picture_files
from smearlab.batch.manifest import (
    Input,
    Manifest,
    changed_inputs,
    differences,
    read_manifest,
    write_manifest,
)
from smearlab.batch.records import Content, RecordStore, content_of
from smearlab.errors import ImageError, OutputError, OutputExistsError, UsageError
from smearlab.io.atomic import remove_leftovers, write_bytes
from smearlab.io.locks import take_lock

STATE = ".smearlab"
OVERLAYS = "overlays"
ANNOTATIONS = "annotations"
TABLES = ("cells.csv", "counts.json", "report.html", "errors.csv")

#: Folder of the records, in the state.
RECORDS = "records"
_FOLDERS = (OVERLAYS, PICTURES, ANNOTATIONS)
_REMEDY = "choose another --out, or --force to begin anew in this one"


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn the system's errors while results are written into an :class:`OutputError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            remedy = "free some space and start the same command again: it goes on from here"
            raise OutputError(f"the disk of {folder} is full; {remedy}") from error
        raise OutputError(f"results cannot be written to {folder}: {error}") from error


@dataclass(frozen=True)
class Outcome:
    """What a finished run came to.

    Parameters
    ----------
    failures : tuple of (str, str)
        Path and reason of every file that failed, in input order.
    pooled : mapping
        Counts over all fields, as plain numbers.
    exports : tuple of str
        Annotation formats that were written.
    """

    failures: tuple[tuple[str, str], ...]
    pooled: Mapping[str, Any]
    exports: tuple[str, ...] = ()


class FieldStore(Protocol):
    """Where a run keeps what it knows of finished fields: a file for each."""

    folder: Path

    def names(self) -> list[str]:
        """Fields of which there is something, sound or not."""

    def load(self, name: str) -> HasContent | None:
        """What is kept of a field; None when there is nothing, or nothing sound."""


class HasContent(Protocol):
    """What is kept of a field names the file that it was made from."""

    @property
    def content(self) -> Content:
        """Of the input file."""


class OutputFolder:
    """One output folder.

    Parameters
    ----------
    root : Path
        DIR of ``--out``; need not exist yet.
    store : FieldStore, optional
        Keeps what is known of finished fields; by default :attr:`records`.
    """

    def __init__(self, root: Path, store: FieldStore | None = None) -> None:
        self.root = root
        self.state = root / STATE
        self.manifest_path = self.state / "run.json"
        self.records = RecordStore(self.state / RECORDS)
        self.store: FieldStore = store or self.records
        self._outputs_path = self.state / "outputs.json"

    @contextlib.contextmanager
    def claim(self, force: bool) -> Iterator[None]:
        """Make the folder and hold it: no second process writes there meanwhile.

        Parameters
        ----------
        force : bool
            Also accept a folder that holds something which is not smearlab's.

        Raises
        ------
        OutputExistsError
            If the folder holds something else and ``force`` is not set.
        UsageError
            If another smearlab is at work there, or DIR is a file.
        OutputError
            If it cannot be made.
        """
        if self.root.exists() and not self.root.is_dir():
            raise UsageError(f"--out {self.root} is a file; name a folder")
        if not self.manifest_path.exists():
            self._refuse_strangers(force)
        with writing(self.root):
            self.store.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor, self.root)
            with writing(self.root):
                self._remove_leftovers()
            yield
        finally:
            os.close(descriptor)  # which also unlocks

    def agree(self, asked: Manifest, force: bool) -> Manifest:
        """Find out whether a command goes on with what lies here, and write its manifest.

        Parameters
        ----------
        asked : Manifest
            What the command wants.
        force : bool
            Begin anew where the command differs from what lies here. The same command is
            continued, forced or not.

        Returns
        -------
        Manifest
            ``asked``; with the start of the earlier run when it is continued.

        Raises
        ------
        OutputExistsError
            If the folder holds the results of something else and ``force`` is not set.
        """
        try:
            held = read_manifest(self.manifest_path)
        except OutputExistsError:
            if not force:
                raise
            held = None
        if held is None:  # nothing is known of what may lie here
            self._remove_written()
        elif differing := differences(held, asked) or self._altered(held, asked):
            if not force:
                listed = "\n".join(f"  - {line}" for line in differing)
                raise OutputExistsError(
                    f"{self.root} holds the results of another run:\n{listed}\n{_REMEDY}"
                )
            self._remove_written()
        else:
            asked = replace(asked, started=held.started)
        with writing(self.root):
            if held is None or held.to_json() != asked.to_json():
                write_manifest(self.manifest_path, asked)
        return asked

    def is_done(self, name: str, *, overlay: bool = True, thorough: bool = True) -> bool:
        """Whether a field has a record, and the overlay that belongs to it.

        Parameters
        ----------
        name : str
            Name of the field.
        overlay : bool
            Whether the run writes overlays.
        thorough : bool
            Whether the record's checksum and the overlay's size are verified as well; the record
            has to be read whole for that.
        """
        picture = self.root / overlay_file(name)
        if not thorough:
            return self.records.path(name).exists() and (picture.exists() or not overlay)
        stored = self.records.load(name, thumbnails=False)
        if stored is None:
            return False
        try:
            return not overlay or picture.stat().st_size == stored.overlay_size
        except OSError:
            return False

    def announce(self, files: Sequence[str]) -> None:
        """Note which files are about to be written, so that ``--force`` knows them later."""
        written = [*self._finished().get("files", {}), *files]
        self._note({"files": dict.fromkeys(written)})

    def complete(self, files: Sequence[str], outcome: Outcome) -> None:
        """Note what the run came to, and how the files look that it has written."""
        earlier = dict.fromkeys(self._finished().get("files", {}))
        looks = {file: _look(self.root / file) for file in files}
        self._note({**asdict(outcome), "files": {**earlier, **looks}})

    def outcome(self, exports: Sequence[str]) -> Outcome | None:
        """What the finished run came to.

        Parameters
        ----------
        exports : sequence of str
            Annotation formats that it is to have written.

        Returns
        -------
        Outcome or None
            None when no run has finished here, one of its files is missing or was altered, or it
            did not write these formats.
        """
        finished = self._finished()
        if "pooled" not in finished or not set(exports) <= set(finished["exports"]):
            return None
        for file, look in finished["files"].items():
            if look is not None and look != _look(self.root / file):
                return None
        failures = tuple((path, reason) for path, reason in finished["failures"])
        return Outcome(failures, finished["pooled"], tuple(finished["exports"]))

    def _refuse_strangers(self, force: bool) -> None:
        present = sorted(p.name for p in self.root.iterdir()) if self.root.is_dir() else []
        # Hidden files are what file managers leave in any folder that was looked at.
        strangers = [name for name in present if not name.startswith(".")]
        if strangers and not force:
            raise OutputExistsError(
                f"{self.root} holds {_first(strangers)}, which smearlab did not write; choose "
                "another --out, or --force to write beside it"
            )
        taken = [name for name in strangers if name in (*TABLES, *ELEMENT_TABLES, *_FOLDERS)]
        if taken:
            raise OutputExistsError(
                f"{self.root} holds {_first(taken)}, which smearlab did not write and would have "
                "to replace; move it away or choose another --out"
            )

    def _altered(self, held: Manifest, asked: Manifest) -> list[str]:
        """Analysed files whose content is no longer what was analysed."""
        return [
            f"{item.path} has changed since it was analysed"
            for item in changed_inputs(held, asked)
            if (stored := self.store.load(item.name)) is not None
            and _content_now(item) != stored.content
        ]

    def _remove_written(self) -> None:
        """Remove what smearlab wrote here, the manifest last: a kill meanwhile leaves it."""
        with writing(self.root):
            own = self._own_files()
            shutil.rmtree(self.store.folder)
            self.store.folder.mkdir()
            for path in own:
                path.unlink(missing_ok=True)
            for folder in sorted({path.parent for path in own} - {self.root}, reverse=True):
                with contextlib.suppress(OSError):  # it holds something of the user's, or is gone
                    folder.rmdir()
            with contextlib.suppress(OSError):
                (self.root / ANNOTATIONS).rmdir()
            self._outputs_path.unlink(missing_ok=True)
            self.manifest_path.unlink(missing_ok=True)

    def _own_files(self) -> list[Path]:
        """Every file that smearlab wrote, but for its state."""
        names = self.store.names()
        with contextlib.suppress(OutputExistsError):
            if held := read_manifest(self.manifest_path):
                names = [*names, *(item.name for item in held.inputs)]
        files = {*self._finished().get("files", {}), *(overlay_file(name) for name in names)}
        files.update(file for name in names for file in picture_files(name))
        # Whoever edited the state must not make smearlab delete anything elsewhere.
        inside = [f for f in map(Path, sorted(files)) if ".." not in f.parts and not f.anchor]
        return [self.root / file for file in inside]

    def _remove_leftovers(self) -> None:
        pictures = (self.root / OVERLAYS, self.root / PICTURES)
        for folder in (self.root, self.state, self.store.folder, *pictures):
            remove_leftovers(folder)
        annotations = self.root / ANNOTATIONS
        if annotations.is_dir():
            for folder in (annotations, *(p for p in annotations.rglob("*") if p.is_dir())):
                remove_leftovers(folder)

    def _finished(self) -> dict[str, Any]:
        try:
            finished = json.loads(self._outputs_path.read_bytes())
        except (OSError, ValueError):
            return {}
        return finished if isinstance(finished, dict) else {}

    def _note(self, finished: dict[str, Any]) -> None:
        write_bytes(self._outputs_path, json.dumps(finished, indent=0).encode("ascii"))


def is_overlay(path: Path) -> bool:
    """Whether smearlab itself has made a picture: an overlay or a segmented one."""
    made = path.parent.name in (OVERLAYS, PICTURES)
    return made and (path.parent.parent / STATE / "run.json").exists()


def overlay_file(name: str) -> str:
    """Path of a field's overlay, relative to the output folder."""
    return f"{OVERLAYS}/{name}.png"


def _content_now(item: Input) -> Content | None:
    try:
        return content_of(item.path)
    except ImageError:
        return None


def _look(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _lock(descriptor: int, root: Path) -> None:
    """Lock the run for this process, until it ends in whatever way."""
    if holder := take_lock(descriptor):
        raise UsageError(
            f"another smearlab (process {holder}) is writing to {root}; wait for it, or choose "
            "another --out"
        )
