"""A recipe of stains from pictures to run folder: split, play or learn, judge, sum up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch

from smearlab.datasets.manifest.table import write_manifest
from smearlab.errors import UsageError
from smearlab.evaluation.picture_features import BundleFeatures
from smearlab.evaluation.runs import MANIFEST
from smearlab.learn.games.paired import PairedPictures
from smearlab.learn.games.unpaired import UnpairedPictures
from smearlab.learn.models.stain_ways import (
    WAYS,
    PairCritic,
    StainCritics,
    StainWays,
    Way,
    build_stain_network,
    kept_stain_config,
)
from smearlab.learn.run_asked import Asked, run_folder
from smearlab.learn.run_progress import conclude, is_done, progress_of, warnings_later, warnings_of
from smearlab.learn.segmentation_record import counts
from smearlab.learn.stain_data import (
    StainPictures,
    measured_grounds,
    samples_of_stains,
    stain_pictures,
)
from smearlab.learn.stain_judge import SHEET, TESTED, StainJudge
from smearlab.learn.stain_recipe import StainRecipe
from smearlab.learn.stain_record import KIND, StainSummary
from smearlab.learn.stain_samples import JitteredSamples, TaughtSamples, UnpairedSamples
from smearlab.learn.stain_teacher import StainTeacher
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.game import Game
from smearlab.learn.train.hardware import is_first_process
from smearlab.learn.train.sampling import SampleSource, steps_per_epoch
from smearlab.learn.train.supervised import fit

_CONFIG, _CHECKPOINT = "config.json", "checkpoint.json"


def run_stain(recipe: StainRecipe, asked: Asked, teacher: str | None = None) -> Path:
    """Train a network from stain to stain, or go on with it; a run that is done stays as it is.

    Parameters
    ----------
    recipe : StainRecipe
        As :meth:`~smearlab.learn.stain_recipe.StainRecipe.with_settings` gives it.
    asked : Asked
        Its ``weights`` are not looked at.
    teacher : str, optional
        Where it is taught: see :meth:`smearlab.learn.stain_teacher.StainTeacher.load`.

    Returns
    -------
    Path
        Folder of the run.

    Raises
    ------
    UsageError
        If the run was begun with other settings or pictures, or teacher and recipe do not go
        together.
    UnknownNameError
        If no picture is of a stain.
    DataError
        See :func:`smearlab.learn.stain_data.stain_pictures`.
    """
    if not is_first_process():
        asked = replace(asked, show=False, say=lambda line: None)
    run = run_folder(recipe, asked)
    _refuse_teacher(recipe, teacher)
    pictures = stain_pictures(recipe, asked)
    recipe = replace(recipe, stains=pictures.stains)
    sides = (recipe.view.size_px, recipe.judged_px)
    taught = None if teacher is None else StainTeacher.load(teacher, pictures.stains, sides)
    if recipe.same_ground if taught is None else taught.ground is not None:
        grounds = measured_grounds(recipe, pictures)
        if taught is not None and taught.ground is not None:
            grounds[recipe.stains[0]] = taught.ground
        pictures = replace(pictures, grounds=grounds)
    describe = _describe(recipe, asked, pictures, taught)
    if is_done(run, recipe.train, describe, asked.say):
        return run
    features = BundleFeatures()
    judges = {
        part: StainJudge(
            *samples_of_stains(recipe, pictures, part),
            recipe.judged,
            features,
            pictures.stains,
            taught,
            run / (SHEET if part == "val" else TESTED),
        )
        for part in ("val", "test")
    }
    a, b = samples_of_stains(recipe, pictures, "train", asked.cache_bytes)
    torch.manual_seed(recipe.train.seed)
    training = _training(recipe, a.without_augmentation() if taught else a, b, taught)
    trained = training.go(run, judges["val"], describe, show=asked.show)
    if is_first_process():
        write_manifest(run / MANIFEST, pictures.split.manifest)
        summary = _summary(recipe, asked, run, pictures, training, judges["test"], trained)
        conclude(run, summary, asked.say)
    return run


def _refuse_teacher(recipe: StainRecipe, teacher: str | None) -> None:
    if recipe.learning == "taught" and teacher is None:
        raise UsageError(
            f"{recipe.name} learns from what a trained network answers: name its bundle or its "
            "run with --teacher"
        )
    if recipe.learning != "taught" and teacher is not None:
        raise UsageError(f"--teacher: {recipe.name} learns without one; leave it out")


@dataclass(frozen=True, eq=False)
class _Training:
    """A model, what it learns from, and the game that it plays, if any."""

    recipe: StainRecipe
    model: StainWays
    source: SampleSource
    game: Game | None
    numbers: Mapping[str, Mapping[str, int]]

    def go(
        self, run: Path, judge: StainJudge, describe: Mapping[str, Any], *, show: bool
    ) -> StainWays:
        """The trained model in evaluation mode."""
        train = self.recipe.train
        kept: dict[str, Any] = {"validate": judge, "describe": describe, "show": show}
        if not isinstance(train, AdversarialConfig):
            loss = self.recipe.loss
            return cast(StainWays, fit(self.model, self.source, loss, train, run, **kept))
        steps = steps_per_epoch(len(self.source), train.step_samples) * train.epochs
        self.model.settling.after = round(self.recipe.settle * steps * train.critic_steps)
        assert self.game is not None
        with warnings_later():
            trained = fit_adversarial(self.game, self.source, train, run, **kept)
        return cast(StainWays, trained)


def build_stain_game(recipe: StainRecipe) -> Game:
    """The game of a recipe, with fresh networks; its generator is a ``StainWays``.

    Raises
    ------
    UsageError
        If the recipe is taught and plays none.
    """
    if recipe.learning == "taught":
        raise UsageError(f"{recipe.name} learns from a teacher, and plays no game")
    weights, unpaired = recipe.weights, recipe.learning == "unpaired"
    ways: tuple[Way, ...] = WAYS if unpaired else WAYS[:1]
    model = StainWays({way: build_stain_network(recipe.network) for way in ways})
    if not unpaired:
        return PairedPictures(model, PairCritic(recipe.critic), weights.l1)
    return UnpairedPictures(
        model,
        StainCritics(recipe.critic),
        cycle_weight=weights.cycle,
        identity_weight=weights.identity,
    )


def _training(recipe: StainRecipe, a: Any, b: Any, teacher: StainTeacher | None) -> _Training:
    """Fresh networks, with what they learn from."""
    if recipe.learning == "taught":
        assert teacher is not None
        model = StainWays({WAYS[0]: build_stain_network(recipe.network)})
        return _Training(
            recipe, model, TaughtSamples(a, teacher), None, {"generator": counts(model)}
        )
    game = build_stain_game(recipe)
    source: SampleSource = (
        JitteredSamples(b, recipe.weights.jitter)
        if recipe.learning == "jittered"
        else UnpairedSamples(a, b)
    )
    model = cast(StainWays, game.generator)
    return _Training(recipe, model, source, game, {k: counts(v) for k, v in game.networks.items()})


def _describe(
    recipe: StainRecipe, asked: Asked, pictures: StainPictures, teacher: StainTeacher | None
) -> dict[str, Any]:
    """What a run follows from beside ``train``, as its ``config.json`` keeps it."""
    learned = (
        {"loss": asdict(recipe.loss)}
        if recipe.critic is None
        else {
            "critic": asdict(recipe.critic),
            "weights": asdict(recipe.weights),
            "settle": recipe.settle,
        }
    )
    return {
        "kind": KIND,
        "recipe": recipe.name,
        "learning": recipe.learning,
        "protocol": asked.protocol,
        "stains": list(recipe.stains),
        "network": kept_stain_config(recipe.network),
        **learned,
        **({"grounds": dict(pictures.grounds)} if pictures.grounds else {}),
        "teacher": None if teacher is None else teacher.facts,
        "view": asdict(recipe.view),
        "judged": recipe.judged,
        "judged_px": recipe.judged_px,
        "n_train": asked.n_train,
        "data": {**asdict(recipe.data), "digest": pictures.split.digest},
        "deviations": list(recipe.deviations),
    }


def _summary(
    recipe: StainRecipe,
    asked: Asked,
    run: Path,
    pictures: StainPictures,
    training: _Training,
    judge: StainJudge,
    trained: StainWays,
) -> StainSummary:
    return StainSummary(
        recipe=recipe.name,
        protocol=asked.protocol,
        stains=pictures.stains,
        ways=tuple(training.model.ways),
        types=pictures.split.classes,
        networks=training.numbers,
        pictures=pictures.counts,
        **asdict(progress_of(run, recipe.train.step_samples)),
        seed=recipe.train.seed,
        features=judge.features.name,
        figures={
            name: {"value": one.value, "low": one.interval[0], "high": one.interval[1]}
            for name, one in judge.figures(trained).items()
        },
        judged=dict(zip(pictures.stains, map(len, judge.real), strict=True)),
        teacher=judge.teacher.facts if isinstance(judge.teacher, StainTeacher) else None,
        datasets=tuple(sorted(set(pictures.split.manifest.column("dataset")))),
        reported=recipe.reported,
        deviations=recipe.deviations,
        warnings=warnings_of(run) if recipe.critic else (),
    )
