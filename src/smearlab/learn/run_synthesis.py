"""A generator's recipe from pictures to a run folder: split, play, name codes, sum up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.table import write_manifest
from smearlab.datasets.manifest.taxonomy import TAXONOMIES
from smearlab.errors import DataError, UnknownNameError, UsageError
from smearlab.evaluation.runs import MANIFEST
from smearlab.learn.games.codes import NamedCodes, name_codes
from smearlab.learn.games.conditional import ReadableCodes, TypedPictures
from smearlab.learn.generated_sheets import GeneratedSheets
from smearlab.learn.generator_record import KIND, GeneratorSummary
from smearlab.learn.manifest_samples import ManifestSamples, rows_of_split
from smearlab.learn.models.generators import kept_config
from smearlab.learn.objectives import image_batch
from smearlab.learn.peak_memory import peak_device_memory_mb, peak_memory_mb
from smearlab.learn.picture_cache import PictureCache
from smearlab.learn.run_asked import Asked, crops_of, run_folder, splits_of
from smearlab.learn.run_progress import conclude, is_done, progress_of, warnings_later, warnings_of
from smearlab.learn.segmentation_record import counts
from smearlab.learn.split_protocols import SplitPictures
from smearlab.learn.synthesis_games import build_synthesis_game
from smearlab.learn.synthesis_recipe import SynthesisRecipe
from smearlab.learn.train.adversarial import fit_adversarial
from smearlab.learn.train.adversarial_watch import likeness
from smearlab.learn.train.hardware import is_first_process
from smearlab.learn.train.run_folder import read_log

if TYPE_CHECKING:
    from smearlab.learn.few_shot_recipe import FewShotRecipe

_CONFIG, _CHECKPOINT = "config.json", "checkpoint.json"
_READ_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class LearntPictures:
    """What a generator learns from.

    Parameters
    ----------
    split : SplitPictures
        All pictures with their parts.
    classes : tuple of str
        The types that the generator makes.
    rows : ndarray of int, shape (N,)
        Of the split's manifest: training pictures of these types, none of them synthetic.
    """

    split: SplitPictures
    classes: tuple[str, ...]
    rows: np.ndarray[Any, np.dtype[np.intp]]

    @property
    def counts(self) -> dict[str, int]:
        """Pictures of each type."""
        found = Counter(self.split.manifest.column("type")[self.rows].tolist())
        return {name: found[name] for name in self.classes}

    @property
    def datasets(self) -> tuple[str, ...]:
        """Sets that they are from."""
        return tuple(sorted(set(self.split.manifest.column("dataset")[self.rows].tolist())))


def run_synthesis(recipe: SynthesisRecipe, asked: Asked, type_name: str | None = None) -> Path:
    """Train a generator, or go on with it; a run that is done is left as it is.

    Parameters
    ----------
    recipe : SynthesisRecipe
        As :meth:`~smearlab.learn.synthesis_recipe.SynthesisRecipe.with_settings` gives it.
    asked : Asked
        Its ``weights`` are not looked at.
    type_name : str, optional
        The one type that is learnt, of recipes with networks for each.

    Returns
    -------
    Path
        Folder of the run.

    Raises
    ------
    UsageError
        If the run was begun with other settings, types or pictures, or a type is asked of a recipe
        that makes all, or none of one that makes one.
    UnknownNameError
        If there is no such type.
    DataError
        If no training picture shows a type that shall be made.
    """
    if not is_first_process():
        asked = replace(asked, show=False, say=lambda line: None)
    run = run_folder(recipe, asked, type_name)
    learnt = learnt_pictures(recipe, asked, type_name)
    recipe = recipe.for_types(len(learnt.classes))
    describe = _describe(recipe, asked, learnt)
    if is_done(run, recipe.train, describe, asked.say):
        return run
    samples = _samples(recipe, asked, learnt)
    torch.manual_seed(recipe.train.seed)
    game = build_synthesis_game(recipe)
    networks = {name: counts(network) for name, network in game.networks.items()}
    rows = _row_names(recipe, learnt.classes)
    with warnings_later():
        fit_adversarial(
            game,
            samples,
            recipe.train,
            run,
            validate=GeneratedSheets(run, rows, game.latent_size, recipe.train.seed),
            describe=describe,
            show=asked.show,
        )
    if is_first_process():
        write_manifest(run / MANIFEST, learnt.split.manifest)
        named = _named(game, samples)
        summary = generator_summary(recipe, asked, learnt, run, networks, named)
        conclude(run, summary, asked.say)
    return run


def learnt_pictures(
    recipe: SynthesisRecipe, asked: Asked, type_name: str | None = None
) -> LearntPictures:
    """The training pictures of the types that shall be made; see :func:`run_synthesis`."""
    wanted = _wanted(recipe, type_name)
    (split,) = splits_of(recipe, asked)
    there = split.manifest
    rows = rows_of_split(there, "train")
    made = there.column("synthetic")[rows].astype(bool)
    if made.any():
        asked.say(f"{int(made.sum())} synthetic pictures are left out: they teach no generator")
    types = there.column("type")[rows]
    if wanted is None:  # labels are types as they are
        if type_name is not None and type_name not in split.classes:
            raise UnknownNameError("type of pictures", type_name, split.classes)
        wanted = split.classes if type_name is None else (type_name,)
    rows = rows[~made & np.isin(types, wanted)]
    learnt = LearntPictures(split, wanted, rows)
    empty = [name for name, number in learnt.counts.items() if not number]
    if empty:
        raise DataError(
            f"{recipe.name} shall make {', '.join(wanted)}, and no training picture of "
            f"{asked.data} shows {', '.join(empty)} (there are {', '.join(split.classes)}): give "
            "pictures of it, or choose other types with --set data.taxonomy=NAME"
        )
    return learnt


def _wanted(recipe: SynthesisRecipe, type_name: str | None) -> tuple[str, ...] | None:
    """The types of a run; None where only the pictures tell them."""
    if recipe.per_type and type_name is None:
        raise UsageError(
            f"{recipe.name} has a network for each type: name one with --type, as --type basophil"
        )
    if type_name is not None and not recipe.per_type:
        raise UsageError(
            f"{recipe.name} makes all types with one network: leave --type {type_name} out"
        )
    if recipe.data.taxonomy not in TAXONOMIES:
        return None
    known = tuple(TAXONOMIES[recipe.data.taxonomy].types)
    if type_name is None:
        return known
    if type_name not in known:
        raise UnknownNameError(f"type of {recipe.data.taxonomy}", type_name, known)
    return (type_name,)


def _row_names(recipe: SynthesisRecipe, classes: tuple[str, ...]) -> list[str]:
    """What the rows of a sheet show while the network learns."""
    if recipe.game == "codes":
        return [f"code {n + 1}" for n in range(len(classes))]
    return list(classes)


def _describe(recipe: SynthesisRecipe, asked: Asked, learnt: LearntPictures) -> dict[str, Any]:
    """What a run follows from beside ``train``, as its ``config.json`` keeps it."""
    return {
        "kind": KIND,
        "recipe": recipe.name,
        "game": recipe.game,
        "protocol": asked.protocol,
        "classes": list(learnt.classes),
        "n_train": asked.n_train,
        "generator": kept_config(recipe.generator),
        "critic": kept_config(recipe.critic),
        "teacher": None if recipe.teacher is None else asdict(recipe.teacher),
        "weights": asdict(recipe.weights),
        "view": asdict(recipe.view),
        "data": {**asdict(recipe.data), "digest": learnt.split.digest},
        "deviations": list(recipe.deviations),
    }


def _samples(recipe: SynthesisRecipe, asked: Asked, learnt: LearntPictures) -> ManifestSamples:
    """The pictures, decoded as far as they fit into memory."""
    samples = ManifestSamples(
        learnt.split.manifest,
        learnt.classes,
        recipe.view,
        rows=learnt.rows,
        crops=crops_of(learnt.split.manifest, recipe),
        cache=PictureCache(asked.cache_bytes),
    )
    samples.keep(threads=usable_cores())
    told = ", ".join(f"{name} {number}" for name, number in learnt.counts.items())
    asked.say(f"{recipe.name} learns from {len(samples)} pictures: {told}")
    return samples


def _named(game: TypedPictures, samples: ManifestSamples) -> NamedCodes | None:
    """Which types an unsupervised generator's codes stand for, by the pictures it learnt from."""
    if not isinstance(game, ReadableCodes):
        return None
    reader, still = game.allies["reader"].eval(), samples.without_augmentation()
    device = next(reader.parameters()).device
    rng, codes = np.random.default_rng(0), []  # nothing is drawn from it
    for start in range(0, len(still), _READ_AT_ONCE):
        numbers = range(start, min(start + _READ_AT_ONCE, len(still)))
        pixels = torch.from_numpy(np.stack([still.sample(n, rng)["pixels"] for n in numbers]))
        with torch.inference_mode():
            codes.append(reader(image_batch(pixels.to(device))).argmax(1).cpu().numpy())
    return name_codes(np.concatenate(codes), samples.targets, game.classes)


def generator_summary(
    recipe: SynthesisRecipe | FewShotRecipe,
    asked: Asked,
    learnt: LearntPictures,
    run: Path,
    networks: Mapping[str, Mapping[str, int]],
    named: NamedCodes | None = None,
) -> GeneratorSummary:
    """What a run that has ended says of itself.

    Parameters
    ----------
    recipe : SynthesisRecipe or FewShotRecipe
    asked : Asked
    learnt : LearntPictures
    run : Path
        Its folder.
    networks : mapping of str to mapping
        Sizes, as :class:`~smearlab.learn.generator_record.GeneratorSummary` has them.
    named : NamedCodes, optional
        What the codes of an unsupervised generator stand for.
    """
    told, classes = progress_of(run, recipe.train.step_samples), learnt.classes
    figures = {"likeness": likeness(read_log(run)[-recipe.train.watch_steps :])}
    if named is not None:
        classes = tuple(classes[number] for number in named.types)
        figures["code_agreement"] = named.agreement
    return GeneratorSummary(
        recipe=recipe.name,
        game=recipe.game,
        protocol=asked.protocol,
        classes=classes,
        size_px=recipe.generator.size_px,
        latent_size=recipe.generator.latent_size,
        networks=networks,
        pictures=learnt.counts,
        digest=learnt.split.digest,
        epochs=told.epochs,
        steps=told.steps,
        train_seconds=told.train_seconds,
        step_seconds=told.train_seconds / told.steps if told.train_seconds else None,
        peak_memory_mb=peak_memory_mb(),
        peak_device_memory_mb=peak_device_memory_mb(),
        hardware=told.hardware,
        precision=told.precision,
        batch_size=recipe.train.batch_size,
        seed=recipe.train.seed,
        figures=figures,
        datasets=learnt.datasets,
        reported=recipe.reported,
        deviations=recipe.deviations,
        warnings=warnings_of(run),
    )
