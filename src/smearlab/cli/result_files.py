"""Files that commands write their figures to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer


def refuse_unwritable(files: Mapping[str, Path | None]) -> None:
    """Refuse result files that cannot be written before the long work, not after.

    Parameters
    ----------
    files : mapping of str to Path or None
        Option → file; None where it was not given.

    Raises
    ------
    UsageError
        If one is a folder, or its folder is not there.
    """
    from smearlab.errors import UsageError

    for option, path in files.items():
        if path is None:
            continue
        if path.is_dir():
            raise UsageError(f"{option} {path} is a folder; name a file in it")
        if not path.parent.is_dir():
            raise UsageError(
                f"{option} {path}: the folder {path.parent} is not there; make it first"
            )


def write_figures(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures as JSON with the version of the program, and say where.

    Parameters
    ----------
    path : Path
    figures : mapping
        What JSON can hold, without NaN.

    Raises
    ------
    typer.Exit
        With status 1, if the file cannot be written.
    """
    import json

    from smearlab import __version__
    from smearlab.io.atomic import write_text

    whole = {**figures, "smearlab": __version__}
    text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        write_text(path, text + "\n")
    except OSError as problem:
        typer.echo(f"Error: {path} cannot be written: {problem.strerror}", err=True)
        raise typer.Exit(1) from problem
    typer.echo(f"figures: {path}")
