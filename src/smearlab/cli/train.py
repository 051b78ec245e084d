"""``smearlab train``: the recipes, from data to bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearlab.cli.first_process import tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from smearlab.learn.classical.recipes import ClassicalRecipe
    from smearlab.learn.classifier_recipe import ClassifierRecipe
    from smearlab.learn.recipe import Recipe
    from smearlab.learn.run_asked import Asked
    from smearlab.learn.segmentation_recipe import SegmentationRecipe
    from smearlab.learn.stain_recipe import StainRecipe
    from smearlab.learn.synthesis_recipe import SynthesisRecipe
    from smearlab.learn.upscale_recipe import UpscaleRecipe

_STAGES_ONLY, _PICTURES_ONLY = "recipes of stages", "recipes of picture classifiers"
_NETWORKS_ONLY, _ELEMENTS_ONLY = "recipes of networks", "recipes that segment an element"
_TYPES_ONLY = "recipes that make pictures, or make them larger"
_STAINS_ONLY = "recipes from stain to stain"


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="Name of a recipe; left out, the recipes are listed.", metavar="RECIPE"
        ),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option("--stage", help="Only this stage; may be given again. All when left out."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            help="Manifest (.parquet, .csv), folder with manifest.csv and the public sets, folder "
            "with a folder a class, or 'simulated'.",
            envvar="SMEARLAB_DATA",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the runs; they go on where they stopped.")
    ] = Path("runs"),
    bundles: Annotated[
        Path | None,
        typer.Option("--bundles", help="Folder for the bundles; OUT/bundles when left out."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            help="Bundle whose weights the first stage starts from: a folder, or 'default', the "
            "one that ships. So its training goes on with your data.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override, as train.epochs=5 or view.size=320; repeatable."),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol", help="Split: 'honest', by source and group (default), or 'paper'."
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option("--folds", help="So many folds test in turn; 0 for one split.", min=0),
    ] = None,
    fold: Annotated[
        list[int] | None,
        typer.Option("--fold", help="Only this fold, from 1; may be given again.", min=1),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", help="Weights that the body begins with; nothing is fetched."),
    ] = None,
    freeze: Annotated[
        bool | None,
        typer.Option("--freeze/--no-freeze", help="Train the head only, or all of the network."),
    ] = None,
    n_train: Annotated[
        int | None,
        typer.Option("--n-train", help="Keep so many training pictures: a learning curve."),
    ] = None,
    train_on: Annotated[
        list[str] | None,
        typer.Option("--train-on", help="Origin to train on, as PBC; may be given again."),
    ] = None,
    test_on: Annotated[
        list[str] | None,
        typer.Option("--test-on", help="Origin to test on; may be given again."),
    ] = None,
    element: Annotated[
        str | None,
        typer.Option("--element", help="What to segment: rbc, wbc, plt or all (all)."),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", help="Learn from this type alone; may be given again."),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", help="Stain A: an origin of pictures, as PBC."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", help="Stain B."),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option("--teacher", help="Stain bundle, or run with one, that stainnet learns from."),
    ] = None,
    cache_gb: Annotated[
        float | None,
        typer.Option("--cache-gb", help="Memory for decoded pictures (4).", min=0),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Train the networks of a recipe. Needs the 'train' extra.

    Recipes of stages end as bundles that can be used at once: smearlab analyze …
    --segmenter OUT/bundles/NAME. Recipes of picture classifiers end as run folders
    with predictions for smearlab evaluate: OUT/RECIPE-PROTOCOL, of folds its fold-1
    to fold-k. Recipes that segment an element end as a run folder for each,
    OUT/RECIPE-PROTOCOL/ELEMENT, and with --element all as bundles in
    OUT/RECIPE-PROTOCOL/bundles. Recipes that make pictures larger end as a run
    folder with a bundle in it: OUT/RECIPE-PROTOCOL, with --type one a type; so do
    recipes that make pictures of cells, and those of rare types for each of them:
    OUT/RECIPE-PROTOCOL-TYPE. Recipes from stain to stain leave a bundle of each
    way in OUT/RECIPE-PROTOCOL/bundle. A run that was interrupted goes on and ends
    with the same weights.

    Example: smearlab train shipped --data DIR --out runs

    Example: smearlab train lwcnn --data DIR --protocol honest --folds 5 --out runs

    Example: smearlab train bloodcell_net --data simulated --set train.max_steps=2

    Example: smearlab train rwp_gan --element wbc --data DIR --out runs

    Example: smearlab train w_cyclegan_gp --data DIR --from PBC --to Raabin-WBC
    """
    from smearlab.errors import SmearlabError, UsageError
    from smearlab.registry import look_up

    try:
        import torch  # noqa: F401
    except ImportError:
        typer.echo("smearlab train needs torch: install smearlab[train]", err=True)
        raise typer.Exit(2) from None
    from smearlab.learn.classical.recipes import CLASSICAL_RECIPES, ClassicalRecipe
    from smearlab.learn.few_shot_recipe import FewShotRecipe
    from smearlab.learn.recipe import Recipe
    from smearlab.learn.recipes import (
        CLASSIFIER_RECIPES,
        FEW_SHOT_RECIPES,
        RECIPES,
        SEGMENTATION_RECIPES,
        STAIN_RECIPES,
        SYNTHESIS_RECIPES,
        UPSCALE_RECIPES,
    )
    from smearlab.learn.segmentation_recipe import SegmentationRecipe
    from smearlab.learn.stain_recipe import StainRecipe
    from smearlab.learn.synthesis_recipe import SynthesisRecipe
    from smearlab.learn.upscale_recipe import UpscaleRecipe

    of_pictures_by_name: Mapping[str, ClassifierRecipe | ClassicalRecipe]
    of_pictures_by_name = {**CLASSIFIER_RECIPES, **CLASSICAL_RECIPES}
    if recipe is None:
        _list(RECIPES.values(), of_pictures_by_name.values(), SEGMENTATION_RECIPES.values())
        several = (UPSCALE_RECIPES, SYNTHESIS_RECIPES, FEW_SHOT_RECIPES, STAIN_RECIPES)
        for making in (one for recipes in several for one in recipes.values()):
            typer.echo(f"{making.name}: {making.title} ({', '.join(making.data.datasets)})")
        return
    only_of_stages = {"--stage": stage, "--start": start}
    of_stages = {**only_of_stages, "--bundles": bundles}
    of_networks = {"--weights": weights, "--freeze": freeze, "--cache-gb": cache_gb}
    only_of_pictures = {
        "--folds": folds,
        "--fold": fold,
        "--n-train": n_train,
        "--train-on": train_on,
        "--test-on": test_on,
        **of_networks,
    }
    of_pictures = {"--protocol": protocol, **only_of_pictures}
    try:
        known: Mapping[
            str,
            Recipe
            | ClassifierRecipe
            | ClassicalRecipe
            | SegmentationRecipe
            | UpscaleRecipe
            | SynthesisRecipe
            | FewShotRecipe
            | StainRecipe,
        ]
        known = {**RECIPES, **of_pictures_by_name, **SEGMENTATION_RECIPES, **STAIN_RECIPES}
        known = {**known, **UPSCALE_RECIPES, **SYNTHESIS_RECIPES, **FEW_SHOT_RECIPES}
        chosen = look_up("recipe", known, recipe)
        of_classifiers: dict[str, object] = {"--folds": folds, "--fold": fold}
        of_classifiers |= {"--train-on": train_on, "--test-on": test_on}
        if isinstance(chosen, StainRecipe):
            from smearlab.cli.train_stains import train_stains

            _refuse(recipe, only_of_stages, _STAGES_ONLY)
            _refuse(recipe, {"--element": element, "--type": types}, "recipes of elements or types")
            _refuse(recipe, {**of_classifiers, "--freeze": freeze}, "recipes of classifiers")
            asked = _asked(_given(data), out, protocol, weights, n_train, cache_gb, not quiet)
            train_stains(chosen, (begin, end), teacher, settings or [], asked, bundles)
            return
        _refuse(recipe, {"--from": begin, "--to": end, "--teacher": teacher}, _STAINS_ONLY)
        if isinstance(chosen, UpscaleRecipe | SynthesisRecipe | FewShotRecipe):
            from smearlab.cli.train_few_shot import train_few_shot
            from smearlab.cli.train_generators import train_generators
            from smearlab.cli.train_upscalers import train_upscalers

            _refuse(recipe, only_of_stages, _STAGES_ONLY)
            _refuse(recipe, {"--element": element}, _ELEMENTS_ONLY)
            _refuse(recipe, {**of_classifiers, "--freeze": freeze}, "recipes of classifiers")
            asked = _asked(_given(data), out, protocol, weights, n_train, cache_gb, not quiet)
            if isinstance(chosen, UpscaleRecipe):
                train_upscalers(chosen, types or [], settings or [], asked, bundles)
            elif isinstance(chosen, FewShotRecipe):
                train_few_shot(chosen, types or [], settings or [], asked, bundles)
            else:
                train_generators(chosen, types or [], settings or [], asked, bundles)
            return
        _refuse(recipe, {"--type": types}, _TYPES_ONLY)
        if isinstance(chosen, SegmentationRecipe):
            from smearlab.cli.train_segmenters import train_segmenters

            _refuse(recipe, only_of_stages, _STAGES_ONLY)
            _refuse(recipe, only_of_pictures, _PICTURES_ONLY)
            asked = _asked(_given(data), out, protocol, None, None, None, not quiet)
            train_segmenters(chosen, element or "all", settings or [], asked, bundles)
            return
        _refuse(recipe, {"--element": element}, _ELEMENTS_ONLY)
        from smearlab.cli.train_classifiers import changed_classifier, train_classifiers
        from smearlab.cli.train_stages import changed_stages, train_stages

        if isinstance(chosen, Recipe):
            _refuse(recipe, of_pictures, _PICTURES_ONLY)
            parts = changed_stages(chosen, stage, settings or [])
        else:
            _refuse(recipe, of_stages, _STAGES_ONLY)
            if isinstance(chosen, ClassicalRecipe):
                _refuse(recipe, of_networks, _NETWORKS_ONLY)
            chosen = changed_classifier(chosen, settings or [], folds, freeze, train_on, test_on)
        data = _given(data)
        if isinstance(chosen, Recipe):
            folder = None if data == "simulated" else Path(data)
            train_stages(chosen, parts, folder, out, bundles, start, not quiet)
        else:
            asked = _asked(data, out, protocol, weights, n_train, cache_gb, not quiet)
            asked = replace(asked, folds=tuple(fold or ()))
            train_classifiers(chosen, asked)
    except (SmearlabError, FloatingPointError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from error


def _given(data: str | None) -> str:
    from smearlab.errors import UsageError

    if data is None:
        raise UsageError("say what to train on: --data DIR, or --data simulated")
    return data


def _list(
    of_stages: Iterable[Recipe],
    of_pictures: Iterable[ClassifierRecipe | ClassicalRecipe],
    of_elements: Iterable[SegmentationRecipe],
) -> None:
    for staged in of_stages:
        names = ", ".join(part.name for part in staged.stages)
        typer.echo(f"{staged.name}: {staged.title} (stages: {names})")
    for pictures in of_pictures:
        sets = ", ".join(pictures.data.datasets)
        how = getattr(pictures, "network", "scikit-learn")
        typer.echo(f"{pictures.name}: {pictures.title} ({how} on {sets})")
    for segmented in of_elements:
        elements = ", ".join(element.lower() for element in segmented.epochs)
        typer.echo(f"{segmented.name}: {segmented.title} (elements: {elements})")


def _refuse(recipe: str, options: Mapping[str, object], whose: str) -> None:
    """Options that a recipe of the other kind takes."""
    from smearlab.errors import UsageError

    given = [name for name, value in options.items() if value not in (None, [])]
    if given:
        names = ", ".join(given)
        raise UsageError(f"{names}: only for {whose}, and {recipe} is none; leave it out")


def _asked(
    data: str,
    out: Path,
    protocol: str | None,
    weights: Path | None,
    n_train: int | None,
    cache_gb: float | None,
    show: bool,
) -> Asked:
    from smearlab.learn.classifier_recipe import PROTOCOLS, Protocol
    from smearlab.learn.run_asked import Asked
    from smearlab.registry import look_up

    known: dict[str, Protocol] = {name: name for name in PROTOCOLS}
    split = look_up("protocol", known, protocol or "honest")
    kept = int((4 if cache_gb is None else cache_gb) * 2**30)

    def say(line: str) -> None:
        tell(line, err=True)

    return Asked(data, out, split, weights, n_train, kept, show, say)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)
