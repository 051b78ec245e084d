"""What has been done already: a line a picture, so that an interrupted run goes on."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from smearlab.errors import OutputExistsError
from smearlab.io.atomic import write_text


@dataclass(eq=False)
class Journal:
    """Entries by the path of a picture.

    A line is added when the files it names are on the disk. A line that a crash left unfinished
    is dropped when the journal is opened again.
    """

    _entries: dict[str, dict[str, Any]]
    _file: IO[str]

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, path: Path, settings: Mapping[str, Any], made: tuple[str, str]
    ) -> Iterator[Journal]:
        """Begin a journal, or take up an earlier one.

        Parameters
        ----------
        path : Path
            Its folder is made if it is missing.
        settings : mapping
            What the entries depend on.
        made : tuple of str
            What the entries are about and how it came about, e.g. ``("cells", "cut")``; for
            messages.

        Raises
        ------
        OutputExistsError
            If the folder holds something else, or a journal of other settings.
        """
        before = cls._read(path, settings, made)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"settings": settings}, sort_keys=True)]
        lines += [json.dumps({"path": key, **entry}) for key, entry in before.items()]
        write_text(path, "".join(f"{line}\n" for line in lines))
        with path.open("a", encoding="utf-8", newline="") as file:
            yield cls(before, file)

    @staticmethod
    def _read(
        path: Path, settings: Mapping[str, Any], made: tuple[str, str]
    ) -> dict[str, dict[str, Any]]:
        if not path.exists():
            if path.parent.is_file() or (path.parent.is_dir() and any(path.parent.iterdir())):
                raise OutputExistsError(f"{path.parent} exists and is not empty; name a new folder")
            return {}
        entries: dict[str, dict[str, Any]] = {}
        first: dict[str, Any] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                break
            if not first:
                first = entry
            else:
                entries[entry.pop("path")] = entry
        (things, done), written = made, first.get("settings")
        if written is None:
            raise OutputExistsError(f"{path} is no list of {done} {things}; name a new folder")
        for name, value in settings.items():
            if written.get(name) != value:
                raise OutputExistsError(
                    f"{path.parent} holds {things} {done} with {name} {written.get(name)}, not "
                    f"{value}; name a new folder"
                )
        return entries

    def get(self, path: str) -> dict[str, Any] | None:
        """What was done with a picture; None if nothing yet."""
        return self._entries.get(path)

    def entries(self) -> list[tuple[str, dict[str, Any]]]:
        """Paths and entries of all pictures, in the order in which they were done."""
        return list(self._entries.items())

    def add(self, path: str, entry: dict[str, Any]) -> None:
        """Note what was done with a picture."""
        self._entries[path] = entry
        self._file.write(json.dumps({"path": path, **entry}) + "\n")
        self._file.flush()
