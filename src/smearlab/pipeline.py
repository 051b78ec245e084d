"""The one file that chains the stages: field → map → instances → types."""

from __future__ import annotations

from dataclasses import dataclass

from smearlab.types import Cell, Field, Labels


@dataclass(frozen=True, eq=False)
class Analysis:
    """The answer for one field."""

    cells: tuple[Cell, ...]
    labels: Labels
    notes: tuple[str, ...] = ()


class Analyzer:
    """Chains a segmenter and a classifier; thread-safe, so one serves all workers."""

    @classmethod
    def load(
        cls, segmenter: str = "default", classifier: str = "default", threads: int = 1
    ) -> Analyzer:
        """Load bundles by name or folder; ``threads`` per network call."""
        raise NotImplementedError

    def analyze(self, field: Field) -> Analysis:
        """Find, split and type the cells of one field."""
        raise NotImplementedError
