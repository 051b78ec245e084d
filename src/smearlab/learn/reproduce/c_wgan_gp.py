"""Tables 17 to 20 of the thesis: C-WGAN-GP beside its rivals, on the same pictures and budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from smearlab.evaluation.reproductions import Line
from smearlab.learn.recipes import SYNTHESIS_RECIPES
from smearlab.learn.reproduce.experiment import Asked, Experiment, Scale, how_to_run
from smearlab.learn.reproduce.generator_table import SMOKE_CHECKS, GeneratorTable, Making
from smearlab.learn.reproduce.made_pictures import Worth
from smearlab.learn.reproduce.worth_lines import (
    answer_lines,
    distance_lines,
    help_lines,
    training_lines,
)
from smearlab.learn.run_asked import run_folder
from smearlab.learn.run_synthesis import run_synthesis
from smearlab.learn.verification.config import VerifyConfig

RECIPES = (
    "c_wgan_gp", "c_wgan_gp_untold", "c_wgan_gp_fast", "cgan", "acgan", "cwgan_gp", "infogan",
    "dcgan",
)  # fmt: skip
_WHERE = "Tables 17 to 20"
_SMOKE = ("train.max_steps=2", "train.workers=0", "train.batch_size=2", "view.size_px=16")
_NARROW_CRITIC = ("critic.width=4", "critic.blocks=(0,1,0)")
_NARROW = ("generator.width=4", "generator.blocks=(0,1,0)", *_NARROW_CRITIC)
_TAUGHT = ("teacher.width=4", "teacher.blocks=(0,1,0)")
SMOKE: Mapping[str, Sequence[str]] = {
    "c_wgan_gp": (*_SMOKE, *_NARROW, *_TAUGHT),
    "c_wgan_gp_untold": (*_SMOKE, *_NARROW, *_TAUGHT),
    "c_wgan_gp_fast": (*_SMOKE, "generator.width=2", *_NARROW_CRITIC, *_TAUGHT),
    "cgan": (*_SMOKE, *_NARROW),
    "acgan": (*_SMOKE, *_NARROW),
    "cwgan_gp": (*_SMOKE, *_NARROW),
    "infogan": (*_SMOKE, *_NARROW, *_TAUGHT),
    "dcgan": (*_SMOKE, "generator.widths=8,4,4", "critic.widths=4,4,4"),
}
#: At the thesis's size, with its channels and blocks; schedules are ours, as nothing is said of
#: them: recipe c_wgan_gp_128's for Wasserstein losses, the published ones' for the others.
_LARGE = ("view.size_px=128", "train.max_steps=40000", "train.epochs=3000", "train.batch_size=64",
          "train.validate_every=20")  # fmt: skip
_CRITIC = ("critic.width=64", "critic.blocks=(2,4,4)")
_BOTH = ("generator.width=64", "generator.blocks=(2,4,2)", *_CRITIC)
_TEACHER = ("teacher.width=64", "teacher.blocks=(2,4,4)")
_SLOW = ("train.critic_steps=5", "train.penalty_every=1", "train.lr_generator=1e-4",
         "train.lr_critic=1e-4", "train.lr_further=1e-4", "train.schedule=constant",
         "train.decay_from=0.0", "train.ema=0.999")  # fmt: skip
PAPER: Mapping[str, Sequence[str]] = {
    "c_wgan_gp": (*_LARGE, *_BOTH, *_TEACHER, *_SLOW),
    "c_wgan_gp_untold": (*_LARGE, *_BOTH, *_TEACHER, *_SLOW),
    "c_wgan_gp_fast": (*_LARGE, *_CRITIC, *_TEACHER, *_SLOW, "generator.width=32"),
    "cgan": (*_LARGE, *_BOTH),
    "acgan": (*_LARGE, *_BOTH),
    "cwgan_gp": (*_LARGE, *_BOTH, *_SLOW),
    "infogan": (*_LARGE, *_BOTH, *_TEACHER),
    "dcgan": (*_LARGE, "critic.widths=32,64,128,256,256"),
}
#: Put to all checks.
LEADING = "c_wgan_gp_fast"
CHECKED = ("figures", "neighbours", "real-on-synthetic", "synthetic-on-real")
_MORE = ("cosine", "blind-test", "added")
MAKING: Mapping[Scale, Making] = {
    "smoke": Making(3, SMOKE_CHECKS, ()),
    "cpu": Making(1300, VerifyConfig(checks=CHECKED, most_of_type=100, resamples=50), _MORE),
    "paper": Making(1300, VerifyConfig(checks=CHECKED), _MORE),
}
_ANSWERED = {"precision": "precision", "recall": "recall", "F1": "F1"}


def train(name: str, settings: Sequence[str], asked: Asked) -> list[Path]:
    """Train a recipe of :data:`smearlab.learn.recipes.SYNTHESIS_RECIPES`, or go on with it."""
    recipe = SYNTHESIS_RECIPES[name].with_settings(list(settings))
    return [run_synthesis(recipe, how_to_run(asked))]


def folders(name: str, settings: Sequence[str], asked: Asked) -> list[Path]:
    """Where its run lies."""
    recipe = SYNTHESIS_RECIPES[name].with_settings(list(settings))
    return [run_folder(recipe, how_to_run(asked))]


def lines(worth: Worth) -> Iterator[Line]:
    """All figures of a recipe; the thesis has those of a classifier on what was made."""
    told = SYNTHESIS_RECIPES[worth.name].reported
    table = {} if worth.name == LEADING else told.get(_WHERE, {})  # not the thesis's networks
    made = {name: table[name] / 100 for name in _ANSWERED if name in table}
    row = f"{worth.name}, made pictures by a classifier of real ones"
    yield from answer_lines(row, worth.checks["real-on-synthetic"]["synthetic"], made, _WHERE)
    row = f"{worth.name}, real test pictures by a classifier of made ones"
    yield from answer_lines(row, worth.checks["synthetic-on-real"]["real"], {}, "")
    yield from help_lines(worth)
    yield from distance_lines(worth, table, _WHERE)
    of_training = {"training, hours": table["hours"]} if "hours" in table else {}
    if "parameters" in told and table:
        of_training["parameters"] = told["parameters"]
    yield from training_lines(worth, of_training, f"{_WHERE}, 22")


TABLE = GeneratorTable(
    recipes=RECIPES,
    train=train,
    folders=folders,
    lines=lines,
    making=MAKING,
    settings={"smoke": SMOKE, "cpu": {}, "paper": PAPER},
    leading=LEADING,
    deviations=(
        "precision, recall and F1 are those of LWCNN trained on the real training pictures; the "
        "thesis does not say whose",
    ),
)
EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "c_wgan_gp",
        "Eight types of cells made by C-WGAN-GP and its rivals",
        "Hazra 2022",
        "Tables 17 to 20, 22",
        ("pbc",),
        TABLE,
        "PBC and the Munich set, stains normalised",
        parts=RECIPES,
    ),
)
