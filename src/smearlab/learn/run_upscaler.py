"""A recipe that makes pictures larger, from pictures to run folder: split, train, judge, sum up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.table import write_manifest
from smearlab.errors import UnknownNameError, UsageError
from smearlab.evaluation.runs import MANIFEST
from smearlab.learn.games.super_resolution import SuperResolution
from smearlab.learn.manifest_samples import ManifestSamples, Split, rows_of_split
from smearlab.learn.models.content_features import content_features, content_source
from smearlab.learn.models.srgan import SRGANDiscriminator, SRGANGenerator
from smearlab.learn.picture_cache import PictureCache
from smearlab.learn.run_asked import Asked, crops_of, run_folder, splits_of
from smearlab.learn.run_progress import (
    conclude,
    digest_of,
    is_done,
    progress_of,
    warnings_later,
    warnings_of,
)
from smearlab.learn.segmentation_record import counts
from smearlab.learn.split_protocols import SplitPictures
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.checkpoints import load_weights
from smearlab.learn.train.hardware import is_first_process
from smearlab.learn.train.supervised import fit
from smearlab.learn.train.transfer import no_weight_file
from smearlab.learn.upscale_judge import SHEET, UpscaleJudge
from smearlab.learn.upscale_recipe import UpscaleRecipe
from smearlab.learn.upscale_record import KIND, UpscaleSummary
from smearlab.learn.upscale_samples import UpscaleSamples

_CONFIG, _CHECKPOINT = "config.json", "checkpoint.json"
_PARTS: tuple[Split, ...] = ("train", "val", "test")


def run_upscaler(recipe: UpscaleRecipe, asked: Asked, type_: str | None = None) -> Path:
    """Train an upscaler, or go on with it; a run that is done is left as it is.

    Parameters
    ----------
    recipe : UpscaleRecipe
        As :meth:`~smearlab.learn.upscale_recipe.UpscaleRecipe.with_settings` gives it.
    asked : Asked
        Its ``weights`` are those that the generator begins with: of an SRResNet, usually.
    type_ : str, optional
        The one type that is learned from and judged on; all when left out.

    Returns
    -------
    Path
        Folder of the run.

    Raises
    ------
    UsageError
        If the run was begun with other settings or pictures, or weights are of another network.
    UnknownNameError
        If no picture is of the type.
    DataError
        If the pictures are not those that the recipe wants.
    """
    if asked.weights is not None and not asked.weights.is_file():
        raise no_weight_file(asked.weights)
    run = run_folder(recipe, asked, type_)
    (split,) = splits_of(recipe, asked)
    describe = _describe(recipe, asked, split, type_)
    if is_done(run, recipe.train, describe, asked.say):
        return run
    parts = samples_of(recipe, split, type_, asked.cache_bytes)
    chooses = recipe.critic is None
    judge = UpscaleJudge(parts["val"], recipe.judged, chooses, run / SHEET)
    torch.manual_seed(recipe.train.seed)
    model = SRGANGenerator(recipe.network)
    game = None if recipe.critic is None else build_upscaler_game(recipe, model)
    learns = {"generator": model} if game is None else game.networks
    networks = {name: counts(network) for name, network in learns.items()}
    if asked.weights is not None:
        load_weights(asked.weights, model)
        asked.say(f"the generator begins with {asked.weights}")
    trained = _trained(recipe, asked, run, parts["train"], judge, describe, model, game)
    features = None if game is None else str(game.fixed["features"].name)
    if is_first_process():
        write_manifest(run / MANIFEST, split.manifest)
        figures = judge(trained)
        summary = _summary(recipe, asked, run, split, parts, figures, networks, type_, features)
        conclude(run, summary, asked.say)
    return run


def samples_of(
    recipe: UpscaleRecipe, split: SplitPictures, type_: str | None = None, cache_bytes: int = 0
) -> dict[Split, UpscaleSamples]:
    """Pairs of each part.

    Parameters
    ----------
    recipe : UpscaleRecipe
    split : SplitPictures
    type_ : str, optional
        The one type whose pictures are taken.
    cache_bytes : int
        Decoded pictures that are kept in memory at most.

    Raises
    ------
    UnknownNameError
        If there is no such type.
    UsageError
        If a part has no picture of it.
    """
    if type_ is not None and type_ not in split.classes:
        raise UnknownNameError("type of cell", type_, split.classes)
    crops, cache = crops_of(split.manifest, recipe), PictureCache(cache_bytes)
    types = split.manifest.column("type")
    parts = {}
    for name in _PARTS:
        rows = rows_of_split(split.manifest, name)
        if type_ is not None:
            rows = rows[types[rows] == type_]
        if not rows.size:
            raise UsageError(
                f"no picture of {type_} is in {name}: give more pictures, or learn from all types"
            )
        pictures = ManifestSamples(
            split.manifest,
            split.classes,
            recipe.view.picture,
            rows=np.asarray(rows, np.intp),
            crops=crops,
            cache=cache,
        )
        if cache_bytes:
            pictures.keep(threads=usable_cores())
        parts[name] = UpscaleSamples(pictures, recipe.view, recipe.network.factor)
    return parts


def build_upscaler_game(
    recipe: UpscaleRecipe, generator: SRGANGenerator | None = None
) -> SuperResolution:
    """The game of a recipe with a critic.

    Parameters
    ----------
    recipe : UpscaleRecipe
    generator : SRGANGenerator, optional
        Fresh when left out. The critic is.

    Raises
    ------
    UsageError
        If the recipe has no critic, or the weights of its content loss do not fit.
    """
    if recipe.critic is None:
        raise UsageError(f"{recipe.name} has no adversary, and so no game")
    model = generator or SRGANGenerator(recipe.network)
    critic, weights = SRGANDiscriminator(recipe.critic), recipe.weights
    return SuperResolution(
        model,
        critic,
        content_features(recipe.content),
        content_weight=weights.content,
        adversarial_weight=weights.adversarial,
        pixel_weight=weights.pixels,
    )


def _trained(
    recipe: UpscaleRecipe,
    asked: Asked,
    run: Path,
    samples: UpscaleSamples,
    judge: UpscaleJudge,
    describe: Mapping[str, Any],
    model: nn.Module,
    game: SuperResolution | None,
) -> nn.Module:
    """The trained generator."""
    kept: dict[str, Any] = {"validate": judge, "describe": describe, "show": asked.show}
    if not isinstance(recipe.train, AdversarialConfig):
        return fit(model, samples, recipe.loss, recipe.train, run, **kept)
    assert game is not None
    with warnings_later():
        return fit_adversarial(game, samples, recipe.train, run, **kept)


def _describe(
    recipe: UpscaleRecipe, asked: Asked, split: SplitPictures, type_: str | None
) -> dict[str, Any]:
    """What a run follows from beside ``train``, as its ``config.json`` keeps it."""
    learned: dict[str, Any] = {"loss": asdict(recipe.loss)}
    if recipe.critic is not None:
        learned = {
            "critic": asdict(recipe.critic),
            "content": {"layer": recipe.content.layer, "source": content_source(recipe.content)},
            "weights": asdict(recipe.weights),
        }
    return {
        "kind": KIND,
        "recipe": recipe.name,
        "protocol": asked.protocol,
        "type": type_,
        "network": asdict(recipe.network),
        **learned,
        "view": asdict(recipe.view),
        "begins_with": digest_of(asked.weights),
        "n_train": asked.n_train,
        "data": {**asdict(recipe.data), "digest": split.digest},
        "deviations": list(recipe.deviations),
    }


def _summary(
    recipe: UpscaleRecipe,
    asked: Asked,
    run: Path,
    split: SplitPictures,
    parts: Mapping[Split, UpscaleSamples],
    figures: Mapping[str, float],
    networks: Mapping[str, Mapping[str, int]],
    type_: str | None,
    features: str | None,
) -> UpscaleSummary:
    return UpscaleSummary(
        recipe=recipe.name,
        protocol=asked.protocol,
        factor=recipe.network.factor,
        type=type_,
        types=split.classes if type_ is None else (type_,),
        networks=networks,
        pictures={name: len(part) for name, part in parts.items()},
        features=features,
        **asdict(progress_of(run, recipe.train.step_samples)),
        seed=recipe.train.seed,
        figures={name: value for name, value in figures.items() if name != "loss"},
        judged=min(recipe.judged, len(parts["val"])),
        datasets=tuple(sorted(set(split.manifest.column("dataset")))),
        reported=recipe.reported,
        deviations=recipe.deviations,
        warnings=warnings_of(run) if recipe.critic else (),
    )
