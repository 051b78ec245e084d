"""``smearlab train`` of picture classifiers, networks and classical ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smearlab.cli.first_process import tell

if TYPE_CHECKING:
    from smearlab.learn.classical.recipes import ClassicalRecipe
    from smearlab.learn.classifier_recipe import ClassifierRecipe
    from smearlab.learn.run_asked import Asked


def changed_classifier(
    recipe: ClassifierRecipe | ClassicalRecipe,
    settings: list[str],
    folds: int | None,
    freeze: bool | None,
    train_on: list[str] | None,
    test_on: list[str] | None,
) -> ClassifierRecipe | ClassicalRecipe:
    """The recipe with what the command line says otherwise."""
    from dataclasses import replace

    from smearlab.learn.classical.recipes import ClassicalRecipe, with_classical_settings
    from smearlab.learn.classifier_recipe import with_settings

    if isinstance(recipe, ClassicalRecipe):
        recipe = with_classical_settings(recipe, settings)
    else:
        recipe = with_settings(recipe, settings)
    data = recipe.data
    if train_on or test_on:
        data = replace(data, folds=0, train_on=tuple(train_on or ()), test_on=tuple(test_on or ()))
    if folds is not None:
        data = replace(data, folds=folds)
    if freeze is None or isinstance(recipe, ClassicalRecipe):
        return replace(recipe, data=data)
    return replace(recipe, data=data, freeze=freeze)


def train_classifiers(recipe: ClassifierRecipe | ClassicalRecipe, asked: Asked) -> None:
    """Train a recipe on one split or on folds, and say what each run is worth."""
    from smearlab.evaluation.runs import Predictions
    from smearlab.learn.classical.recipes import ClassicalRecipe
    from smearlab.learn.classical.train import train_classical
    from smearlab.learn.run_asked import run_folder
    from smearlab.learn.run_classifier import run_classifier
    from smearlab.learn.run_record import said_accuracy

    tell(f"training {recipe.name} in {run_folder(recipe, asked)}", err=True)
    answers = []
    runs = (
        train_classical(recipe, asked)
        if isinstance(recipe, ClassicalRecipe)
        else run_classifier(recipe, asked)
    )
    for run in runs:
        tell(str(run))
        if (run / "predictions-test.npz").is_file():
            answers.append(Predictions.load(run, "test"))
            tell(f"{run.name}: {said_accuracy(answers[-1:])}", err=True)
    if len(answers) > 1:
        tell(f"{recipe.name}, {len(answers)} folds: {said_accuracy(answers)}", err=True)
