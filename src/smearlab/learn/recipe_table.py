"""The recipes of picture classifiers as the tables of the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from smearlab.learn.classifier_recipe import ClassifierRecipe


def markdown(recipes: Iterable[ClassifierRecipe]) -> str:
    """A line for every recipe, and below the table what departs from its paper.

    Parameters
    ----------
    recipes : iterable of ClassifierRecipe
        In the order of the table.
    """
    listed = list(recipes)
    rows = [
        "| recipe | what | network | pictures | split | reported accuracy |",
        "|---|---|---|---|---|---|",
    ]
    for one in listed:
        rows.append(
            f"| `{one.name}` | {one.title} | `{one.network}`, {one.view.size_px} px "
            f"| {_pictures(one)} | {_split(one)} | {_reported(one)} |"
        )
    blocks = ["\n".join(rows)]
    said: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in listed:
        if one.deviations:
            said.setdefault((one.source, one.deviations), []).append(f"`{one.name}`")
    for (source, deviations), names in said.items():
        points = "\n".join(f"- {line}" for line in deviations)
        blocks.append(f"{', '.join(names)} ({source}):\n\n{points}")
    return "\n\n".join(blocks) + "\n"


def _pictures(recipe: ClassifierRecipe) -> str:
    data = recipe.data
    sets = " and ".join(f"`{name}`" for name in data.datasets)
    return f"{sets}, types `{data.taxonomy}`"


def _split(recipe: ClassifierRecipe) -> str:
    data = recipe.data
    if data.test_on:
        return f"{', '.join(data.train_on)} → {', '.join(data.test_on)}"
    if data.folds:
        return f"{data.folds} folds"
    shares = "/".join(f"{100 * share:g}" for share in data.shares)
    return f"{shares}; the paper's: as published" if data.split == "published" else shares


def _reported(recipe: ClassifierRecipe) -> str:
    accuracy = recipe.reported.get("accuracy")
    return "–" if accuracy is None else f"{100 * accuracy:.4g} % ({recipe.reported['where']})"
