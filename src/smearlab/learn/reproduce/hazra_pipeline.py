"""Figures 53, 54 and 58 to 62 of the thesis: its whole pipeline, and without each module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from smearlab.evaluation.reproductions import Line
from smearlab.learn.reproduce.experiment import Asked, Experiment, Outcome
from smearlab.learn.run_asked import Asked as Run
from smearlab.learn.workflow.hazra import REPORTED, WHERE, ablations, run_hazra
from smearlab.learn.workflow.hazra_config import HazraConfig
from smearlab.learn.workflow.hazra_report import cautions, write_hazra_report
from smearlab.learn.workflow.hazra_scales import SCALES

_FIGURES = {
    "accuracy": "accuracy", "macro_recall": "sensitivity", "macro_specificity": "specificity",
}  # fmt: skip
#: Of the balanced set, means over the types (section 4.4).
_TOLD = {"sensitivity": 0.9858, "specificity": 0.9821}
#: Of a type, as Figures 58 to 62 have them.
_OF_TYPES = {"accuracy": "accuracy", "recall": "sensitivity", "specificity": "specificity"}


class PipelineTable:
    """The pipeline, and again without each module."""

    names = ("all", "stain", "cwgan", "fewshot", "ge")

    def __call__(self, asked: Asked) -> Outcome:
        """Run what is not there yet; stages are shared."""
        config = replace(HazraConfig(**SCALES[asked.scale]), protocol=asked.protocol)
        how = Run(asked.data, asked.folder, show=asked.show, say=asked.say, lists=asked.lists)
        whole = run_hazra(config, how, ablations(list(asked.only or ("all",)), config))
        page = write_hazra_report(asked.folder, whole)
        stages = {one["folder"]: one for run in whole["runs"].values() for one in run["stages"]}
        found = {one["name"]: one["facts"] for one in whole["runs"][""]["stages"]}
        return Outcome(
            lines=tuple(_lines(whole)),
            data=tuple(_said_data(found)),
            deviations=(*_deviations(asked), *cautions(whole)),
            hardware=", ".join(dict.fromkeys(_machines(whole))),
            seconds=sum(one["seconds"] for one in stages.values()),
            pages=(page.name,),
            seed=config.seed,
        )


def _machines(whole: Mapping[str, Any]) -> Iterator[str]:
    """On which the stages that train were run."""
    for run in whole["runs"].values():
        for one in run["stages"]:
            if "hardware" in one["facts"]:
                yield one["facts"]["hardware"]


def _lines(whole: Mapping[str, Any]) -> Iterator[Line]:
    for name, run in whole["runs"].items():
        row = f"without {', '.join(run['without'])}" if name else "the whole pipeline"
        one = run["evaluation"]["all"]
        for key, figure in _FIGURES.items():
            low, high = one["intervals"].get(key) or (None, None)
            told = REPORTED.get(name) if key == "accuracy" else None if name else _TOLD[figure]
            where = WHERE if told is not None else ""
            yield Line(row, figure, told, where, one[key], low, high, one["n"])
        for kind, of in one["types"].items():
            for key, figure in _OF_TYPES.items():
                low, high = of["intervals"][key] or (None, None)
                yield Line(f"{row}, {kind}", figure, None, "", of[key], low, high, of["n"])


def _said_data(found: Mapping[str, Any]) -> Iterator[str]:
    parts = found["split"]["parts"]
    for name in found["split"]["named"]:
        told = ", ".join(f"{part} {sum(of[name].values())}" for part, of in parts.items())
        yield f"{name}: {told}"
    made = ", ".join(f"{kind} {n}" for kind, n in found["synthesised"]["made"].items())
    yield f"synthetic, for training: {made or 'none'}"


def _deviations(asked: Asked) -> list[str]:
    said = ["a training each; the thesis does not say how many it made"]
    if asked.scale != "paper":
        told = HazraConfig(**SCALES[asked.scale])
        said.append(
            f"scale {asked.scale}: {told.classifier} at {told.size_px} px in the place of "
            "SENet-154-GE at 224; stain, generators and classifier as docs/hazra-pipeline.md has it"
        )
    return said


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "hazra_pipeline",
        "Two sources in one stain, balanced, and SENet-154-GE; without each module",
        "Hazra 2022",
        "Figures 53, 54 and 58 to 62",
        ("pbc", "txl_pbc"),
        PipelineTable(),
        "PBC and the Munich set",
        essential=("txl_pbc",),
    ),
)
