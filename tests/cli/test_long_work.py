"""Errors of long work: a line and an exit status, no traceback."""

from __future__ import annotations

import pytest
import typer

from smearlab.cli.long_work import long_work
from smearlab.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("called wrongly"), 2),
        (DataError("no such picture"), 1),
        (FloatingPointError("step 3: the loss is nan"), 1),
    ],
)
def test_errors_are_a_line_and_a_status(
    error: Exception, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as left, long_work():
        raise error
    assert left.value.exit_code == status
    assert capsys.readouterr().err == f"Error: {error}\n"


def test_what_nobody_foresaw_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), long_work():
        raise ZeroDivisionError
