"""Settings that make a segmenter small and quick, by recipe; and runs that follow from them."""

from __future__ import annotations

from pathlib import Path

from smearlab.learn.recipes import SEGMENTATION_RECIPES
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_segmenter import run_segmenter
from smearlab.types import Element

_SAMPLES = ("view.size=32", "view.cell_px=24", "data.judged_tiles=4", "data.per_picture=1")
_STEPS = ("train.max_steps=2", "train.workers=0", "train.precision=32-true")
_PLAYED = ("network.widths=4,4,6,6,6", "network.input_px=32", "critic.widths=4,4,4")


def quick_settings(recipe: str) -> list[str]:
    """Settings for ``--set``: two steps of a small network."""
    if SEGMENTATION_RECIPES[recipe].critic is None:
        return [*_SAMPLES, *_STEPS, "train.batch_size=2", "network.widths=4,6"]
    return [*_SAMPLES, *_STEPS, *_PLAYED]


def write_segmenter_run(
    out: Path, recipe: str = "rwp_gan", element: Element = "WBC", protocol: str = "honest"
) -> Path:
    """A finished run on simulated pairs."""
    assert protocol in ("honest", "paper")
    asked = Asked("simulated", out, protocol, show=False)  # type: ignore[arg-type]
    settings = quick_settings(recipe)
    chosen = SEGMENTATION_RECIPES[recipe].asked_for(element, asked.protocol, settings)
    return run_segmenter(chosen, element, asked)
