"""What the configurations of all classifiers check."""

from __future__ import annotations

from smearlab.errors import UsageError


def check_classes(classes: int) -> None:
    """A classifier tells two or more classes apart.

    Parameters
    ----------
    classes : int

    Raises
    ------
    UsageError
        If there are fewer than two.
    """
    if classes < 2:
        raise UsageError(f"classes must be at least 2; received {classes}")


def check_dropout(dropout: float) -> None:
    """Dropout lies in [0, 1): at 1 nothing would be left.

    Parameters
    ----------
    dropout : float
        Share of numbers dropped.

    Raises
    ------
    UsageError
        If it lies outside.
    """
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout must lie within [0, 1); received {dropout}")


def check_side(input_px: int, least_px: int) -> None:
    """The pools of a network leave something of its input.

    Parameters
    ----------
    input_px, least_px : int
        Side of the input, and the smallest that works.

    Raises
    ------
    UsageError
        If the side is smaller.
    """
    if input_px < least_px:
        raise UsageError(f"input_px must be at least {least_px}; received {input_px}")
