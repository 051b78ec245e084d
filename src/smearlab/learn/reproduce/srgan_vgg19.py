"""Table 6 of paper D: white cells enlarged in several ways, and a classifier's accuracy on each.

The same of the eight types of PBC, of which the paper has nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from smearlab.errors import UsageError
from smearlab.evaluation.reproductions import Line
from smearlab.evaluation.results import plain
from smearlab.evaluation.runs import SUMMARY
from smearlab.io.atomic import write_bytes, write_text
from smearlab.learn import run_asked, run_classifier
from smearlab.learn.classifier_recipe import ClassifierRecipe, with_settings
from smearlab.learn.picture_networks import blood_cell_lpips
from smearlab.learn.recipes import CLASSIFIER_RECIPES, UPSCALE_RECIPES
from smearlab.learn.reproduce.experiment import Asked, Experiment, Outcome, how_to_run, is_asked
from smearlab.learn.run_upscaler import run_upscaler
from smearlab.learn.train.checkpoints import result_weights
from smearlab.learn.upscale_figures import (
    LARGE,
    enlarge_test_pictures,
    figures,
    sheet,
    typing_by,
)
from smearlab.learn.upscale_recipe import UpscaleRecipe
from smearlab.learn.upscale_record import UpscaleSummary
from smearlab.learn.upscaler_run import UpscalerRun, open_upscaler_run
from smearlab.learn.verification.pictures import png_of

#: In the order in which they are trained: both SRGANs begin with SRResNet's weights.
UPSCALERS = ("srresnet", "srgan", "srgan_per_type")
CLASSIFIER = "classifier"
_PATCHES = ("view.patch_px=64", "critic.input_px=64")
#: Half an hour on two cores: a step of 16 patches takes 1 s, with an adversary 2.2 s. The networks
#: of one type take about as many steps together as that of all types.
CPU: Mapping[str, Sequence[str]] = {
    "srresnet": ("view.patch_px=64", "train.max_steps=900"),
    "srgan": (*_PATCHES, "train.max_steps=350"),
    "srgan_per_type": (*_PATCHES, "train.max_steps=88"),
    CLASSIFIER: ("train.epochs=12",),
}
CPU_PBC: Mapping[str, Sequence[str]] = {
    **CPU,
    "srgan_per_type": (*_PATCHES, "train.max_steps=44"),
    CLASSIFIER: ("train.epochs=8",),
}
_SMALL = ("train.max_steps=2", "train.batch_size=2", "train.workers=0")
_TINY = (*_SMALL, "network.blocks=1", "network.width=8", "network.up_width=8", "view.patch_px=32")
SMOKE: Mapping[str, Sequence[str]] = {
    "srresnet": _TINY,
    **dict.fromkeys(
        ("srgan", "srgan_per_type"),
        (*_TINY, "critic.input_px=32", "critic.width=4", "critic.dense=8"),
    ),
    CLASSIFIER: (*_SMALL, "train.epochs=1"),
}
#: Test pictures that are enlarged at most.
MOST: Mapping[str, int | None] = {"smoke": 6, "cpu": 400, "paper": None}
FIGURES, SHEET = "figures.json", "enlarged.png"
#: Side of what the small classifier sees, px: of bccd4 its square, pixel for pixel.
_SIDE_PX = {"": 64, "_pbc": 96}
_WHERE = "Table 6"
_DIGITS = {"psnr": 2}
_PAPERS = (
    "the classifier learns from real pictures alone; the paper's also from 4,000 enlarged ones, "
    "and its accuracy is of a test on real pictures: it stands beside that on the large pictures",
    "PSNR, SSIM and perceptual distance are not in the paper",
)
_JUDGE = (
    "perceptual distance is by stages of the blood-cell network that ships, one of which is the "
    "content loss of SRGAN where no weights of VGG19 are given: of the two networks it favours it"
)
_BEGINS = "SRGAN begins with SRResNet's weights"
_BY_TYPE = (
    "a picture is enlarged by the network of its own type, which must be known before: what the "
    "classifier says of srgan_per_type's pictures it is helped to"
)


@dataclass(frozen=True)
class UpscaleTable:
    """Upscalers and a classifier of one split, and figures of the test pictures.

    Parameters
    ----------
    suffix : str
        What the names of the recipes end on: nothing for those of the paper, ``_pbc``.
    cpu, smoke : mapping of str to sequence of str
        Recipe, or ``classifier``, → settings of the scale.
    """

    suffix: str = ""
    cpu: Mapping[str, Sequence[str]] = field(default_factory=lambda: CPU)
    smoke: Mapping[str, Sequence[str]] = field(default_factory=lambda: SMOKE)

    @property
    def names(self) -> tuple[str, ...]:
        """What ``--only`` may name."""
        return (*(f"{name}{self.suffix}" for name in UPSCALERS), CLASSIFIER)

    def __call__(self, asked: Asked) -> Outcome:
        """Train what is not trained yet, and measure."""
        how = how_to_run(asked)
        runs = list(self._upscalers(asked, how))
        if not runs:
            raise UsageError("no upscaler of this table is trained yet: leave out --only")
        classifier = self._classifier(asked, how)
        pictures = enlarge_test_pictures(runs, most=MOST[asked.scale])
        asked.say(f"measuring {len(pictures.types)} test pictures")
        typing = None if classifier is None else typing_by(str(classifier), pictures.shown_px)
        found = plain(figures(pictures, typing, blood_cell_lpips()))
        write_bytes(asked.folder / SHEET, png_of(sheet(pictures)))
        write_text(asked.folder / FIGURES, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        summaries = [run.summary for run in runs]
        own = [said for one in summaries for said in one.deviations]
        return Outcome(
            lines=(*_lines(found, runs, self._reported), *_trainings(summaries)),
            data=(_said_data(found, summaries[0]),),
            deviations=tuple(dict.fromkeys([*self._scaled_down(asked), *self._said, *own])),
            hardware=", ".join(dict.fromkeys(one.hardware for one in summaries)),
            seconds=sum(one.train_seconds or 0.0 for one in summaries) + _seconds(classifier),
            findings=tuple(_findings(found, runs)),
            pages=(SHEET, FIGURES),
            seed=summaries[0].seed,
            stands_in=self._srgan.data.datasets[0] not in summaries[0].datasets,
        )

    def upscaler(self, name: str, asked: Asked) -> UpscaleRecipe:
        """An upscaler's recipe as the scale trains it."""
        return UPSCALE_RECIPES[f"{name}{self.suffix}"].with_settings(self._settings(name, asked))

    def classifier(self, asked: Asked) -> ClassifierRecipe:
        """The classifier's recipe as the scale trains it: VGG19 at the paper's scale only.

        Its pictures are those of the networks, split alike.
        """
        data = self._srgan.data
        if asked.scale == "paper" and not self.suffix:
            return CLASSIFIER_RECIPES["vgg19_wbc"]
        if asked.scale == "paper":
            return replace(CLASSIFIER_RECIPES["lwcnn"], data=data, reported={})
        ours = CLASSIFIER_RECIPES["vgg19_wbc_tuned"]
        view = replace(ours.view, size_px=_SIDE_PX[self.suffix])
        if self.suffix:
            view = replace(view, crop_px=self._srgan.view.crop_px, centre="middle")
        small = replace(
            ours, name=f"cell_types_{data.taxonomy}", network="cell_types", data=data, view=view,
            reported={}, deviations=(),
        )  # fmt: skip
        return with_settings(small, self._settings(CLASSIFIER, asked))

    @property
    def _srgan(self) -> UpscaleRecipe:
        return UPSCALE_RECIPES[f"srgan{self.suffix}"]

    @property
    def _reported(self) -> float | None:
        told: Mapping[str, float] = self._srgan.reported.get("accuracy of VGG19 (Table 6)", {})
        return told.get("test")

    @property
    def _said(self) -> tuple[str, ...]:
        own = (_BEGINS, _BY_TYPE, _JUDGE)
        return own if self.suffix else (*_PAPERS, *own)

    def _settings(self, name: str, asked: Asked) -> list[str]:
        return [*{"smoke": self.smoke, "cpu": self.cpu, "paper": {}}[asked.scale].get(name, ())]

    def _upscalers(self, asked: Asked, how: run_asked.Asked) -> Iterator[UpscalerRun]:
        """Finished runs; what is asked for is trained first."""
        kinds: tuple[str, ...] = ()
        for name in UPSCALERS:
            recipe = self.upscaler(name, asked)
            types = kinds if recipe.per_type else (None,)
            folders = [run_asked.run_folder(recipe, how, kind) for kind in types]
            if is_asked(asked.only, recipe.name, self.names):
                if recipe.per_type and not kinds:
                    raise UsageError(
                        f"{recipe.name} begins with {UPSCALERS[0]}{self.suffix}, which is not "
                        f"trained yet: --only {UPSCALERS[0]}{self.suffix} trains it"
                    )
                for kind in types:
                    run_upscaler(recipe, how, kind)
            elif not all((folder / SUMMARY).is_file() for folder in folders):
                continue
            runs = [open_upscaler_run(folder) for folder in folders]
            if name == UPSCALERS[0]:
                how = replace(how, weights=result_weights(folders[0]))
                kinds = runs[0].summary.types
            yield from runs

    def _classifier(self, asked: Asked, how: run_asked.Asked) -> Path | None:
        recipe = self.classifier(asked)
        folder = run_asked.run_folder(recipe, how)
        if is_asked(asked.only, CLASSIFIER, self.names):
            (folder,) = run_classifier.run_classifier(recipe, how)
        return folder if (folder / SUMMARY).is_file() else None

    def _scaled_down(self, asked: Asked) -> list[str]:
        """What the scale cuts, as deviations."""
        if asked.scale == "paper":
            return []
        said = []
        for name in UPSCALERS:
            recipe = self.upscaler(name, asked)
            said.append(
                f"scale {asked.scale}: {recipe.name} takes {recipe.train.max_steps} steps "
                f"{'a type' if recipe.per_type else 'in all'} of "
                f"{recipe.train.step_samples} parts of {recipe.view.learned_px} px at most in the "
                f"place of {UPSCALE_RECIPES[recipe.name].train.epochs} epochs"
            )
        told, papers = self.classifier(asked), self.classifier(replace(asked, scale="paper"))
        said.append(
            f"scale {asked.scale}: {told.network} at {told.view.size_px} px in the place of "
            f"{papers.network}"
        )
        return said


def _lines(
    found: Mapping[str, Any], runs: Sequence[UpscalerRun], reported: float | None
) -> Iterator[Line]:
    """Figures of every way; the paper's accuracy beside that of the large pictures."""
    called = {run.folder.name: run.summary.recipe for run in runs}
    for way, of in found["ways"].items():
        for name, one in of.items():
            told = reported if (way, name) == (LARGE, "accuracy") else None
            low, high = one["interval"] or (None, None)
            yield Line(
                f"test pictures, {called.get(way, way)}",
                name,
                told,
                _WHERE if told else "",
                one["value"],
                low,
                high,
                found["n"],
                digits=_DIGITS.get(name, 4),
            )


def _trainings(summaries: Sequence[UpscaleSummary]) -> Iterator[Line]:
    """The numbers of each recipe's network; one, where there is a network for each type."""
    told = UPSCALE_RECIPES["srgan"].reported["parameters (Tables 1 and 2)"]["generator"]
    for name, one in {summary.recipe: summary for summary in summaries}.items():
        count = sum(one.networks["generator"].values())
        yield Line(f"generator, {name}", "parameters", told, "Table 1", count, digits=0)


def _said_data(found: Mapping[str, Any], summary: UpscaleSummary) -> str:
    pictures = summary.pictures
    return (
        f"{', '.join(summary.datasets)}: learnt from {pictures['train']} pictures, "
        f"{pictures['val']} chose; measured on {found['n']} of {pictures['test']} test pictures "
        f"in {found['n_groups']} source groups; distance: {found['distance']}; classifier: "
        f"{found['classifier'] or 'none'}"
    )


def _findings(found: Mapping[str, Any], runs: Sequence[UpscalerRun]) -> Iterator[str]:
    """Which differences to bicubic interpolation are told from none."""
    called = {run.folder.name: run.summary.recipe for run in runs}
    for way, of in found["over_bicubic"].items():
        for name, one in of.items():
            if one["interval"] is None or way == LARGE:
                continue
            low, high = one["interval"]
            sure = "told from none" if low > 0 or high < 0 else "not told from none"
            yield (
                f"{called.get(way, way)}: {name} {one['value']:+.4f} against bicubic "
                f"({low:+.4f} to {high:+.4f}), {sure}"
            )
    for run in runs:
        which = f"{run.summary.recipe}{', ' + run.summary.type if run.summary.type else ''}"
        yield from (f"{which}: {said}" for said in run.summary.warnings)


def _seconds(run: Path | None) -> float:
    if run is None:
        return 0.0
    kept = json.loads((run / SUMMARY).read_text(encoding="utf-8"))
    return float(kept.get("train_seconds") or 0.0)


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "srgan_vgg19",
        "White cells enlarged by SRGAN, and a classifier's accuracy on each way",
        "Ferdousi et al. 2024",
        "Tables 1 and 6",
        ("bccd4",),
        UpscaleTable(),
    ),
    Experiment(
        "srgan_pbc",
        "Eight types of PBC enlarged by SRGAN, and a classifier's accuracy on each way",
        "Ferdousi et al. 2024",
        "Table 1, on other pictures",
        ("pbc",),
        UpscaleTable("_pbc", CPU_PBC),
    ),
)
