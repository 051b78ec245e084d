"""How commands say what went wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import typer


@contextlib.contextmanager
def said_plainly() -> Iterator[None]:
    """Our own errors, and those of the disk, as one line on the error stream; exit status 2."""
    from smearlab.errors import SmearlabError

    try:
        yield
    except (SmearlabError, OSError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from error
