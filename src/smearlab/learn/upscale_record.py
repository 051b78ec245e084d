"""What a finished training of an upscaler says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smearlab.learn.run_summary import Progress, is_run_of, load_summary, save_summary

#: In the place of a classifier's ``kind`` in ``config.json`` and ``summary.json``.
KIND = "upscaler"
_TUPLES = ("types", "datasets", "deviations", "warnings")


@dataclass(frozen=True)
class UpscaleSummary(Progress):
    """``summary.json`` of a run: its progress, and what follows.

    Parameters
    ----------
    recipe : str
    protocol : {"paper", "honest"}
    factor : int
    type : str or None
        The one type that was learned from; None for all.
    types : tuple of str
        Those of the pictures that were learned from.
    networks : mapping of str to mapping
        ``trainable`` and ``other`` numbers (running means and variances) of each network.
    pictures : mapping of str to int
        Of each part.
    features : str or None
        The network whose features the content loss compares; None without one.
    seed : int
    figures : mapping of str to float or None
        Of the weights that count, on the validation pictures that it was judged by; None where
        undefined or infinite.
    judged : int
        How many these are.
    datasets : tuple of str
        Sets that were learnt from.
    reported : mapping
    deviations, warnings : tuple of str
        Where the recipe departs from its paper; what the loop found wrong.
    kind : str
    """

    recipe: str
    protocol: str
    factor: int
    type: str | None
    types: tuple[str, ...]
    networks: Mapping[str, Mapping[str, int]]
    pictures: Mapping[str, int]
    features: str | None
    seed: int
    figures: Mapping[str, float | None]
    judged: int
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
        figures = self.figures
        return (
            f"{self.recipe}: PSNR {_number(figures.get('psnr'), 2)} dB, SSIM "
            f"{_number(figures.get('ssim'), 4)}; bicubic {_number(figures.get('psnr_bicubic'), 2)} "
            f"dB, {_number(figures.get('ssim_bicubic'), 4)}; on {self.judged} validation pictures"
        )

    @classmethod
    def load(cls, run: Path) -> UpscaleSummary:
        """Read it again.

        Raises
        ------
        RunError
            If the folder is no finished run of an upscaler.
        """
        return load_summary(cls, run, KIND, "an upscaler", _TUPLES)


def is_upscaler_run(folder: Path) -> bool:
    """Whether a folder holds a finished run of an upscaler."""
    return is_run_of(KIND, folder)


def _number(value: float | None, digits: int) -> str:
    return "undefined" if value is None else f"{value:.{digits}f}"
