"""What a finished training of a network from stain to stain says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smearlab.learn.run_summary import Progress, is_run_of, load_summary, save_summary

#: In the place of a classifier's ``kind`` in ``config.json`` and ``summary.json``.
KIND = "stain"
_TUPLES = ("stains", "ways", "types", "datasets", "deviations", "warnings")


@dataclass(frozen=True)
class StainSummary(Progress):
    """``summary.json`` of a run: its progress, and what follows.

    Parameters
    ----------
    recipe : str
    protocol : {"paper", "honest"}
    stains : tuple of str
        A and B.
    ways : tuple of str
        ``a_to_b``, and ``b_to_a`` if there are both.
    types : tuple of str
        Of the pictures that were learned from.
    networks : mapping of str to mapping
        ``trainable`` and ``other`` numbers of each network.
    pictures : mapping of str to mapping
        Part → stain → how many.
    seed : int
    features : str
        The network that the Fréchet distances are of.
    figures : mapping of str to mapping
        ``value``, ``low``, ``high`` of each figure on test pictures; None where undefined. See
        :func:`smearlab.evaluation.stain_figures.stain_figures`.
    judged : mapping of str to int
        Stain → pictures that these are of.
    teacher : mapping or None
        ``name`` and ``sha256`` of the bundle that taught; None without one.
    datasets : tuple of str
        Sets that were learnt from.
    reported : mapping
    deviations, warnings : tuple of str
        Where the recipe departs from its paper; what the loop found wrong.
    kind : str
    """

    recipe: str
    protocol: str
    stains: tuple[str, ...]
    ways: tuple[str, ...]
    types: tuple[str, ...]
    networks: Mapping[str, Mapping[str, int]]
    pictures: Mapping[str, Mapping[str, int]]
    seed: int
    features: str
    figures: Mapping[str, Mapping[str, float | None]]
    judged: Mapping[str, int]
    teacher: Mapping[str, str] | None
    datasets: tuple[str, ...]
    reported: Mapping[str, Any]
    deviations: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    kind: str = KIND

    def save(self, run: Path) -> None:
        """Write it in the run folder."""
        save_summary(run, self)

    def said(self) -> str:
        """The figures in a line."""
        a, b = self.stains
        parts = [
            f"FID to {b} {self._value('fid_made_b', 2)}, raw {self._value('fid_raw', 2)}",
            *(
                f"{words} {self._value(name, 4)}"
                for name, words in (
                    ("ssim_back_a", f"SSIM of {a} there and back"),
                    ("ssim_back_b", f"of {b}"),
                    ("ssim_taught", "SSIM to the teacher"),
                )
                if name in self.figures
            ),
        ]
        n = " and ".join(str(number) for number in self.judged.values())
        return f"{self.recipe}: {'; '.join(parts)}; on {n} test pictures"

    def _value(self, name: str, digits: int) -> str:
        value = self.figures.get(name, {}).get("value")
        return "undefined" if value is None else f"{value:.{digits}f}"

    @classmethod
    def load(cls, run: Path) -> StainSummary:
        """Read it again.

        Raises
        ------
        RunError
            If the folder is no finished run of such a network.
        """
        return load_summary(cls, run, KIND, "a network of stains", _TUPLES)


def is_stain_run(folder: Path) -> bool:
    """Whether a folder holds a finished run of a network from stain to stain."""
    return is_run_of(KIND, folder)
