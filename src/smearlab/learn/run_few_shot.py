"""A few-shot recipe from pictures to run folders: common types first, then each rare one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from smearlab.datasets.manifest.table import write_manifest
from smearlab.errors import UnknownNameError
from smearlab.evaluation.runs import MANIFEST, SUMMARY
from smearlab.io.atomic import write_text
from smearlab.learn.few_shot_data import (
    FewShotPictures,
    FewShotSamples,
    Repeated,
    few_shot_pictures,
    shots_of,
)
from smearlab.learn.few_shot_recipe import FewShotRecipe
from smearlab.learn.games.few_shot import EncodedPictures, NoisePictures
from smearlab.learn.generated_sheets import GeneratedSheets
from smearlab.learn.generator_record import KIND
from smearlab.learn.models.few_shot_gan import FewShotConfig, FewShotCritic, FewShotGenerator
from smearlab.learn.models.figr import FIGRCritic, FIGRGenerator
from smearlab.learn.models.generators import kept_config
from smearlab.learn.run_asked import Asked, run_folder
from smearlab.learn.run_progress import conclude, digest_of, is_done, warnings_later
from smearlab.learn.run_synthesis import LearntPictures, generator_summary
from smearlab.learn.segmentation_record import counts
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.checkpoints import load_networks
from smearlab.learn.train.hardware import is_first_process
from smearlab.learn.train.loss_table import loss_table
from smearlab.learn.train.meta import fit_meta

#: In ``config.json`` and ``summary.json`` of what rare types begin with.
BEGINNING = "beginning of rare types"
_HOW = {"meta": "in episodes of one type", "joint": "all together"}
_CONFIG, _CHECKPOINT, _WEIGHTS = "config.json", "checkpoint.json", "checkpoint.safetensors"


def run_few_shot(
    recipe: FewShotRecipe, asked: Asked, types: tuple[str, ...] = ()
) -> Iterator[Path]:
    """Train a recipe, or go on with it; runs that are done are left as they are.

    What rare types begin with lies in ``OUT/RECIPE-PROTOCOL``, what meta-training begins with in
    ``OUT/RECIPE-PROTOCOL-joint``, the generator of each rare type in ``OUT/RECIPE-PROTOCOL-TYPE``.

    Parameters
    ----------
    recipe : FewShotRecipe
        As :meth:`~smearlab.learn.few_shot_recipe.FewShotRecipe.with_settings` gives it.
    asked : Asked
        Its ``weights`` are not looked at.
    types : tuple of str
        Rare types that are wanted; all when empty.

    Yields
    ------
    Path
        Folder of each rare type's run, once it is done.

    Raises
    ------
    UsageError
        If a run was begun with other settings or pictures.
    UnknownNameError
        If a type is none of the rare ones, or is shown by no picture.
    DataError
        If a type has fewer pictures than shots; see also
        :func:`smearlab.learn.few_shot_data.few_shot_pictures`.
    """
    for name in types:
        if name not in recipe.rare.types:
            raise UnknownNameError(f"rare type of {recipe.name}", name, recipe.rare.types)
    if not is_first_process():
        asked = replace(asked, show=False, say=lambda line: None)
    pictures, recipe = few_shot_pictures(recipe, asked)
    samples = FewShotSamples(recipe, pictures, asked.cache_bytes)
    began = None if recipe.begin == "none" else _begun(recipe, asked, pictures, samples)
    for name in types or recipe.rare.types:
        yield _adapted(recipe, asked, pictures, samples, name, began)


def build_few_shot_game(recipe: FewShotRecipe, shots: Tensor | None = None) -> NoisePictures:
    """The game of a recipe, with fresh networks.

    Parameters
    ----------
    recipe : FewShotRecipe
    shots : Tensor, shape (K, 3, S, S), optional
        uint8: what the generator keeps, if it has an encoder.
    """
    config, play = recipe.generator, recipe.play
    if not isinstance(config, FewShotConfig):
        return NoisePictures(FIGRGenerator(config), FIGRCritic(config), play.augment)
    generator = FewShotGenerator(_with_shots(config, shots))
    critic = FewShotCritic(config)
    if not config.features:
        return NoisePictures(generator, critic, play.augment)
    if shots is not None:
        generator.shots.copy_(shots)
    return EncodedPictures(generator, critic, play.encoder_l1, play.mode_seeking, play.augment)


def _with_shots(config: FewShotConfig, shots: Tensor | None) -> FewShotConfig:
    """Only a generator with an encoder keeps them."""
    return replace(config, shots=len(shots)) if config.features and shots is not None else config


def _begun(
    recipe: FewShotRecipe,
    asked: Asked,
    pictures: FewShotPictures,
    samples: FewShotSamples,
    part: str | None = None,
) -> Path:
    """Train on the common types, or go on with it; before meta-training on all together."""
    before = None
    if recipe.begin == "meta" and recipe.joint.epochs:
        train = replace(recipe.train, epochs=recipe.joint.epochs)
        joint = replace(recipe, begin="joint", train=train)
        before = _begun(joint, asked, pictures, samples, "joint")
    run = run_folder(recipe, asked, part)
    describe = _describe(recipe, asked, pictures, BEGINNING, pictures.common)
    if before is not None:
        describe["begun_with"] = digest_of(before / _WEIGHTS)
    learnt = {"tasks": list(pictures.common)} if recipe.begin == "meta" else {}
    if is_done(run, recipe.train, describe | learnt, asked.say):
        return run
    torch.manual_seed(recipe.train.seed)
    game = build_few_shot_game(recipe)
    if before is not None:
        load_networks(before, game.networks)
    told = f"{len(pictures.rows(pictures.common))} pictures of {', '.join(pictures.common)}"
    asked.say(f"{recipe.name} begins with {told}, {_HOW[recipe.begin]}")
    # Without shots, a generator with an encoder makes nothing yet that could be shown.
    sheets = None if recipe.game == "encoded" else _sheets(recipe, run, game, "common types")
    with warnings_later():
        if recipe.begin == "meta":
            tasks = {name: samples.of((name,)) for name in pictures.common}
            fit_meta(
                game, tasks, recipe.train, recipe.meta, run, validate=sheets, describe=describe,
                show=asked.show,
            )  # fmt: skip
        else:
            source = samples.of(pictures.common)
            fit_adversarial(
                game, source, recipe.train, run, validate=sheets, describe=describe, show=asked.show
            )
    if is_first_process():
        write_manifest(run / MANIFEST, pictures.split.manifest)
        progress = json.loads((run / _CHECKPOINT).read_text(encoding="utf-8"))
        summary = {
            "kind": BEGINNING,
            "recipe": recipe.name,
            "begin": recipe.begin,
            "classes": list(pictures.common),
            "networks": {name: counts(network) for name, network in game.networks.items()},
            "steps": progress["step"],
            "train_seconds": progress["seconds"],
            "warnings": loss_table(run)["warnings"],
        }
        write_text(run / SUMMARY, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    return run


def _adapted(
    recipe: FewShotRecipe,
    asked: Asked,
    pictures: FewShotPictures,
    samples: FewShotSamples,
    name: str,
    began: Path | None,
) -> Path:
    """Adapt to a rare type, or go on with it, and sum up."""
    run, recipe = run_folder(recipe, asked, name), recipe.adapting()
    few = samples.of((name,))
    shots = shots_of(few)
    config = recipe.generator
    if isinstance(config, FewShotConfig):
        recipe = replace(recipe, generator=_with_shots(config, shots))
    describe = {
        **_describe(recipe, asked, pictures, KIND, (name,)),
        "adapt": asdict(recipe.adapt),
        "begun_with": None if began is None else digest_of(began / _WEIGHTS),
    }
    if is_done(run, recipe.train, describe, asked.say):
        return run
    asked.say(f"{recipe.name} learns {name} from {len(few)} pictures")
    torch.manual_seed(recipe.train.seed)
    game = build_few_shot_game(recipe, shots)
    networks = {part: counts(network) for part, network in game.networks.items()}
    if began is not None:
        load_networks(began, game.networks)
        if recipe.adapt.freeze and isinstance(game.critic, FewShotCritic):
            for layer in game.critic.lower_layers(recipe.adapt.freeze):
                layer.requires_grad_(False)
    source = Repeated(few, recipe.adapt.round_steps * recipe.train.step_samples)
    with warnings_later():
        fit_adversarial(
            game, source, recipe.train, run, validate=_sheets(recipe, run, game, name),
            describe=describe, show=asked.show,
        )  # fmt: skip
    if is_first_process():
        split = pictures.split
        write_manifest(run / MANIFEST, split.manifest)
        learnt = LearntPictures(split, (name,), pictures.rows((name,)))
        summary = generator_summary(recipe, asked, learnt, run, networks)
        conclude(run, summary, asked.say)
    return run


def _sheets(recipe: FewShotRecipe, run: Path, game: NoisePictures, name: str) -> GeneratedSheets:
    latent_size: Any = game.generator.latent_size
    return GeneratedSheets(run, (name,), latent_size, recipe.train.seed)


def _describe(
    recipe: FewShotRecipe,
    asked: Asked,
    pictures: FewShotPictures,
    kind: str,
    classes: tuple[str, ...],
) -> dict[str, Any]:
    """What a run follows from beside ``train``, as its ``config.json`` keeps it."""
    described = {
        "kind": kind,
        "recipe": recipe.name,
        "game": recipe.game,
        "begin": recipe.begin,
        "protocol": asked.protocol,
        "classes": list(classes),
        "n_train": asked.n_train,
        "generator": kept_config(recipe.generator),
        "play": asdict(recipe.play),
        "view": asdict(recipe.view),
        "rare": asdict(recipe.rare),
        "data": {**asdict(recipe.data), "digest": pictures.split.digest},
        "deviations": list(recipe.deviations),
    }
    if kind == BEGINNING and recipe.begin == "meta":
        described["meta"] = asdict(recipe.meta)
    return described
