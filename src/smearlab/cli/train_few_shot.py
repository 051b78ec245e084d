"""``smearlab train`` of recipes that make pictures of rare types: a run and a bundle for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smearlab.cli.run_bundle import make_run_bundle

if TYPE_CHECKING:
    from smearlab.learn.few_shot_recipe import FewShotRecipe
    from smearlab.learn.run_asked import Asked


def train_few_shot(
    recipe: FewShotRecipe,
    types: list[str],
    settings: list[str],
    asked: Asked,
    bundles: Path | None,
) -> None:
    """Train what rare types begin with, and the generator of each.

    Parameters
    ----------
    recipe : FewShotRecipe
    types : list of str
        Rare types that are wanted; all when empty.
    settings : list of str
        What is changed in the recipe.
    asked : Asked
    bundles : Path or None
        Folder for the bundles, which are called as their runs; ``RUN/bundle`` when left out.

    Raises
    ------
    UnknownNameError
        If a type is none of the rare ones, or a setting is unknown.
    DataError
        If a type has fewer pictures than shots.
    """
    from smearlab.learn.export_generators import export_generator
    from smearlab.learn.generator_run import load_generator_run
    from smearlab.learn.run_asked import run_folder
    from smearlab.learn.run_few_shot import run_few_shot

    changed = recipe.with_settings(settings)
    asked.say(f"training {recipe.name} in {run_folder(changed, asked)}")
    for run in run_few_shot(changed, asked, tuple(types)):
        make_run_bundle(run, asked, bundles, load_generator_run, export_generator)
