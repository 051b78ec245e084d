"""Tables of trained classifiers: recipes of the papers, trained and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smearlab.errors import RunError, UsageError
from smearlab.evaluation.comparison import FIGURES, compare_runs
from smearlab.evaluation.comparison_grids import comparison_grids
from smearlab.evaluation.reproductions import Line
from smearlab.evaluation.runs import runs_of
from smearlab.evaluation.tested_runs import open_runs
from smearlab.learn import run_classifier as classifier_runs
from smearlab.learn.classifier_recipe import ClassifierRecipe, with_settings
from smearlab.learn.recipes import CLASSIFIER_RECIPES
from smearlab.learn.reproduce.experiment import (
    Asked,
    Experiment,
    Outcome,
    Scale,
    how_to_run,
    is_asked,
)
from smearlab.learn.run_asked import run_folder
from smearlab.report.comparison_page import write_comparison_page

PAGE = "comparison.html"
#: At the scale of a trial.
_SMOKE = ("train.max_steps=2", "train.epochs=1", "train.workers=0")


@dataclass(frozen=True)
class ClassifierTable:
    """Recipes that stand in one table.

    Parameters
    ----------
    recipes : tuple of str
        Names, in the order of the paper's rows.
    cpu : mapping of str to sequence of str
        Recipe → settings of the scale ``cpu``; under ``""`` those of all others.
    twin : str
        Ending of the recipes that the scales ``cpu`` and ``smoke`` train in the place of the
        paper's, where there are such: its own schedules take days on two cores, and where it
        trains the head only, weights are needed that an experiment is not given.
    """

    recipes: tuple[str, ...]
    cpu: Mapping[str, Sequence[str]]
    twin: str = "_tuned"

    @property
    def names(self) -> tuple[str, ...]:
        """The recipes."""
        return self.recipes

    def __call__(self, asked: Asked) -> Outcome:
        """Train what is not trained yet, and compare."""
        runs = []
        how = how_to_run(asked)
        for name in self.recipes:
            recipe = self._recipe(name, asked.scale)
            if not is_asked(asked.only, name, self.recipes):
                runs += _finished(run_folder(recipe, how))
                continue
            asked.say(f"{recipe.name}: {recipe.title}")
            try:
                for finished in classifier_runs.run_classifier(recipe, how):
                    asked.say(str(finished))
            except UsageError as error:
                raise UsageError(f"{recipe.name}: {error}") from error
            runs.append(run_folder(recipe, how))
        opened = open_runs(runs)
        alike = len({frozenset(run.test.paths.tolist()) for run in opened}) == 1
        result = compare_runs(opened, tests=alike)
        write_comparison_page(asked.folder / PAGE, result, comparison_grids(result))
        return Outcome(
            lines=tuple(
                line
                for run, row in zip(opened, result["runs"], strict=True)
                for line in lines_of(row, str(run.summary.reported.get("where", "")))
            ),
            data=tuple(dict.fromkeys(_said_data(row) for row in result["runs"])),
            deviations=tuple(
                dict.fromkeys(said for row in result["runs"] for said in row["deviations"])
            ),
            hardware=", ".join(dict.fromkeys(row["hardware"] for row in result["runs"])),
            seconds=sum(one.train_seconds or 0.0 for run in opened for one in run.summaries),
            findings=_findings(result),
            pages=(PAGE,),
            seed=opened[0].summary.seed,
        )

    def _recipe(self, name: str, scale: Scale) -> ClassifierRecipe:
        """The recipe as a scale trains it; the paper's figures stay those of the paper's recipe."""
        own = CLASSIFIER_RECIPES[name]
        if scale == "paper":
            return own
        recipe = CLASSIFIER_RECIPES.get(f"{name}{self.twin}", own)
        settings = _SMOKE if scale == "smoke" else self.cpu.get(name, self.cpu.get("", ()))
        recipe = replace(with_settings(recipe, settings), reported=own.reported)
        if scale == "smoke" and recipe.data.folds:
            recipe = replace(recipe, data=replace(recipe.data, folds=0))
        return recipe


def _finished(folder: Path) -> list[Path]:
    try:
        runs_of(folder)
    except RunError:
        return []
    return [folder]


def lines_of(row: Mapping[str, Any], where: str) -> list[Line]:
    """A run's row of a comparison as lines of a record.

    Parameters
    ----------
    row : mapping
        Of :func:`smearlab.evaluation.comparison.compare_runs`.
    where : str
        Where in the paper the reported figures stand.
    """
    lines = []
    for name in FIGURES:
        low, high = row["intervals"].get(name) or (None, None)
        lines.append(
            Line(
                row["network"],
                name,
                row["reported"].get(name),
                where if name in row["reported"] else "",
                row["obtained"][name],
                low,
                high,
                row["n"],
            )
        )
    told = row["reported"].get("parameters")
    size = Line(
        row["network"], "parameters", told, where if told else "", row["parameters"], digits=0
    )
    return [*lines, size]


def _said_data(row: Mapping[str, Any]) -> str:
    sets, folds = ", ".join(row["datasets"]), row["folds"]
    how = f"{folds} folds" if folds else "one split"
    groups = "1 group" if row["n_groups"] == 1 else f"{row['n_groups']} groups"
    return f"{sets}: {row['n']} test pictures in {groups}, {how}"


def _findings(result: Mapping[str, Any]) -> tuple[str, ...]:
    """What the table says in words: which was best, and whether above its paper."""
    rows = result["runs"]
    best = max(rows, key=lambda row: row["obtained"]["accuracy"])
    said = []
    if len(rows) > 1:
        said.append(f"{best['network']} is the most accurate of {len(rows)} networks")
    for row in rows:
        told, got = row["reported"].get("accuracy"), row["obtained"]["accuracy"]
        if told is not None:
            side = "above" if got > told else "not above"
            said.append(
                f"{row['network']}: {100 * got:.2f} %, {side} the reported {100 * told:.2f} %"
            )
    return tuple(said)


_A = "Mondal et al. 2024, BloodCell-Net"
_B = "Khan et al. 2024, RWP-GAN"
_C = "Jung et al. 2021, W-Net"
_D = "Ferdousi et al. 2024"
_E = "Hazra 2022"
_COMPARED_IN_E = (
    "senet154_ge_sequential_cnn", "senet154_ge_se_resnext50", "senet154_ge_efficientnet_b0",
    "senet154_ge_resnet50",
)  # fmt: skip

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "lwcnn", "Types of single cells by LWCNN", _A, "Table 6", ("pbc",),
        ClassifierTable(("lwcnn",), {}),
    ),
    Experiment(
        "w_net", "Five white cells by W-Net and what it is compared with", _C, "Table 4", ("pbc",),
        ClassifierTable(
            ("w_net", "w_net_svm", "w_net_alexnet", "w_net_vgg", "w_net_resnet50", "w_net_lstm"),
            {"": ("train.epochs=6",)},
        ),
        "6,562 private pictures",
    ),
    Experiment(
        "w_net_transfer", "W-Net on a small set, without and with a large one before it", _C,
        "Tables 15 and 16", ("txl_pbc", "lisc"),
        ClassifierTable(
            ("transfer_w_net_scratch", "transfer_w_net"),
            {
                "": ("train.epochs=30",),
                "transfer_w_net": ("train.epochs=30", "pretrain.train.epochs=6"),
            },
        ),
        "LISC",
    ),
    Experiment(
        "vgg19_wbc", "Four white cells of BCCD by VGG19 and others", _D, "Table 6", ("bccd4",),
        ClassifierTable(
            ("vgg19_wbc", "vgg16_wbc", "resnet50_wbc", "efficientnet_b7_wbc"),
            {"": ("train.epochs=1",)},
        ),
    ),
    Experiment(
        "senet154_ge", "Twelve types by SENet-154 with gather-excite and others", _E,
        "Figure 52, Table 24", ("pbc", "aml_lmu"),
        ClassifierTable(("senet154_ge", *_COMPARED_IN_E), {"": ("train.epochs=1",)}),
        "PBC and the Munich AML set, balanced by synthesis",
    ),
    Experiment(
        "rwp_classify", "Healthy or blast, single cells, by three networks",
        _B, "Section IV.D", ("all_idb2",),
        ClassifierTable(
            ("rwp_classify", "rwp_classify_resnet101", "rwp_classify_mobilenet_v2"),
            {"": ("train.epochs=20",)}, "_unfrozen",
        ),
    ),
    Experiment(
        "rwp_classify_fields", "Healthy or blast, fields, by three networks",
        _B, "Section IV.D", ("all_idb1",),
        ClassifierTable(
            ("rwp_classify_fields", "rwp_classify_fields_resnet101",
             "rwp_classify_fields_mobilenet_v2"),
            {"": ("train.epochs=20",)}, "_unfrozen",
        ),
    ),
    Experiment(
        "rwp_classify_maturity",
        "Mature or immature white cells of PBC, which is not healthy or blast",
        _B, "Section IV.D", ("pbc",),
        ClassifierTable(
            ("rwp_classify_maturity", "rwp_classify_maturity_resnet101",
             "rwp_classify_maturity_mobilenet_v2"),
            {"": ("train.epochs=6", "view.size_px=96")},
        ),
        "healthy cells and blasts of ALL-IDB",
    ),
)  # fmt: skip
