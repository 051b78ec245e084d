"""The pipeline's trainings: normaliser, generators, classifier; and what they do to pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.balance import BalanceRules, TypePlan, balance_plan
from smearlab.datasets.manifest.table import Manifest
from smearlab.evaluation.answer_figures import answer_figures
from smearlab.evaluation.runs import Predictions, RunSummary
from smearlab.learn.classifier_recipe import AS_TYPED, ClassifierRecipe, PictureData, with_settings
from smearlab.learn.export_generators import export_generator
from smearlab.learn.export_stain import export_stain
from smearlab.learn.few_shot_recipe import FewShotRecipe
from smearlab.learn.generator_run import load_generator_run
from smearlab.learn.models.classifiers import CLASSIFIERS
from smearlab.learn.objectives import Classification
from smearlab.learn.recipes import FEW_SHOT_RECIPES, STAIN_RECIPES, SYNTHESIS_RECIPES
from smearlab.learn.recipes.trainings import TUNED
from smearlab.learn.run_asked import Asked
from smearlab.learn.run_classifier import run_classifier
from smearlab.learn.run_few_shot import run_few_shot
from smearlab.learn.run_stain import run_stain
from smearlab.learn.run_synthesis import run_synthesis
from smearlab.learn.stain_recipe import StainRecipe
from smearlab.learn.stain_run import open_stain_run
from smearlab.learn.synthesis_recipe import SynthesisRecipe
from smearlab.learn.transforms.affine_ranges import WHOLE_PIXELS
from smearlab.learn.transforms.picture_views import PictureViewConfig
from smearlab.learn.workflow.hazra_config import HazraConfig
from smearlab.learn.workflow.hazra_data import TABLE, keep, pixels_of, table_of, written
from smearlab.learn.workflow.stages import Done
from smearlab.stain.fitting import measure_look
from smearlab.stain.methods import METHODS
from smearlab.stain.models import load_normaliser, write_model
from smearlab.stain.normaliser import ReferenceNormaliser
from smearlab.synthesis.balancing import balanced
from smearlab.synthesis.generator import Generator

_GIVEN = ("data.split=given", "data.taxonomy=given", "data.datasets=()")
#: Pictures of a stain that a reference method is measured on.
_MEASURED = 200
#: Module → what a plan calls its generator.
_MAKERS = {"cwgan": "c_wgan_gp", "fewshot": "few_shot_gan"}
Pixels = NDArray[np.uint8]


def directions(parts: Mapping[str, Any], named: tuple[str, str], paper: bool) -> dict[str, str]:
    """Type → the source whose pictures are normalised: that with fewer training pictures.

    In the honest protocol one source is normalised, whatever the type: that with fewer in all. Were
    it chosen by the type, the stain of a test picture would tell its label.

    Parameters
    ----------
    parts : mapping
        Of the stage ``split``.
    named : (str, str)
    paper : bool

    Returns
    -------
    dict of str to str
        Every type that both sources show in training; empty of others.

    Examples
    --------
    >>> train = {"A": {"basophil": 5, "monocyte": 9}, "B": {"basophil": 7, "monocyte": 1}}
    >>> directions({"train": train}, ("A", "B"), paper=True)
    {'basophil': 'A', 'monocyte': 'B'}
    >>> directions({"train": train}, ("A", "B"), paper=False)
    {'basophil': 'B', 'monocyte': 'B'}
    """
    a, b = (parts["train"][name] for name in named)
    shared = sorted(set(a) & set(b))
    whole = named[0] if sum(a.values()) <= sum(b.values()) else named[1]
    if not paper:
        return dict.fromkeys(shared, whole)
    return {kind: named[0] if a[kind] <= b[kind] else named[1] for kind in shared}


def stain_recipe(config: HazraConfig, named: tuple[str, str]) -> StainRecipe:
    """The normaliser's recipe, of two sources."""
    settings = [*_shared(config), *config.settings_of("stain")]
    return STAIN_RECIPES[config.stain].with_settings(settings, named)


def stain_of(config: HazraConfig) -> dict[str, Any]:
    """What the stage of the normaliser follows from."""
    if config.stain in METHODS:
        return {"name": config.stain, "seed": config.seed, "pictures": _MEASURED}
    return said_of(stain_recipe(config, config.sources))


def many_recipe(config: HazraConfig) -> SynthesisRecipe:
    """The recipe of the generator of all types that are not rare."""
    settings = [*_shared(config), *config.settings_of("many")]
    return SYNTHESIS_RECIPES[config.many].with_settings(settings)


def few_recipe(config: HazraConfig, rare: Mapping[str, int]) -> FewShotRecipe:
    """The recipe of the generators of rare types, each with so many training pictures."""
    recipe = FEW_SHOT_RECIPES[config.few]
    settings = [
        *_shared(config),
        f"rare.types={tuple(rare)!r}",
        f"rare.pictures={tuple(rare.values())!r}",
        f"meta.shots={min(recipe.meta.shots, *rare.values())}",
        *config.settings_of("few"),
    ]
    return recipe.with_settings(settings)


def _shared(config: HazraConfig) -> list[str]:
    """Settings that all these recipes have in common."""
    return [
        *_GIVEN, f"view.size_px={config.size_px}", "view.crop_px=None", f"train.seed={config.seed}",
    ]  # fmt: skip


def said_of(recipe: Any) -> dict[str, str]:
    """What a stage follows from of a recipe: everything that has a say in the training."""
    bare = replace(recipe, title="", source="", reported={}, deviations=())
    return {"name": recipe.name, "sha256": hashlib.sha256(repr(bare).encode()).hexdigest()}


def trained_stain(config: HazraConfig, asked: Asked) -> Any:
    """A normaliser each way, from training pictures alone."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        a, b = needs["views"].facts["named"]
        if config.stain in METHODS:
            return _measured(config, table_of(needs["views"]), (a, b), folder)
        how = replace(asked, data=str(needs["views"].folder / TABLE), out=folder)
        run = open_stain_run(run_stain(stain_recipe(config, (a, b)), how))
        cards = export_stain(run, folder / "bundle")
        return {
            "method": config.stain,
            "models": {run.stains_of(way)[0]: f"bundle/{way}" for way in run.ways if way in cards},
            "figures": dict(run.summary.figures),
            "seconds": run.summary.train_seconds,
            "hardware": run.summary.hardware,
        }

    return make


def _measured(
    config: HazraConfig, manifest: Manifest, named: tuple[str, str], folder: Path
) -> dict[str, Any]:
    """The looks of both stains by a reference method, and a model each way."""
    looks = {}
    for name in named:
        rows = (manifest.column("source") == name) & (manifest.column("split") == "train")
        chosen = np.flatnonzero(rows)
        order = np.random.default_rng(config.seed).permutation(len(chosen))[:_MEASURED]
        pictures = [pixels_of(manifest, int(row)) for row in np.sort(chosen[order])]
        looks[name] = measure_look(pictures, config.stain, name=name)
    models = {}
    for n, (source, target) in enumerate((named, named[::-1])):
        model = ReferenceNormaliser(
            f"{config.stain}-{n + 1}", config.stain, looks[target], looks[source]
        )
        write_model(folder / f"{model.name}.json", model, {"from": source, "to": target})
        models[source] = f"{model.name}.json"
    return {"method": config.stain, "models": models, "seconds": None}


def normalised(config: HazraConfig) -> Any:
    """The pictures with those of the smaller source in the other's stain; all parts."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        manifest, named = table_of(needs["views"]), needs["views"].facts["named"]
        parts = needs["split"].facts["parts"]
        chosen = directions(parts, named, config.protocol == "paper")
        models = {
            source: load_normaliser(needs["stain"].folder / place, usable_cores())
            for source, place in needs["stain"].facts["models"].items()
            if source in chosen.values()
        }
        whole = next(iter(set(chosen.values()))) if config.protocol != "paper" else None
        sources, types = manifest.column("source"), manifest.column("type")
        changed = np.array(
            [
                source == (whole or chosen.get(kind))
                for source, kind in zip(sources, types, strict=True)
            ],
            bool,
        )

        def pictures() -> Iterator[Pixels]:
            for row in range(len(manifest)):
                pixels = pixels_of(manifest, row)
                yield models[str(sources[row])].apply(pixels) if changed[row] else pixels

        facts = keep(written(manifest, pictures(), folder), folder)
        return {**facts, "normalised": chosen, "changed": int(changed.sum()), "named": named}

    return make


def planned(config: HazraConfig) -> Any:
    """What each type lacks, and which generator makes it."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        (pictures,) = needs.values()
        rules = BalanceRules(config.few_below, config.target or None)
        plans = balance_plan(table_of(pictures), rules)
        there = makers_left(config)
        rows = [asdict(one) for one in plans]
        for row in rows:
            if not there:
                row.update(to_make=0, generator="none")
            elif row["to_make"] and row["generator"] not in there:
                row.update(generator=there[0])
        if all(row["generator"] == _MAKERS["fewshot"] for row in rows):
            # The few-shot generator begins with what is common: the largest type stays as it is.
            max(rows, key=lambda row: row["real"]).update(to_make=0, generator="none")
        digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]
        return {"plan": rows, "digest": digest}

    return make


def makers_left(config: HazraConfig) -> list[str]:
    """Kinds of generators that are not left out, as plans call them."""
    return [made for name, made in _MAKERS.items() if name not in config.without]


def plans_of(done: Done) -> list[TypePlan]:
    """The plan of a stage."""
    return [TypePlan(**row) for row in done.facts["plan"]]


def trained_many(config: HazraConfig, asked: Asked) -> Any:
    """The generator of all types that are not rare; it learns from every training picture."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        how = replace(asked, data=str(_pictures(needs) / TABLE), out=folder)
        return _exported([run_synthesis(many_recipe(config), how)], folder)

    return make


def trained_few(config: HazraConfig, asked: Asked, rare: Mapping[str, int]) -> Any:
    """The generators of rare types; the common ones are what they begin with."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        how = replace(asked, data=str(_pictures(needs) / TABLE), out=folder)
        return _exported(list(run_few_shot(few_recipe(config, rare), how)), folder)

    return make


def _pictures(needs: Mapping[str, Done]) -> Path:
    """Of the stage that holds the pictures to learn from."""
    return (needs.get("normalised") or needs["views"]).folder


def _exported(folders: list[Path], folder: Path) -> dict[str, Any]:
    runs = [load_generator_run(one) for one in folders]
    for run in runs:
        export_generator(run, run.folder / "bundle")
    return {
        "models": [str(run.folder.relative_to(folder)) for run in runs],
        "types": [kind for run in runs for kind in run.classes],
        "seconds": sum(run.summary.train_seconds or 0.0 for run in runs),
        "hardware": ", ".join(dict.fromkeys(run.summary.hardware for run in runs)),
        "warnings": [said for run in runs for said in run.summary.warnings],
    }


def synthesised(config: HazraConfig) -> Any:
    """The plan carried out: pictures that are only ever trained with."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        manifest = table_of(needs.get("normalised") or needs["views"])
        plans = plans_of(needs["plan"])
        models = {}
        for stage in ("many", "few"):
            if stage in needs:
                done = needs[stage]
                models[stage] = [
                    Generator.load(done.folder / place, usable_cores())
                    for place in done.facts["models"]
                ]
        makers = {
            plan.type: _maker(plan.type, models["few" if _is_rare(plan) else "many"])
            for plan in plans
            if plan.to_make
        }
        if not makers:
            return {**keep(manifest, folder), "made": {}}
        both = balanced(
            manifest, plans, makers, folder / "made", seed=config.seed, threads=usable_cores()
        )
        made = {plan.type: plan.to_make for plan in plans if plan.to_make}
        return {**keep(both, folder), "made": made}

    return make


def _is_rare(plan: TypePlan) -> bool:
    return plan.generator == "few_shot_gan"


def _maker(kind: str, models: list[Generator]) -> Generator:
    return next(model for model in models if kind in model.types)


def classifier_recipe(config: HazraConfig) -> ClassifierRecipe:
    """The classifier's recipe; all pictures are shown whole."""
    entry = CLASSIFIERS[config.network]
    recipe = ClassifierRecipe(
        name=config.network,
        title=f"{entry.title} at the end of the thesis's pipeline",
        source="Hazra 2022, sections 3.7 and 4.1",
        network=config.network,
        data=PictureData((), AS_TYPED, split="given"),
        view=PictureViewConfig(config.size_px, None, WHOLE_PIXELS),
        train=replace(TUNED, batch_size=32, lr=5e-4, seed=config.seed),
        loss=Classification(label_smoothing=0.1),
    )
    return with_settings(recipe, config.settings_of("classifier"))


def trained_classifier(config: HazraConfig, asked: Asked) -> Any:
    """The classifier of all types, and its answers to the test part."""

    def make(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
        how = replace(asked, data=str(needs["synthesised"].folder / TABLE), out=folder)
        (run,) = run_classifier(classifier_recipe(config), how)
        summary = RunSummary.load(run)
        return {
            "run": run.name,
            "parameters": summary.parameters,
            "epochs": summary.epochs,
            "seconds": summary.train_seconds,
            "hardware": summary.hardware,
            "pictures": summary.n_train,
        }

    return make


def evaluated(folder: Path, needs: Mapping[str, Done]) -> dict[str, Any]:
    """Figures of the test part: of all pictures, of each source, of each type."""
    done = needs["classifier"]
    answered = Predictions.load(done.folder / done.facts["run"], "test")
    names = np.array(answered.classes, dtype=object)
    true, said = names[answered.targets], names[answered.logits.argmax(1)]

    def figures(keep: NDArray[np.bool_]) -> dict[str, Any]:
        return answer_figures(
            true[keep].tolist(), said[keep].tolist(), answered.groups[keep], list(answered.classes)
        )

    everything = np.ones(len(true), bool)
    sources = sorted(set(answered.origins.tolist()))
    return {
        "all": figures(everything),
        "sources": {str(name): figures(answered.origins == name) for name in sources},
    }
