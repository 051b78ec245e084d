"""``smearlab train`` of recipes from stain to stain: a run, then the bundles of its ways."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smearlab.cli.first_process import tell

if TYPE_CHECKING:
    from smearlab.learn.run_asked import Asked
    from smearlab.learn.stain_recipe import StainRecipe


def train_stains(
    recipe: StainRecipe,
    stains: tuple[str | None, str | None],
    teacher: str | None,
    settings: list[str],
    asked: Asked,
    bundles: Path | None,
) -> None:
    """Train a network from stain to stain, and write the bundle of each way.

    Parameters
    ----------
    recipe : StainRecipe
    stains : (str or None, str or None)
        A and B, if not the recipe's.
    teacher : str or None
        Bundle or run that it learns from.
    settings : list of str
        What is changed in the recipe.
    asked : Asked
    bundles : Path or None
        Folder for the bundles, in a folder that is called as the run; ``RUN/bundle`` when left
        out.

    Raises
    ------
    UnknownNameError
        If there is no such stain, or a setting is unknown.
    UsageError
        If recipe, teacher and stains do not go together, or weights are named.
    DataError
        If the stains share no type of cell, or no two sets of pictures are given.
    """
    from smearlab.errors import UsageError
    from smearlab.learn.export_stain import export_stain
    from smearlab.learn.run_asked import run_folder
    from smearlab.learn.run_stain import run_stain
    from smearlab.learn.stain_run import open_stain_run
    from smearlab.learn.train.hardware import is_first_process

    if asked.weights is not None:
        raise UsageError(f"--weights: {recipe.name} begins with fresh weights; leave it out")
    changed = recipe.with_settings(settings, stains)
    asked.say(f"training {recipe.name} in {run_folder(changed, asked)}")
    run = run_stain(changed, asked, teacher)
    tell(str(run))
    if not is_first_process():
        return
    finished = open_stain_run(run)
    asked.say(finished.summary.said())
    folder = run / "bundle" if bundles is None else bundles / run.name
    for way in finished.ways:
        if not (folder / way / "card.json").is_file():
            export_stain(finished, folder / way, way)
        tell(str(folder / way))
