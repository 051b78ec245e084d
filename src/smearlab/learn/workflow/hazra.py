"""The thesis from end to end (Hazra 2022): two sources, one stain, balanced types, a classifier.

Stages: import, quality, duplicates, taxonomy, split, views, stain, normalised, plan, many and few
(generators), synthesised, classifier, evaluation. Modules can be left out; stages that two runs
have in common are made once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from smearlab import __version__
from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.table import Manifest
from smearlab.evaluation.results import plain
from smearlab.io.atomic import write_text
from smearlab.learn.picture_sources import read_pictures
from smearlab.learn.run_asked import Asked
from smearlab.learn.split_protocols import refuse_ungrouped
from smearlab.learn.workflow import hazra_data, hazra_models
from smearlab.learn.workflow.hazra_config import MODULES, WITHOUT_GE, HazraConfig, Module
from smearlab.learn.workflow.stages import Done, Stage, Workshop
from smearlab.registry import look_up

RESULT = "hazra_pipeline.json"
#: Accuracy on the balanced set, on the original one, and without a module (section 4.5).
REPORTED: Mapping[str, float] = {
    "": 0.984, "ge": 0.969, "stain": 0.958, "cwgan": 0.950, "fewshot": 0.943,
    "cwgan+fewshot+stain": 0.9241,
}  # fmt: skip
WHERE = "Hazra 2022, sections 4.4 and 4.5, Figures 58 to 62"


def run_hazra(
    config: HazraConfig, asked: Asked, ablate: tuple[tuple[Module, ...], ...] = ()
) -> dict[str, Any]:
    """Run the pipeline, or go on with it, and again without each of some modules.

    Parameters
    ----------
    config : HazraConfig
    asked : Asked
        Its ``out`` is the folder of everything.
    ablate : tuple of tuple of str
        Sets of modules; for each the pipeline runs without them, too.

    Returns
    -------
    dict
        ``runs``: modules left out, joined by ``+`` → ``stages`` (name, key, seconds, kept,
        facts), ``evaluation``; ``settings``, ``reported``, ``smearlab``. Written to
        ``hazra_pipeline.json``.

    Raises
    ------
    RunError
        If a stage that is kept is of another version.
    SmearlabError
        Of the stages.
    """
    workshop = Workshop(asked.out, asked.say)
    graph = Graph(workshop, asked)
    runs: dict[str, Any] = {}
    for without in dict.fromkeys([config.without, *ablate]):
        name = called(without)
        asked.say(f"pipeline{f' without {name}' if name else ''}")
        stages = graph.run(replace(config, without=without))
        runs[name] = {
            "without": [MODULES[one] for one in without],
            "stages": [_told(one, asked.out) for one in stages],
            "evaluation": stages[-1].facts,
        }
    whole = plain(
        {
            "runs": runs,
            "sources": runs[called(config.without)]["stages"][0]["facts"]["named"],
            "settings": asdict(config),
            "simulated": asked.data == "simulated",
            "reported": {"accuracy": dict(REPORTED), "where": WHERE},
            "smearlab": __version__,
        }
    )
    text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(asked.out / RESULT, text + "\n")
    return dict(whole)


def called(without: tuple[str, ...]) -> str:
    """A run's name: what it leaves out.

    Examples
    --------
    >>> called(("stain", "cwgan"))
    'cwgan+stain'
    """
    return "+".join(sorted(set(without)))


def _told(done: Done, out: Path) -> dict[str, Any]:
    return {
        "name": done.name,
        "key": done.key,
        "folder": done.folder.relative_to(out).as_posix(),
        "seconds": done.seconds,
        "kept": done.kept,
        "facts": done.facts,
    }


class Graph:
    """Stages of the pipeline, shared by all its runs.

    Parameters
    ----------
    workshop : Workshop
    asked : Asked
    """

    def __init__(self, workshop: Workshop, asked: Asked) -> None:
        self.workshop, self.asked = workshop, asked
        self._stages: dict[str, Stage] = {}
        self._there: Manifest | None = None

    def run(self, config: HazraConfig) -> list[Done]:
        """All stages of a run, in their order; the last is the evaluation."""
        done = self.workshop.done
        data, stage = self._data(config), self._stage
        views = stage("views", hazra_data.as_views(config), [data],
                      size_px=config.size_px, crop_px=config.crop_px)  # fmt: skip
        used = [data, views]
        pictures = views
        if "stain" not in config.without:
            stain = stage("stain", hazra_models.trained_stain(config, self.asked), [views],
                          recipe=hazra_models.stain_of(config))  # fmt: skip
            pictures = stage("normalised", hazra_models.normalised(config), [views, data, stain],
                             protocol=config.protocol)  # fmt: skip
            used += [stain, pictures]
        plan = stage("plan", hazra_models.planned(config), [pictures],
                     makers=hazra_models.makers_left(config), few_below=config.few_below,
                     target=config.target)  # fmt: skip
        makers = self._makers(config, pictures, plan)
        synthesised = stage("synthesised", hazra_models.synthesised(config),
                            [pictures, plan, *makers], seed=config.seed)  # fmt: skip
        classifier = stage("classifier", hazra_models.trained_classifier(config, self.asked),
                           [synthesised], recipe=hazra_models.said_of(
                               hazra_models.classifier_recipe(config)))  # fmt: skip
        evaluation = stage("evaluation", hazra_models.evaluated, [classifier])
        used += [plan, *makers, synthesised, classifier, evaluation]
        first = [done(one) for one in self._chain(data)[:-1]]
        return [*first, *(done(one) for one in used)]

    def _data(self, config: HazraConfig) -> Stage:
        """The stages up to the split, of which it is the last."""
        there = self._pictures(config)
        start = self._stage("import", hazra_data.imported(config, there), [],
                            content=hazra_data.content_of(there),
                            sources=config.sources)  # fmt: skip
        good = self._stage("quality", hazra_data.without_poor, [start])
        once = self._stage("duplicates", hazra_data.without_copies, [good])
        typed = self._stage("taxonomy", hazra_data.typed_pictures(config), [once],
                            taxonomy=config.taxonomy)  # fmt: skip
        return self._stage("split", hazra_data.split_in_parts(config), [typed],
                           protocol=config.protocol, seed=config.seed,
                           rare=dict(config.rare))  # fmt: skip

    def _pictures(self, config: HazraConfig) -> Manifest:
        """All pictures that there are; read once."""
        if self._there is None:
            self._there = read_pictures(
                self.asked.data,
                config.datasets,
                self.workshop.out,
                lists=self.asked.lists,
                threads=usable_cores(),
                show=self.asked.show,
            )
        if config.protocol == "honest":
            refuse_ungrouped(self._there)
        return self._there

    def _chain(self, stage: Stage) -> list[Stage]:
        before = [one for need in stage.needs for one in self._chain(need)]
        return [*before, stage]

    def _makers(self, config: HazraConfig, pictures: Stage, plan: Stage) -> list[Stage]:
        """Generators that the plan needs; they follow from the pictures, not from the plan."""
        plans = hazra_models.plans_of(self.workshop.done(plan))
        rare = {
            one.type: one.real for one in plans if one.to_make and one.generator == "few_shot_gan"
        }
        many = any(one.to_make and one.generator == "c_wgan_gp" for one in plans)
        found = []
        if many:
            found.append(
                self._stage(
                    "many",
                    hazra_models.trained_many(config, self.asked),
                    [pictures],
                    recipe=hazra_models.said_of(hazra_models.many_recipe(config)),
                )
            )
        if rare:
            found.append(
                self._stage(
                    "few",
                    hazra_models.trained_few(config, self.asked, rare),
                    [pictures],
                    recipe=hazra_models.said_of(hazra_models.few_recipe(config, rare)),
                )
            )
        return found

    def _stage(self, name: str, make: Any, needs: list[Stage], **settings: Any) -> Stage:
        """A stage; the same one where everything it follows from is the same."""
        told = json.dumps([name, plain(settings), [id(one) for one in needs]], sort_keys=True)
        return self._stages.setdefault(told, Stage(name, make, settings, tuple(needs)))


def ablations(names: list[str], config: HazraConfig) -> tuple[tuple[Module, ...], ...]:
    """The sets of modules that an ablation leaves out.

    Parameters
    ----------
    names : list of str
        Modules, or ``all`` for each of those that the classifier has, and for the original
        pictures: without normalisation and synthesis.
    config : HazraConfig

    Raises
    ------
    UnknownNameError
        If there is no such module.
    """
    found: list[tuple[Module, ...]] = []
    for name in names:
        if name == "all":
            known = [one for one in MODULES if one != "ge" or config.classifier in WITHOUT_GE]
            found += [(one,) for one in known]
            found.append(("cwgan", "fewshot", "stain"))
            continue
        found.append((look_up("module", {str(one): one for one in MODULES}, name),))
    return tuple(found)
