"""What a finished training of a segmenter says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from smearlab.learn.nn.picture_norm import Statistics
from smearlab.learn.run_summary import Progress, is_run_of, load_summary, save_summary
from smearlab.learn.train.checkpoints import parameter_count

#: In the place of a classifier's ``kind`` in ``config.json`` and ``summary.json``.
KIND = "element segmenter"


@dataclass(frozen=True)
class SegmentationSummary(Progress):
    """``summary.json`` of a run: its progress, and what follows.

    Parameters
    ----------
    recipe, element : str
    protocol : {"paper", "honest"}
    networks : mapping of str to mapping
        ``trainable`` and ``other`` numbers (running means and variances) of each network.
    pictures : mapping of str to int
        Of each part.
    truths : mapping of str to int
        Pictures by how their targets came about.
    seed : int
    figures : mapping of str to float or None
        Of the weights that count, on held-out tiles of ``judged_on``; None where undefined.
    judged_on : str
        Part, and number of tiles.
    datasets : tuple of str
        Sets that were learnt from.
    reported : mapping
    deviations, warnings : tuple of str
        Where the recipe departs from its paper; what the loop found wrong.
    statistics : {"own", "running"} or None
        What the generator's batch norms go by in evaluation, where the validation part chose it.
    kind : str
    """

    recipe: str
    element: str
    protocol: str
    networks: Mapping[str, Mapping[str, int]]
    pictures: Mapping[str, int]
    truths: Mapping[str, int]
    seed: int
    figures: Mapping[str, float | None]
    judged_on: str
    datasets: tuple[str, ...]
    reported: Mapping[str, Any]
    deviations: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    statistics: Statistics | None = None
    kind: str = KIND

    def save(self, run: Path) -> None:
        """Write it in the run folder."""
        save_summary(run, self)

    def said(self) -> str:
        """The figures in a line."""
        if not self.figures:
            return f"{self.recipe}, {self.element}: no picture is held out to judge by"
        told = ", ".join(
            f"{name.replace('_', ' ')} {'undefined' if value is None else f'{value:.4f}'}"
            for name, value in self.figures.items()
        )
        return f"{self.recipe}, {self.element}: {told} on {self.judged_on}"

    @classmethod
    def load(cls, run: Path) -> SegmentationSummary:
        """Read it again.

        Raises
        ------
        RunError
            If the folder is no finished run of a segmenter.
        """
        return load_summary(cls, run, KIND, "one element", ("datasets", "deviations", "warnings"))


def is_segmenter_run(folder: Path) -> bool:
    """Whether a folder holds a finished run of one element."""
    return is_run_of(KIND, folder)


def counts(network: nn.Module) -> dict[str, int]:
    """Trainable numbers of a network, and those that only follow along.

    Counters of batches and the vectors of spectral normalisation are neither.
    """
    other = sum(
        value.numel()
        for name, value in network.named_buffers()
        if name.endswith(("running_mean", "running_var"))
    )
    return {"trainable": parameter_count(network), "other": other}
