"""``smearlab train`` of recipes that segment one element: a run each, then bundles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smearlab.cli.first_process import tell

if TYPE_CHECKING:
    from smearlab.learn.run_asked import Asked
    from smearlab.learn.segmentation_recipe import SegmentationRecipe


def train_segmenters(
    recipe: SegmentationRecipe,
    element: str,
    settings: list[str],
    asked: Asked,
    bundles: Path | None,
) -> None:
    """Train the network of one element, or of all, whose bundles are then written.

    Parameters
    ----------
    recipe : SegmentationRecipe
    element : str
        ``rbc``, ``wbc``, ``plt`` or ``all``, in capitals or not.
    settings : list of str
        What is changed in the recipe.
    asked : Asked
    bundles : Path or None
        Folder for the bundles, ``OUT/RECIPE-PROTOCOL/bundles`` when left out. If it is named, the
        bundle of a single element is written, too.

    Raises
    ------
    UnknownNameError
        If there is no such element, or a setting is unknown.
    """
    from smearlab.learn.export_segmenters import export_segmenter
    from smearlab.learn.run_segmenter import element_run_folder, run_segmenter
    from smearlab.learn.segmenter_run import open_segmenter_run
    from smearlab.learn.train.hardware import is_first_process
    from smearlab.registry import look_up
    from smearlab.types import ELEMENTS

    meant = {"all": ELEMENTS, **{name.lower(): (name,) for name in ELEMENTS}}
    elements = look_up("element", meant, element.lower())
    recipes = {one: recipe.asked_for(one, asked.protocol, settings) for one in elements}
    for one, its_recipe in recipes.items():
        asked.say(f"training {recipe.name} in {element_run_folder(recipe, one, asked)}")
        run = run_segmenter(its_recipe, one, asked)
        tell(str(run))
        if not is_first_process():
            continue
        finished = open_segmenter_run(run)
        asked.say(finished.summary.said())
        if bundles is not None or len(elements) > 1:
            folder = (bundles or run.parent / "bundles") / one.lower()
            export_segmenter(finished, folder)
            tell(str(folder))
