"""Settings that make a few-shot recipe small and quick; and runs that follow from them."""

from __future__ import annotations

from pathlib import Path

from smearlab.learn.few_shot_recipe import FewShotRecipe
from smearlab.learn.models.figr import FIGRConfig
from smearlab.learn.recipes import FEW_SHOT_RECIPES
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_few_shot import run_few_shot


def quick(recipe: str, *more: str) -> FewShotRecipe:
    """Two steps of small networks in every part; pictures of 16 px where the critic allows it."""
    chosen = FEW_SHOT_RECIPES[recipe]
    rebuilds = getattr(chosen.generator, "rebuilds", False)
    settings = [
        "train.max_steps=2", "train.batch_size=2", "train.precision=32-true", "generator.width=2",
        "generator.noise=4", f"view.size_px={64 if rebuilds else 16}",
        "adapt.freeze=" + str(min(1, chosen.adapt.freeze)),
    ]  # fmt: skip
    if chosen.begin == "meta":
        settings.append("meta.inner_steps=2")
    if isinstance(chosen.generator, FIGRConfig):
        settings.append("generator.width=4")
    elif chosen.generator.features:
        settings.append("generator.features=3")
    return chosen.with_settings([*settings, *more])


def write_few_shot_runs(
    out: Path, recipe: str, types: tuple[str, ...] = (), *more: str, data: str = "simulated"
) -> list[Path]:
    """Finished runs on simulated pictures, which lie in ``OUT/simulated`` for the next."""
    asked = Asked(data, out, "honest", show=False)
    return list(run_few_shot(quick(recipe, *more), asked, types))
