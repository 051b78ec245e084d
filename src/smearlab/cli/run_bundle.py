"""What ``smearlab train`` does with a finished run that becomes a bundle at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from smearlab.cli.first_process import tell

if TYPE_CHECKING:
    from smearlab.learn.run_asked import Asked


class Said(Protocol):
    """What a finished run says of itself."""

    def said(self) -> str:
        """In a line."""
        ...


class Finished(Protocol):
    """A finished run."""

    @property
    def summary(self) -> Said:
        """Its figures."""
        ...


Run = TypeVar("Run", bound=Finished)


def make_run_bundle(
    run: Path,
    asked: Asked,
    bundles: Path | None,
    opened: Callable[[Path], Run],
    export: Callable[[Run, Path], object],
) -> None:
    """Tell the run, its figures and its bundle, which is made unless it is there.

    Parameters
    ----------
    run : Path
    asked : Asked
    bundles : Path or None
        Folder for the bundles, which are called as their runs; ``RUN/bundle`` when left out.
    opened, export : callable
        Take the run up again, and write its bundle. In the first process only.
    """
    from smearlab.learn.train.hardware import is_first_process

    tell(str(run))
    if not is_first_process():
        return
    finished = opened(run)
    asked.say(finished.summary.said())
    folder = run / "bundle" if bundles is None else bundles / run.name
    if not (folder / "card.json").is_file():
        export(finished, folder)
    tell(str(folder))
