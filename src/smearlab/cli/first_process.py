"""What a command says, once, of however many processes ``torchrun`` started."""

from __future__ import annotations

import typer


def tell(line: str, *, err: bool = False) -> None:
    """Print a line, if this is the first process of a training.

    Parameters
    ----------
    line : str
    err : bool
        On the error stream.
    """
    from smearlab.learn.train.hardware import is_first_process

    if is_first_process():
        typer.echo(line, err=err)
