"""What commands of long work share: errors as a line, Ctrl-C with a word, progress."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from smearlab.batch.progress import RunProgress


@contextlib.contextmanager
def long_work() -> Iterator[None]:
    """Errors of ours as one line and an exit status; Ctrl-C as a line that says what to do."""
    from smearlab.errors import SmearlabError, UsageError

    try:
        yield
    except UsageError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from error
    except (SmearlabError, FloatingPointError) as error:  # the second: a training diverged
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as stop:
        _leave(f" ({stop})" if str(stop) else "")


def _leave(how_far: str) -> NoReturn:
    """End at once: a thread may be inside a network call that cannot be called off."""
    typer.echo(f"Stopped{how_far}. The same command goes on from here.", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(130)


@contextlib.contextmanager
def shown_progress(quiet: bool) -> Iterator[RunProgress]:
    """A bar on a terminal, lines in a log, nothing where ``quiet``."""
    from rich.console import Console

    from smearlab.batch.progress import BarProgress, LogProgress, SilentProgress

    if quiet:
        yield SilentProgress()
    elif sys.stderr.isatty():
        with BarProgress(Console(stderr=True)) as bar:
            yield bar
    else:
        yield LogProgress()
