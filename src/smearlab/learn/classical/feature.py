"""What a feature is: a named number with a unit and a range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from smearlab.errors import UsageError

Group = Literal["shape", "colour", "texture", "gradients"]


@dataclass(frozen=True)
class Feature:
    """A column of the feature table.

    Parameters
    ----------
    name : str
    group : {"shape", "colour", "texture", "gradients"}
    unit : str
        ``"1"`` for ratios.
    low, high : float
        Range of what is measured, both ends included.
    meaning : str
        NaN where what it measures is not there is said here.
    """

    name: str
    group: Group
    unit: str
    low: float
    high: float
    meaning: str

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise UsageError(
                f"the range of {self.name} must not be empty; received {self.low} to {self.high}"
            )


def names_of(features: Sequence[Feature]) -> tuple[str, ...]:
    """Names, in the order of the columns."""
    return tuple(feature.name for feature in features)
