"""A classifier's recipe from pictures to a run folder: split, train, predict, sum up."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.balance import class_weights
from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.datasets.segmented_manifest import segmented_elements
from smearlab.errors import UsageError
from smearlab.evaluation.runs import MANIFEST
from smearlab.learn.classifier_recipe import ClassifierRecipe
from smearlab.learn.held_out import HeldOutPictures, Validation
from smearlab.learn.manifest_samples import ManifestSamples, Split, rows_of_split
from smearlab.learn.models.classifiers import CLASSIFIERS, build_classifier
from smearlab.learn.models.complexity import multiply_accumulates
from smearlab.learn.objectives import Classification
from smearlab.learn.picture_cache import PictureCache
from smearlab.learn.run_asked import Asked, crops_of, run_folder, splits_of, used_data
from smearlab.learn.run_progress import digest_of, is_done
from smearlab.learn.run_record import refuse_other_folds, summary_of
from smearlab.learn.split_protocols import (
    SplitPictures,
)
from smearlab.learn.train.checkpoints import parameter_count, result_weights
from smearlab.learn.train.hardware import is_first_process
from smearlab.learn.train.supervised import fit
from smearlab.learn.train.transfer import (
    freeze_all_but_head,
    load_backbone,
    no_weight_file,
    stage_parameters,
)

PRETRAINED = "pretrained"


def run_classifier(recipe: ClassifierRecipe, asked: Asked) -> Iterator[Path]:
    """Train a recipe, or go on with it.

    Parameters
    ----------
    recipe : ClassifierRecipe
        As it is or with overridden settings.
    asked : Asked

    Yields
    ------
    Path
        Each finished run: the recipe's folder, or its ``fold-1`` to ``fold-k`` one by one. Those
        that are done already are passed over.

    Raises
    ------
    UsageError
        If a run was begun with other settings or pictures, the network does not take pictures of
        the view's size, or only the head would be trained on random weights.
    DataError
        If the pictures are not those that the recipe wants; see also
        :func:`smearlab.learn.split_protocols.split_pictures`.
    """
    _check(recipe, asked)
    if not is_first_process():
        asked = replace(asked, show=False, say=lambda line: None)
    run, weights, classes = run_folder(recipe, asked), asked.weights, None
    refuse_other_folds(run, recipe.data.folds)
    splits = splits_of(recipe, asked, generated=True)
    recipe = _as_segmented(recipe, splits[0].manifest, asked)
    if recipe.pretrain is not None:
        first = replace(asked, n_train=None, weights=None, folds=())
        asked.say(f"first {recipe.pretrain.name}, whose weights the others begin with")
        (pretrained,) = splits_of(recipe.pretrain, first)
        classes = pretrained.classes
        _refuse_unknown_classes(splits, classes, recipe.pretrain.name)
        folder = run / PRETRAINED
        _run_split(recipe.pretrain, pretrained, first, folder, PictureCache(asked.cache_bytes))
        weights = result_weights(folder)
    cache = PictureCache(asked.cache_bytes)
    for split in splits:
        folder = run if split.fold is None else run / f"fold-{split.fold}"
        if classes is not None:  # the head goes on, too
            split = replace(split, classes=classes)
        _run_split(recipe, split, replace(asked, weights=weights), folder, cache)
        yield folder


def _check(recipe: ClassifierRecipe, asked: Asked) -> None:
    """What can be told before any picture is read."""
    entry = CLASSIFIERS[recipe.network]
    size_px = recipe.view.size_px
    try:
        with torch.device("meta"):  # shapes without numbers
            multiply_accumulates(build_classifier(recipe.network, 2), size_px)
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"{recipe.network} does not take pictures of {size_px} px ({_first_line(error)}); its "
            f"own size is {entry.input_px}: set view.size_px"
        ) from error
    if asked.weights is not None and not asked.weights.is_file():
        raise no_weight_file(asked.weights)
    if recipe.freeze and asked.weights is None and recipe.pretrain is None:
        raise UsageError(
            f"{recipe.name} trains the head only, which needs a trained body: give its weights "
            "with --weights PATH, or train all of it with --no-freeze"
        )


def _as_segmented(recipe: ClassifierRecipe, manifest: Manifest, asked: Asked) -> ClassifierRecipe:
    """The recipe, which departs from itself where its pictures are not segmented as it wants."""
    shown = segmented_elements(manifest.provenance)
    if recipe.segmented is None or shown == (recipe.segmented,):
        return recipe
    word = recipe.segmented.lower()
    asked.say(
        f"{recipe.name} is for pictures of the {recipe.segmented} alone, and these show "
        f"{' and '.join(shown) or 'everything'}: smearlab data segment M.parquet --element {word}"
    )
    said = f"pictures of {' and '.join(shown)} alone" if shown else "whole pictures, not segmented"
    return replace(recipe, deviations=(*recipe.deviations, said))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _refuse_unknown_classes(
    splits: list[SplitPictures], classes: tuple[str, ...], pretrained: str
) -> None:
    unknown = [name for name in splits[0].classes if name not in classes]
    if unknown:
        raise UsageError(
            f"the pictures show {', '.join(unknown)}, which {pretrained} does not know: it was "
            f"trained on {', '.join(classes)}. Choose a taxonomy that both have"
        )


def _run_split(
    recipe: ClassifierRecipe,
    split: SplitPictures,
    asked: Asked,
    run: Path,
    cache: PictureCache,
) -> None:
    """Train on one split, unless that is done, and write what the run leaves."""
    describe = _describe(recipe, split, asked)
    if is_done(run, recipe.train, describe, asked.say):
        return
    parts = _samples(recipe, split, asked, cache)
    loss = _with_class_weights(recipe, parts["train"])
    validation = Validation(HeldOutPictures(parts["val"]), loss)
    torch.manual_seed(recipe.train.seed)
    model = build_classifier(recipe.network, len(split.classes))
    sizes = {
        "parameters": parameter_count(model),
        "macs": multiply_accumulates(model, recipe.view.size_px),
    }
    _begin_with(model, recipe, asked)
    staged = recipe.train.backbone_lr_scale != 1
    model = fit(
        model,
        parts["train"],
        loss,
        recipe.train,
        run,
        describe=describe,
        show=asked.show,
        validate=validation if recipe.chooses else None,
        stages=stage_parameters(model) if staged else None,
    )
    if not is_first_process():
        return  # the first process writes for all
    write_manifest(run / MANIFEST, split.manifest)
    validation.pictures.predictions(model).save(run, "val")
    HeldOutPictures(parts["test"]).predictions(model).save(run, "test")
    summary_of(recipe, split, asked.protocol, run, sizes).save(run)


def _describe(recipe: ClassifierRecipe, split: SplitPictures, asked: Asked) -> dict[str, Any]:
    """What a run follows from beside ``train``, as its ``config.json`` keeps it."""
    facts = dataclasses.asdict(replace(recipe, data=used_data(recipe.data, split.manifest)))
    return {
        "kind": "classifier",
        "recipe": recipe.name,
        "network": recipe.network,
        "classes": list(split.classes),
        "protocol": asked.protocol,
        "fold": split.fold,
        "folds": split.folds,
        "n_train": asked.n_train,
        "data": {**facts["data"], "digest": split.digest},
        "view": facts["view"],
        "loss": facts["loss"],
        "freeze": recipe.freeze,
        "weights": digest_of(asked.weights),
        "deviations": list(recipe.deviations),
        **({} if recipe.chooses else {"chooses": False}),
    }


def _samples(
    recipe: ClassifierRecipe, split: SplitPictures, asked: Asked, cache: PictureCache
) -> dict[Split, ManifestSamples]:
    """Samples of each part, their pictures decoded as far as they fit into memory."""
    crops = crops_of(split.manifest, recipe)
    names: tuple[Split, ...] = ("train", "val", "test")
    parts = {
        name: ManifestSamples(
            split.manifest,
            split.classes,
            recipe.view,
            rows=rows_of_split(split.manifest, name),
            crops=crops,
            cache=cache,
        )
        for name in names
    }
    before = len(cache)
    for samples in parts.values():
        samples.keep(threads=usable_cores())
    if len(cache) > before:
        total = sum(map(len, parts.values()))
        asked.say(
            f"{min(len(cache), total)} of {total} pictures decoded in memory, "
            f"{cache.n_bytes / 1e6:.0f} MB"
        )
    return parts


def _with_class_weights(recipe: ClassifierRecipe, samples: ManifestSamples) -> Classification:
    """The loss, each class weighted by its training pictures if the recipe asks for it."""
    method, given = recipe.data.weights, recipe.loss.class_weights
    if given is not None and len(given) != len(samples.classes):
        raise UsageError(
            f"there are {len(given)} class_weights, and the classes are "
            f"{', '.join(samples.classes)}: give one for each, in this order"
        )
    if method == "none":
        return recipe.loss
    if given is not None:
        raise UsageError(
            f"class_weights are given and data.weights asks for others ({method}): leave one out"
        )
    counts = np.bincount(samples.targets, minlength=len(samples.classes))
    return replace(recipe.loss, class_weights=tuple(class_weights(counts, method).tolist()))


def _begin_with(model: nn.Module, recipe: ClassifierRecipe, asked: Asked) -> None:
    """Given weights into a fresh network; what shall not learn is frozen."""
    if asked.weights is not None:
        loaded = load_backbone(model, asked.weights, head=recipe.pretrain is not None)
        asked.say(loaded.describe())
    if recipe.freeze:
        freeze_all_but_head(model)
