"""``smearlab train`` of recipes of stages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smearlab.cli.first_process import tell

if TYPE_CHECKING:
    from smearlab.learn.recipe import Recipe, Stage


def changed_stages(recipe: Recipe, stage: list[str] | None, settings: list[str]) -> list[Stage]:
    """The stages that are asked for, with what the command line says otherwise."""
    from smearlab.learn.recipe import override

    parts = [recipe.stage(name) for name in stage] if stage else recipe.stages
    return [override(part, settings) for part in parts]


def train_stages(
    recipe: Recipe,
    parts: list[Stage],
    folder: Path | None,
    out: Path,
    bundles: Path | None,
    start: str | None,
    show: bool,
) -> None:
    """Train stages, and say where their bundles are."""
    from smearlab.learn.run_recipe import run_stages

    target = bundles or out / "bundles"
    tell(f"training {', '.join(part.name for part in parts)} in {out}", err=True)
    for bundle in run_stages(recipe, parts, folder, out, target, start=start, show=show):
        tell(str(bundle))
