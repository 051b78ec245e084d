"""What a finished training of a generator says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smearlab.learn.run_summary import is_run_of, load_summary, save_summary

#: In ``config.json`` and ``summary.json``.
KIND = "generator"
_TUPLES = ("classes", "datasets", "deviations", "warnings")


@dataclass(frozen=True)
class GeneratorSummary:
    """``summary.json`` of a run.

    Parameters
    ----------
    recipe, game : str
    protocol : {"paper", "honest"}
    classes : tuple of str
        Types; the number of a type is its place here.
    size_px, latent_size : int
    networks : mapping of str to mapping
        ``trainable`` and ``other`` numbers (running means and variances) of each network.
    pictures : mapping of str to int
        Training pictures of each type.
    digest : str
        Of pictures, types and parts.
    epochs, steps : int
        Epochs begun, and updates of the generator.
    train_seconds, step_seconds : float or None
        Wall time with validation, and its share of a step.
    peak_memory_mb : float or None
        Most memory that the process had at once, 10⁶ bytes; None where the system does not say.
    peak_device_memory_mb : float or None
        The same on a GPU, as torch counts it.
    hardware, precision : str
    batch_size, seed : int
    figures : mapping of str to float or None
        Of the last step's log, and what the run found out.
    datasets : tuple of str
        Sets that were learnt from.
    reported : mapping
    deviations, warnings : tuple of str
        Where the recipe departs from its paper; what the loop found wrong.
    kind : str
    """

    recipe: str
    game: str
    protocol: str
    classes: tuple[str, ...]
    size_px: int
    latent_size: int
    networks: Mapping[str, Mapping[str, int]]
    pictures: Mapping[str, int]
    digest: str
    epochs: int
    steps: int
    train_seconds: float | None
    step_seconds: float | None
    peak_memory_mb: float | None
    peak_device_memory_mb: float | None
    hardware: str
    precision: str
    batch_size: int
    seed: int
    figures: Mapping[str, float | None]
    datasets: tuple[str, ...]
    reported: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    kind: str = KIND

    def save(self, run: Path) -> None:
        """Write it in the run folder."""
        save_summary(run, self)

    def said(self) -> str:
        """In a line."""
        pace = "" if self.step_seconds is None else f", {self.step_seconds:.2g} s each"
        return (
            f"{self.recipe}: {', '.join(self.classes)} at {self.size_px} px, "
            f"{self.steps} steps{pace}"
        )

    @classmethod
    def load(cls, run: Path) -> GeneratorSummary:
        """Read it again.

        Raises
        ------
        RunError
            If the folder is no finished run of a generator.
        """
        return load_summary(cls, run, KIND, "a generator", _TUPLES)


def is_generator_run(folder: Path) -> bool:
    """Whether a folder holds a finished run of a generator."""
    return is_run_of(KIND, folder)
