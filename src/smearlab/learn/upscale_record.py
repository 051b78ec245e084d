"""What a finished training of an upscaler says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from smearlab.errors import RunError
from smearlab.evaluation.results import plain
from smearlab.evaluation.runs import SUMMARY
from smearlab.io.atomic import write_text

#: In the place of a classifier's ``kind`` in ``config.json`` and ``summary.json``.
KIND = "upscaler"


@dataclass(frozen=True)
class UpscaleSummary:
    """``summary.json`` of a run.

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
    epochs, best_epoch, steps : int
        Epochs begun, the one whose weights count, and steps done.
    train_seconds, images_per_s : float or None
        Wall time with judging, and its rate.
    hardware, precision : str
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
    epochs: int
    best_epoch: int
    steps: int
    train_seconds: float | None
    images_per_s: float | None
    hardware: str
    precision: str
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
        text = json.dumps(plain(asdict(self)), indent=1, ensure_ascii=False, allow_nan=False)
        write_text(run / SUMMARY, text + "\n")

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
        path = run / SUMMARY
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["kind"] != KIND:
                raise RunError(
                    f"{run} is a run of a {kept['kind']}, not of an {KIND}: name the folder of one"
                )
            for name in ("types", "datasets", "deviations", "warnings"):
                kept[name] = tuple(kept[name])
            return cls(**kept)
        except FileNotFoundError:
            raise RunError(
                f"{run} is no finished run, {SUMMARY} is missing: name a folder that smearlab "
                "train wrote, after it has ended"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} cannot be read ({error}): train the run anew") from error


def is_upscaler_run(folder: Path) -> bool:
    """Whether a folder holds a finished run of an upscaler."""
    try:
        kept = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(kept, dict) and kept.get("kind") == KIND


def _number(value: float | None, digits: int) -> str:
    return "undefined" if value is None else f"{value:.{digits}f}"
