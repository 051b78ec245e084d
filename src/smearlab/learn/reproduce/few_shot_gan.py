"""Tables 21 and 22 of the thesis: three rare types made from a few pictures, and their worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from smearlab.errors import UsageError
from smearlab.evaluation.reproductions import Line
from smearlab.evaluation.runs import MANIFEST, SUMMARY
from smearlab.learn.few_shot_recipe import FewShotRecipe
from smearlab.learn.recipes import FEW_SHOT_RECIPES, SYNTHESIS_RECIPES
from smearlab.learn.reproduce.c_wgan_gp import PAPER as OF_ALL_PAPER
from smearlab.learn.reproduce.experiment import Asked, Experiment, Scale, how_to_run
from smearlab.learn.reproduce.generator_table import SMOKE_CHECKS, GeneratorTable, Making
from smearlab.learn.reproduce.made_pictures import Worth
from smearlab.learn.reproduce.worth_lines import distance_lines, training_lines
from smearlab.learn.run_asked import run_folder
from smearlab.learn.run_few_shot import run_few_shot
from smearlab.learn.run_synthesis import run_synthesis
from smearlab.learn.verification.config import VerifyConfig

#: Learns all types together, the rare ones from the same few pictures.
OF_ALL = "c_wgan_gp"
RECIPES = ("few_shot_gan", "figr", "fastgan_diffaugment", "freeze_d", OF_ALL)
RARE = FEW_SHOT_RECIPES["few_shot_gan"].rare.types
_WHERE = "Tables 21 and 22"
_SMALL = ("train.max_steps=2", "train.batch_size=2", "generator.noise=4", "generator.width=2",
          "view.size_px=16")  # fmt: skip
_EPISODES = "meta.inner_steps=2"
SMOKE: Mapping[str, Sequence[str]] = {
    "few_shot_gan": (*_SMALL, _EPISODES, "generator.features=3"),
    "figr": (*(one for one in _SMALL if "width" not in one), _EPISODES, "generator.width=4"),
    "fastgan_diffaugment": (*(one for one in _SMALL if "size" not in one), "view.size_px=64"),
    "freeze_d": (*_SMALL, "adapt.freeze=1"),
    OF_ALL: (
        "train.max_steps=2", "train.workers=0", "train.batch_size=2", "view.size_px=16",
        "generator.width=4", "critic.width=4", "teacher.width=4", "generator.blocks=(0,1,0)",
        "critic.blocks=(0,1,0)", "teacher.blocks=(0,1,0)",
    ),
}  # fmt: skip
#: About as long on one core as the few-shot recipes take, fifty minutes. Rare types come as seldom
#: as they are: 30 times 15 basophils, where the others see 10,000 of them, again and again.
CPU: Mapping[str, Sequence[str]] = {OF_ALL: ("train.epochs=30",)}
_LARGE = ("view.size_px=256", "generator.width=32")
#: Episodes are those of Table 22, a hundred in an epoch.
PAPER: Mapping[str, Sequence[str]] = {
    "few_shot_gan": (*_LARGE, "train.epochs=200"),
    "figr": (*_LARGE, "train.epochs=800"),
    "fastgan_diffaugment": _LARGE,
    "freeze_d": _LARGE,
    OF_ALL: OF_ALL_PAPER[OF_ALL],
}
CHECKED = ("figures", "neighbours", "balanced")
#: What a classifier learned from, as the table says it: arms of ``balanced``.
_ARMS = {"without": "without", "weighted": "by weighted loss", "with": "with"}
MAKING: Mapping[Scale, Making] = {
    "smoke": Making(3, replace(SMOKE_CHECKS, checks=CHECKED, balance_to=6, against="test")),
    "cpu": Making(
        600, VerifyConfig(checks=CHECKED, most_of_type=100, resamples=50, against="test")
    ),
    "paper": Making(1000, VerifyConfig(checks=CHECKED, against="test")),
}


def train(name: str, settings: Sequence[str], asked: Asked) -> list[Path]:
    """Train the beginning and the rare types, or go on with it."""
    if name == OF_ALL:
        recipe = SYNTHESIS_RECIPES[OF_ALL].with_settings([*settings, "data.split=given"])
        held_down = _held_down(asked)
        return [run_synthesis(recipe, replace(how_to_run(asked), data=str(held_down)))]
    return list(run_few_shot(_recipe(name, settings), how_to_run(asked)))


def folders(name: str, settings: Sequence[str], asked: Asked) -> list[Path]:
    """Where its runs lie."""
    if name == OF_ALL:
        recipe = SYNTHESIS_RECIPES[OF_ALL].with_settings([*settings, "data.split=given"])
        return [run_folder(recipe, how_to_run(asked))]
    recipe_of = _recipe(name, settings)
    return [run_folder(recipe_of, how_to_run(asked), kind) for kind in recipe_of.rare.types]


def _recipe(name: str, settings: Sequence[str]) -> FewShotRecipe:
    return FEW_SHOT_RECIPES[name].with_settings(list(settings))


def _held_down(asked: Asked) -> Path:
    """The pictures of the first recipe's run: rare types with the few that teach."""
    first = run_folder(FEW_SHOT_RECIPES[RECIPES[0]], how_to_run(asked), RARE[0])
    if not (first / SUMMARY).is_file():
        raise UsageError(
            f"{OF_ALL} learns from the pictures that {RECIPES[0]} was held down to, which is not "
            f"trained yet: train it first, --only {RECIPES[0]}"
        )
    return first / MANIFEST


def _told(name: str) -> Mapping[str, Any]:
    """Reported figures; those of the rival whose place a recipe takes."""
    if name == OF_ALL:
        return {}
    told = FEW_SHOT_RECIPES[name].reported
    place: Mapping[str, Any] = {"fastgan_diffaugment": "DiffAugment", "freeze_d": "MineGAN"}
    return told[place[name]] if name in place else told


def lines(worth: Worth) -> Iterator[Line]:
    """Distances, then recall of each rare type without and with what was made."""
    told = _told(worth.name)
    yield from distance_lines(worth, told, _WHERE, by_type=True)
    found = worth.checks["balanced"]
    without, weighted, filled = found["arms"]
    for kind in found["filled"]:
        for arm, key, name in (
            (without, "recall", "recall without"),
            (weighted, "recall", "recall by weighted loss"),
            (filled, "recall", "recall with"),
            (filled, "recall_gain", "gain of recall"),
            (filled, "over_weighted", "gain over weighted loss"),
        ):
            one = arm[key][kind]
            low, high = one["interval"] or (None, None)
            row = f"{worth.name}, {kind}"
            yield Line(row, name, None, "", one["value"], low, high, one["n"], of="seeds")
    for key in ("accuracy", "balanced_accuracy"):
        for arm in found["arms"]:
            low, high = arm[key]["interval"] or (None, None)
            name = f"{key.replace('_', ' ')} {_ARMS[arm['arm']]}"
            yield Line(worth.name, name, None, "", arm[key]["value"], low, high, arm[key]["n"],
                       of="seeds")  # fmt: skip
    named = {"training, hours": "hours", "parameters": "parameters"}
    of_training = {name: told[key] for name, key in named.items() if key in told}
    yield from training_lines(worth, of_training, _WHERE)


TABLE = GeneratorTable(
    recipes=RECIPES,
    train=train,
    folders=folders,
    lines=lines,
    making=MAKING,
    settings={"smoke": SMOKE, "cpu": CPU, "paper": PAPER},
    types=RARE,
    deviations=(
        "recall is LWCNN's on real test pictures, types filled up to the number that the commonest "
        "has; the thesis has only the accuracy of the whole pipeline",
        "FID, KID, precision and recall are against real test pictures of the rare types: against "
        "the few that taught, copies of them would be perfect",
        "the classifier's epoch is chosen by the whole validation part, of rare types, too",
        "hours are those of the three adaptations; the beginning's stand in its own run",
    ),
)
EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "few_shot_gan",
        "Three rare types made from 26, 87 and 15 pictures, and what that does to their recall",
        "Hazra 2022",
        "Tables 21 and 22",
        ("pbc",),
        TABLE,
        "monoblasts, promyelocytes and smudge cells of the Munich set",
        parts=RECIPES,
    ),
)
