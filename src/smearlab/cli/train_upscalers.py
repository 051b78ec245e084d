"""``smearlab train`` of recipes that make pictures larger: a run, then its bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smearlab.cli.run_bundle import make_run_bundle

if TYPE_CHECKING:
    from smearlab.learn.run_asked import Asked
    from smearlab.learn.upscale_recipe import UpscaleRecipe


def train_upscalers(
    recipe: UpscaleRecipe,
    types: list[str],
    settings: list[str],
    asked: Asked,
    bundles: Path | None,
) -> None:
    """Train a network for all types, or one for each type that is asked for, with its bundle.

    Parameters
    ----------
    recipe : UpscaleRecipe
    types : list of str
        None for all together.
    settings : list of str
        What is changed in the recipe.
    asked : Asked
    bundles : Path or None
        Folder for the bundles, which are called as their runs; ``RUN/bundle`` when left out.

    Raises
    ------
    UsageError
        If the recipe has a network for each type, and none is named.
    UnknownNameError
        If no picture is of a type, or a setting is unknown.
    """
    from smearlab.errors import UsageError
    from smearlab.learn.export_upscaler import export_upscaler
    from smearlab.learn.run_asked import run_folder
    from smearlab.learn.run_upscaler import run_upscaler
    from smearlab.learn.upscaler_run import open_upscaler_run

    if recipe.per_type and not types:
        raise UsageError(f"{recipe.name} trains a network for one type: name it with --type")
    changed = recipe.with_settings(settings)
    wanted: list[str | None] = [*types] or [None]
    for type_ in wanted:
        asked.say(f"training {recipe.name} in {run_folder(changed, asked, type_)}")
        run = run_upscaler(changed, asked, type_)
        make_run_bundle(run, asked, bundles, open_upscaler_run, export_upscaler)
