"""Tables 1 to 3 of paper B: RWP-GAN, its rivals, and what stands beside, on the same fields."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smearlab.datasets.element_pairs import held_out_pairs
from smearlab.datasets.pair_files import PairFile
from smearlab.errors import DataError, UsageError
from smearlab.evaluation.picture_features import BundleFeatures
from smearlab.evaluation.reproductions import Line
from smearlab.evaluation.runs import SUMMARY
from smearlab.learn.export_segmenters import export_segmenter
from smearlab.learn.recipes import SEGMENTATION_RECIPES
from smearlab.learn.reproduce import element_distances
from smearlab.learn.reproduce.element_distances import (
    Drawn,
    drawn_distances,
    drawn_lines,
    mean_lines,
)
from smearlab.learn.reproduce.element_figures import Measured, Measurement
from smearlab.learn.reproduce.element_lines import (
    SOURCE_WORDS,
    figure_lines,
    findings,
    kinds_of,
    lacking_fields,
    loss_lines,
    training_lines,
)
from smearlab.learn.reproduce.element_scales import (
    CPU,
    CPU_OF_ELEMENT,
    FIELDS,
    OF_ONE,
    SAMPLED,
    SMOKE,
)
from smearlab.learn.reproduce.element_sheets import write_sheet
from smearlab.learn.reproduce.experiment import Asked, Experiment, Outcome, how_to_run, is_asked
from smearlab.learn.run_segmenter import RunPairs, element_run_folder, pairs_of, run_segmenter
from smearlab.learn.segmentation_recipe import SegmentationRecipe
from smearlab.learn.segmenter_run import SegmenterRun, open_segmenter_run
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.types import ELEMENTS, Element

#: Folder of the bundles in that of the experiment.
BUNDLES = "bundles"
_SIMULATED, _DISTANT = "simulated", "bbbc041seg"
#: What is measured beside the networks that are trained: name in tables → model.
BESIDE: Mapping[str, str] = {
    "shipped segmenter": "default",
    "U-Net of all cells": "bloodcell_unet",
}
#: How those come about that do not ship: paper A's network, which ``unet_bce_dice`` trains for one
#: element, as that paper trains it.
_MADE = {
    "bloodcell_unet": "; smearlab train bloodcell_net --stage bloodcell_unet --bundles FOLDER "
    "makes it, and SMEARLAB_MODELS=FOLDER names it"
}
_SAID = (
    *element_distances.SAID,
    "SSIM, PSNR and SNR stand beside the paper's on a white ground: on black its SNR would lie far "
    "below its PSNR; they are of what the network drew, or, where it draws nothing, of the field's "
    "pixels inside its mask",
    "losses of Table 1: L1 is of pictures in [0, 1]; on the generator's own range of [-1, 1] it "
    "would be twice as large",
)


@dataclass(frozen=True)
class _Part:
    """What is known of one element."""

    element: Element
    pairs: RunPairs
    tested: tuple[PairFile, ...]
    runs: Mapping[str, SegmenterRun]
    measured: Mapping[str, Measured]
    drawn: Mapping[str, Drawn]
    lacking: tuple[str, ...]
    page: str | None


@dataclass(frozen=True)
class SegmenterTable:
    """Recipes that are trained for every element, and measured on the same fields.

    Parameters
    ----------
    recipes : tuple of str
        The first is the paper's own, the last the plain network that it must beat.
    cpu : mapping of str to sequence of str
        Recipe → settings of the scale ``cpu``.
    cpu_of_element : mapping of str to mapping
        Element → recipe → further settings of that scale.
    smoke : tuple of str
        Settings of the scale ``smoke``.
    own : mapping of str to sequence of str
        Recipe → settings at every scale.
    elements : tuple of str
    beside : mapping of str to str
        Name in tables → model that is measured besides.
    of_one : mapping of str to sequence of str
        Element → recipes that are trained for it besides.
    sampled : mapping of str to int
        Recipe → draws of noise: the mean of so many answers is measured besides.
    fields : mapping of str to int
        Scale → test fields of each kind of target, spread over all; other scales take all.
    """

    recipes: tuple[str, ...] = ("rwp_gan", "pix2pix", "unet_bce_dice")
    cpu: Mapping[str, Sequence[str]] = field(default_factory=lambda: CPU)
    cpu_of_element: Mapping[Element, Mapping[str, Sequence[str]]] = field(
        default_factory=lambda: CPU_OF_ELEMENT
    )
    smoke: tuple[str, ...] = SMOKE
    own: Mapping[str, Sequence[str]] = field(default_factory=dict)
    elements: tuple[Element, ...] = ELEMENTS
    beside: Mapping[str, str] = field(default_factory=lambda: BESIDE)
    of_one: Mapping[Element, Sequence[str]] = field(default_factory=lambda: OF_ONE)
    sampled: Mapping[str, int] = field(default_factory=lambda: SAMPLED)
    fields: Mapping[str, int] = field(default_factory=lambda: FIELDS)

    @property
    def names(self) -> tuple[str, ...]:
        """What ``--only`` may name."""
        return (*self._all, *(element.lower() for element in self.elements))

    def __call__(self, asked: Asked) -> Outcome:
        """Train what is not trained yet, measure what is not measured yet."""
        parts = list(self._parts(asked))
        runs = [run for part in parts for run in part.runs.values()]
        if not runs:
            raise UsageError("nothing of this table is trained yet: leave out --only")
        own = [said for run in runs for said in run.summary.deviations]
        trained = {part.element: tuple(part.runs) for part in parts}
        none = [f"{one}: not trained yet" for one in self.elements if one not in trained]
        seconds = [run.summary.train_seconds or 0.0 for run in runs]
        seconds += [one.seconds for part in parts for one in part.measured.values()]
        return Outcome(
            lines=(*(line for part in parts for line in self._lines(part)), *self._means(parts)),
            data=tuple(_data_of(part) for part in parts),
            deviations=tuple(dict.fromkeys([*self._scaled_down(asked, trained), *_SAID, *own])),
            hardware=", ".join(dict.fromkeys(run.summary.hardware for run in runs)),
            seconds=sum(seconds),
            findings=(*(said for part in parts for said in self._findings(part)), *none),
            pages=tuple(part.page for part in parts if part.page),
            seed=runs[0].summary.seed,
            stands_in=not any(file.source == "all_idb1" for part in parts for file in part.tested),
        )

    def recipe(self, name: str, element: Element, asked: Asked) -> SegmentationRecipe:
        """A recipe as the scale trains it.

        Parameters
        ----------
        name : str
        element : {"RBC", "WBC", "PLT"}
        asked : Asked
        """
        cpu = (*self.cpu.get(name, ()), *self.cpu_of_element.get(element, {}).get(name, ()))
        settings = {"smoke": self.smoke, "cpu": cpu, "paper": ()}[asked.scale]
        own = self.own.get(name, ())
        return SEGMENTATION_RECIPES[name].asked_for(element, asked.protocol, (*settings, *own))

    @property
    def _all(self) -> tuple[str, ...]:
        """Recipes of any element."""
        return tuple(dict.fromkeys(name for one in self.elements for name in self._of(one)))

    def _of(self, element: Element) -> tuple[str, ...]:
        """Recipes that are trained for an element."""
        return (*self.recipes, *self.of_one.get(element, ()))

    def _parts(self, asked: Asked) -> Iterator[_Part]:
        for element in self.elements:
            runs = dict(self._runs(element, asked))
            if not runs:
                continue
            pairs = pairs_of(
                self.recipe(next(iter(runs)), element, asked).data,
                element,
                asked.data,
                asked.protocol,
            )
            tested = self._tested(element, pairs, asked)
            measured, lacking = self._measured(element, runs, tested, asked)
            games = [name for name, run in runs.items() if "critic" in run.summary.networks]
            asked.say(f"{element}: comparing what {', '.join(games)} drew with its targets")
            played = {name: measured[name] for name in games if name in measured}
            drawn = drawn_distances(played, tested, BundleFeatures())
            page = f"{element.lower()}.png"
            leading = measured[next(iter(runs))]
            is_shown = write_sheet(asked.folder / page, leading, measured, tested)
            shown = page if is_shown else None
            yield _Part(element, pairs, tested, runs, measured, drawn, lacking, shown)

    def _runs(self, element: Element, asked: Asked) -> Iterator[tuple[str, SegmenterRun]]:
        """Finished runs with their bundles; what is asked for is trained first."""
        how = how_to_run(asked)
        for name in self._of(element):
            recipe = self.recipe(name, element, asked)
            folder = element_run_folder(recipe, element, how)
            if is_asked(asked.only, name, self._all) and is_asked(
                asked.only, element.lower(), [one.lower() for one in self.elements]
            ):
                folder = run_segmenter(recipe, element, how)
            elif not (folder / SUMMARY).is_file():
                continue
            run = open_segmenter_run(folder)
            _export(run, _bundle(asked, name) / element.lower())
            yield name, run

    def _tested(self, element: Element, pairs: RunPairs, asked: Asked) -> tuple[PairFile, ...]:
        """The test part, or, where there is none, what stands for it; and red cells elsewhere."""
        files = pairs.part("test") or pairs.part(pairs.judged)
        if element == "RBC" and asked.data != _SIMULATED:
            try:
                files += held_out_pairs(Path(asked.data))
            except (DataError, UsageError):
                asked.say(f"{_DISTANT} is not in {asked.data}: red cells are not measured on it")
        if asked.scale not in self.fields:
            return tuple(files)
        kinds = dict.fromkeys(file.source for file in files)
        return tuple(
            file
            for kind in kinds
            for file in _spread(
                [one for one in files if one.source == kind], self.fields[asked.scale]
            )
        )

    def _measured(
        self,
        element: Element,
        runs: Mapping[str, SegmenterRun],
        tested: Sequence[PairFile],
        asked: Asked,
    ) -> tuple[dict[str, Measured], tuple[str, ...]]:
        """Figures of every model that is there, and what is said of the others."""
        found, lacking = {}, []
        for measurement in self._measurements(element, runs, asked):
            name, why = measurement.name, measurement.why_not
            if why is None:
                asked.say(f"{element}: measuring {name} on {len(tested)} fields")
                found[name] = measurement.run(tested)
            else:
                how = _MADE.get(measurement.model, "")
                lacking.append(f"{element}: {name} is left out: {why}{how}")
        return found, tuple(lacking)

    def _measurements(
        self, element: Element, runs: Iterable[str], asked: Asked
    ) -> Iterator[Measurement]:
        """Every network, means of those with noise, and what is measured besides."""
        folder = asked.folder / "figures"
        for name in runs:
            yield Measurement(name, str(_bundle(asked, name)), element, folder)
        for name in runs:
            if name in self.sampled:
                n = self.sampled[name]
                model = str(_bundle(asked, name))
                yield Measurement(_mean_of(name, n), model, element, folder, n)
        for name, model in self.beside.items():
            yield Measurement(name, model, element, folder)

    def _lines(self, part: _Part) -> Iterator[Line]:
        first = self.recipes[0]
        reported = SEGMENTATION_RECIPES[first].reported
        yield from figure_lines(part.element, part.measured, reported, first)
        for name, run in part.runs.items():
            told = reported if name == first else {}
            if "critic" in run.summary.networks:
                yield from loss_lines(part.element, name, run.folder, told)
            yield from training_lines(part.element, name, run.summary, told)
        yield from drawn_lines(part.element, part.drawn)

    def _means(self, parts: Sequence[_Part]) -> Iterator[Line]:
        """Table 3: means over the elements, where all have been trained."""
        if len(parts) == len(self.elements):
            reported = SEGMENTATION_RECIPES[self.recipes[0]].reported
            yield from mean_lines([part.drawn for part in parts], reported, self.recipes[0])

    def _findings(self, part: _Part) -> Iterator[str]:
        first, *_, last = self.recipes
        also = self.of_one.get(part.element, ())
        means = [_mean_of(name, n) for name, n in self.sampled.items() if name in part.runs]
        yield from findings(part.element, part.measured, first, last, (*also, *means))
        for name, run in part.runs.items():
            for warning in run.summary.warnings:
                yield f"{part.element}: {name}: {warning}"
        for name in self._of(part.element):
            if name not in part.runs:
                yield f"{part.element}: {name} is not trained yet"
        yield from lacking_fields(part.element, part.measured)
        yield from part.lacking

    def _scaled_down(self, asked: Asked, trained: Mapping[Element, Sequence[str]]) -> list[str]:
        """What the scale cuts of the recipes that are trained, as deviations."""
        if asked.scale == "paper":
            return []
        n = self.fields.get(asked.scale)
        said = [f"at most {n} fields of each kind of target are measured"] if n else []
        for name in dict.fromkeys(name for names in trained.values() for name in names):
            recipe = self.recipe(name, self.elements[0], asked)
            epochs = "/".join(str(n) for n in SEGMENTATION_RECIPES[name].epochs.values())
            said.append(
                f"scale {asked.scale}: {name} takes {_length(recipe)}, in the place of "
                f"{epochs} epochs"
            )
        if asked.scale == "cpu":
            said += [
                f"scale cpu: {name} of {element} with {', '.join(settings)}"
                for element, recipes in self.cpu_of_element.items()
                for name, settings in recipes.items()
                if name in trained.get(element, ())
            ]
        return said


def _length(recipe: SegmentationRecipe) -> str:
    """How long a recipe of a smaller scale trains, and what else it spares, in words."""
    train = recipe.train
    if train.max_steps is not None:
        return f"{train.max_steps} steps of {train.step_samples} pictures at most"
    n = train.epochs * recipe.data.per_picture
    spared = [] if train.schedule == "constant" else ["falling rates"]
    if isinstance(train, AdversarialConfig) and train.penalty_every > 1:
        spared.append(f"the penalty in one step in {train.penalty_every}")
    with_them = f", with {' and '.join(spared)}" if spared else ""
    return f"{n} sample{'s' * (n > 1)} of each picture, one a step{with_them}"


def _mean_of(name: str, n: int) -> str:
    """The mean of several answers of a network in tables."""
    return f"{name} (mean of {n})"


def _spread(files: Sequence[PairFile], n: int) -> list[PairFile]:
    """At most n of them, at even distances."""
    n = min(n, len(files))
    return [files[i * len(files) // n] for i in range(n)]


def _bundle(asked: Asked, name: str) -> Path:
    return asked.folder / BUNDLES / name


def _export(run: SegmenterRun, folder: Path) -> None:
    """Write the bundle, unless it is there and of this training."""
    path = folder / "card.json"
    if path.is_file():
        card = json.loads(path.read_text(encoding="utf-8"))
        judged = card.get("metrics", {}).values()
        if card.get("training") == run.asked and dict(run.summary.figures) in [*judged, {}]:
            return
    export_segmenter(run, folder)


def _data_of(part: _Part) -> str:
    """What was learnt from and measured on, in a sentence."""
    learnt = part.pairs.part("train")
    sets = ", ".join(sorted({file.name.partition("/")[0] for file in learnt}))
    chosen = len(part.pairs.part("val"))
    chose = f", {chosen} chose" if chosen else ""
    leading = next(iter(part.measured.values()))
    tested = {kind: leading.sources[kind]["n"] for kind in kinds_of({"": leading})}
    on = " and ".join(f"{n} fields ({SOURCE_WORDS[kind]})" for kind, n in tested.items())
    whole = "" if part.pairs.part("test") else ", which chose, too"
    return (
        f"{part.element}: learnt from {len(learnt)} pairs of {sets} ({_kinds(learnt)}){chose}; "
        f"measured on {on}{whole}"
    )


def _kinds(files: Sequence[PairFile]) -> str:
    found = Counter(SOURCE_WORDS[file.source] for file in files)
    return ", ".join(f"{kind} {n}" for kind, n in found.items())


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "rwp_gan",
        "Red cells, white cells and platelets by RWP-GAN and its rivals",
        "Khan et al. 2024, RWP-GAN",
        "Tables 1 to 3",
        ("txl_pbc", "bccd", "all_idb1"),
        SegmenterTable(),
        "ALL-IDB1, on request of its owners only",
        parts=ELEMENTS,
    ),
)
