"""Settings that make a generator small and quick, by recipe; and runs that follow from them."""

from __future__ import annotations

from pathlib import Path

from smearlab.learn.recipes import SYNTHESIS_RECIPES
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_synthesis import run_synthesis

_STEPS = ("train.max_steps=2", "train.workers=0", "train.precision=32-true", "train.batch_size=2")


def quick_settings(recipe: str) -> list[str]:
    """Settings for ``--set``: two steps of small networks on pictures of 16 px."""
    chosen = SYNTHESIS_RECIPES[recipe]
    settings = [*_STEPS, "view.size_px=16"]
    if hasattr(chosen.generator, "widths"):
        return [*settings, "generator.widths=8,4,4", "critic.widths=4,4,4"]
    parts = ["generator", "critic", *(["teacher"] if chosen.teacher else [])]
    settings += [f"{part}.width=4" for part in parts]
    of_blocks = [part for part in parts if hasattr(getattr(chosen, part), "blocks")]
    return [*settings, *(f"{part}.blocks=(0,1,0)" for part in of_blocks)]


def write_generator_run(
    out: Path, recipe: str, type_name: str | None = None, *more: str, data: str = "simulated"
) -> Path:
    """A finished run on simulated pictures, which lie in ``OUT/simulated`` for the next."""
    asked = Asked(data, out, "honest", show=False)
    settings = [*quick_settings(recipe), *more]
    return run_synthesis(SYNTHESIS_RECIPES[recipe].with_settings(settings), asked, type_name)
