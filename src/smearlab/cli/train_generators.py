"""``smearlab train`` of recipes that make pictures of cells: a run, then its bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smearlab.cli.run_bundle import make_run_bundle

if TYPE_CHECKING:
    from smearlab.learn.run_asked import Asked
    from smearlab.learn.synthesis_recipe import SynthesisRecipe


def train_generators(
    recipe: SynthesisRecipe,
    types: list[str],
    settings: list[str],
    asked: Asked,
    bundles: Path | None,
) -> None:
    """Train one generator of all types, or one for each type that is named, with its bundle.

    Parameters
    ----------
    recipe : SynthesisRecipe
    types : list of str
        Of recipes with networks for each type; none otherwise.
    settings : list of str
        What is changed in the recipe.
    asked : Asked
    bundles : Path or None
        Folder for the bundles, which are called as their runs; ``RUN/bundle`` when left out.

    Raises
    ------
    UnknownNameError
        If there is no such type, or a setting is unknown.
    UsageError
        If types and recipe do not go together, or weights are named.
    """
    from smearlab.errors import UsageError
    from smearlab.learn.export_generators import export_generator
    from smearlab.learn.generator_run import load_generator_run
    from smearlab.learn.run_asked import run_folder
    from smearlab.learn.run_synthesis import run_synthesis

    if asked.weights is not None:
        raise UsageError(f"--weights: {recipe.name} begins with fresh weights; leave it out")
    changed = recipe.with_settings(settings)
    wanted: list[str | None] = [*types] or [None]
    for name in wanted:
        asked.say(f"training {recipe.name} in {run_folder(changed, asked, name)}")
        run = run_synthesis(changed, asked, name)
        make_run_bundle(run, asked, bundles, load_generator_run, export_generator)
