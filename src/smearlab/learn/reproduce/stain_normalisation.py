"""Stains of the thesis: networks that lead from one to the other, and what that is worth.

A classifier learns types in one stain and is asked in another: as the pictures are, normalised by
each way that there is, and, in the place of normalising, trained on varied stains.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.batch.workers import usable_cores
from smearlab.evaluation.reproductions import Line
from smearlab.evaluation.results import plain
from smearlab.evaluation.runs import SUMMARY, Predictions, RunSummary
from smearlab.io.atomic import write_bytes, write_text
from smearlab.learn import run_asked, run_classifier
from smearlab.learn.classifier_recipe import with_settings
from smearlab.learn.classifier_run import ClassifierRun, open_classifier_run
from smearlab.learn.export_stain import export_stain
from smearlab.learn.held_out import HeldOutPictures
from smearlab.learn.manifest_samples import Split
from smearlab.learn.recipes import CLASSIFIER_RECIPES, STAIN_RECIPES
from smearlab.learn.reproduce.experiment import Asked, Experiment, Outcome, how_to_run, is_asked
from smearlab.learn.reproduce.stain_answers import VARIED_STAINS, figures_of, shrunk, third_answers
from smearlab.learn.reproduce.third_stain import (
    TYPED,
    judged_third,
    third_fields,
    third_lines,
)
from smearlab.learn.run_stain import run_stain
from smearlab.learn.stain_judge import TESTED
from smearlab.learn.stain_recipe import StainRecipe
from smearlab.learn.stain_record import StainSummary
from smearlab.learn.stain_run import StainRun, open_stain_run
from smearlab.learn.verification.pictures import png_of
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet
from smearlab.stain.fitting import measure_look
from smearlab.stain.ground import ground_of, on_ground
from smearlab.stain.methods import METHODS
from smearlab.stain.models import load_normaliser
from smearlab.stain.normaliser import Normaliser, ReferenceNormaliser

#: Trained in the order; StainNet is taught by the first.
NETWORKS = ("w_cyclegan_gp", "cyclegan", "pix2pix_stain", "stainnet")
PLAIN, VARIED = "lwcnn_plain", "lwcnn_stains"
#: Nothing but the ground is carried over: what that much of every normaliser is worth.
GROUND_ALONE = "the ground alone"
FIGURES, SHEET = "figures.json", "normalised.png"
#: A network for each way takes 57 minutes (Wasserstein) on one core, one way alone half of it.
CPU: Mapping[str, Sequence[str]] = {"pix2pix_stain": ("train.epochs=10",)}
_LARGE = ("view.size_px=256", "view.crop_px=224", "judged_px=256", "train.epochs=150")
_CRITIC = "critic.widths=64,128,256,512"
PAPER: Mapping[str, Sequence[str]] = {
    "cyclegan": (*_LARGE, _CRITIC, "network.width=64", "network.blocks=9", "train.batch_size=1"),
    "pix2pix_stain": (*_LARGE, _CRITIC),
    "stainnet": ("train.epochs=300",),
}
#: Recipe → that of the thesis's size.
_PAPERS = {"w_cyclegan_gp": "w_cyclegan_gp_256"}
_SMALL = ("train.max_steps=2", "train.batch_size=2", "train.workers=0", "judged=2")
SMOKE: Mapping[str, Sequence[str]] = {
    "w_cyclegan_gp": (*_SMALL, "network.widths=4,4", "critic.widths=4,4", "view.size_px=32",
                      "judged_px=32"),
    "cyclegan": (*_SMALL, "network.width=4", "network.blocks=1", "critic.widths=4,4",
                 "view.size_px=32", "judged_px=32"),
    "pix2pix_stain": (*_SMALL, "network.widths=4,4", "critic.widths=4,4", "view.size_px=32",
                      "judged_px=32"),
    "stainnet": (*_SMALL, "train.epochs=1", "view.size_px=32", "judged_px=32"),
    PLAIN: ("train.max_steps=2", "train.workers=0", "train.epochs=1"),
    VARIED: ("train.max_steps=2", "train.workers=0", "train.epochs=1"),
}  # fmt: skip
#: Normalised at so many times the side that the classifier sees, then made small.
_FINER = 3
#: Pictures that a reference method is measured on; pictures on the sheet.
_MEASURED, _SHOWN, _TILE_PX = 300, 8, 96
_WHERE = "Tables 13 to 16"
#: Our figure → the thesis's, A being what it calls A.
_TOLD = {
    "fid_made_a": "FID A made", "fid_back_a": "FID A back", "fid_made_b": "FID B made",
    "fid_back_b": "FID B back", "ssim_back_a": "SSIM A back", "ssim_back_b": "SSIM B back",
    "is_made_b": "IS",
}  # fmt: skip
_OTHER = {"a": "b", "b": "a"}
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class StainTable:
    """Networks and reference methods, and a classifier's accuracy on what they make.

    Parameters
    ----------
    networks : tuple of str
        Recipes of :data:`smearlab.learn.recipes.STAIN_RECIPES`.
    cpu, smoke : mapping of str to sequence of str
        Recipe → settings of the scale.
    """

    networks: tuple[str, ...] = NETWORKS
    cpu: Mapping[str, Sequence[str]] = field(default_factory=lambda: CPU)
    smoke: Mapping[str, Sequence[str]] = field(default_factory=lambda: SMOKE)

    @property
    def names(self) -> tuple[str, ...]:
        """What ``--only`` may name."""
        return (*self.networks, PLAIN, VARIED)

    def __call__(self, asked: Asked) -> Outcome:
        """Train what is not trained yet, and measure."""
        how = how_to_run(asked)
        networks = dict(self._networks(asked, how))
        plain_run = self._classifier(PLAIN, asked, how)
        varied = self._classifier(VARIED, asked, how)
        found = self._measured(plain_run, varied, networks, asked)
        write_text(
            asked.folder / FIGURES,
            json.dumps(plain(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        )
        runs = [*networks.values()]
        own = [said for run in runs for said in run.summary.deviations]
        summary = plain_run.summary
        told: list[StainSummary | RunSummary] = [
            *(run.summary for run in runs),
            summary,
            varied.summary,
        ]
        return Outcome(
            lines=(
                *_answers(found),
                *third_lines(found["third"]),
                *(line for run in runs for line in _of_network(run)),
            ),
            data=(_said_data(found, plain_run),),
            deviations=tuple(dict.fromkeys([*self._scaled_down(asked), *_SAID, *own])),
            hardware=", ".join(dict.fromkeys(one.hardware for one in told)),
            seconds=sum(one.train_seconds or 0.0 for one in told),
            findings=(
                *_findings(found),
                *(f"{name} is not trained yet" for name in self.networks if name not in networks),
            ),
            pages=(SHEET, *_shown_types(networks, asked.folder), FIGURES),
            seed=summary.seed,
        )

    def settings(self, name: str, asked: Asked) -> list[str]:
        """Settings of a recipe at a scale."""
        return [*{"smoke": self.smoke, "cpu": self.cpu, "paper": PAPER}[asked.scale].get(name, ())]

    def recipe(self, name: str, asked: Asked) -> StainRecipe:
        """A network's recipe at a scale; one that leads one way leads to the classifier's stain."""
        papers = _PAPERS.get(name, name) if asked.scale == "paper" else name
        recipe = replace(STAIN_RECIPES[papers], name=name)
        recipe = recipe.with_settings(self.settings(name, asked))
        if recipe.learning == "unpaired":
            return recipe
        return replace(recipe, stains=recipe.stains[::-1])

    def _networks(self, asked: Asked, how: run_asked.Asked) -> Iterator[tuple[str, StainRun]]:
        """Finished runs with their bundles; what is asked for is trained first."""
        for name in self.networks:
            recipe = self.recipe(name, asked)
            folder = run_asked.run_folder(recipe, how)
            if is_asked(asked.only, name, self.names):
                taught = recipe.learning == "taught"
                teacher = how.out / f"{self.networks[0]}-{how.protocol}" if taught else None
                folder = run_stain(recipe, how, None if teacher is None else str(teacher))
            elif not (folder / SUMMARY).is_file():
                continue
            run = open_stain_run(folder)
            for way in run.ways:
                if not (folder / "bundle" / way / "card.json").is_file():
                    export_stain(run, folder / "bundle" / way, way)
            yield name, run

    def _classifier(self, name: str, asked: Asked, how: run_asked.Asked) -> ClassifierRun:
        recipe = with_settings(CLASSIFIER_RECIPES[name], self.settings(name, asked))
        (folder,) = run_classifier.run_classifier(recipe, how)
        return open_classifier_run(folder)

    def _measured(
        self,
        run: ClassifierRun,
        varied: ClassifierRun,
        networks: Mapping[str, StainRun],
        asked: Asked,
    ) -> dict[str, Any]:
        """Answers at home, abroad, and abroad after each normaliser."""
        fine = {part: _fine_views(run, part) for part in ("train", "test")}
        unseen = _unseen(run, networks)

        def told(answered: Predictions) -> dict[str, Any]:
            return figures_of(answered, np.isin(answered.paths, unseen))

        at_home = Predictions.load(run.folder, "val")
        home, abroad = (sorted(set(one.origins)) for one in (at_home, _tested(run)))
        answers = {"home": figures_of(at_home), "abroad": told(_tested(run))}
        both: dict[str, Any] = {}
        normalisers = dict(_references(fine["train"]))
        for name, network in networks.items():
            for way in network.ways:
                if network.stains_of(way)[1] in home:
                    place = network.folder / "bundle" / way
                    normalisers[name] = load_normaliser(place, usable_cores())
        shown = {"as it is": fine["test"][:_SHOWN]}
        learned, knows_stains = run.network(), varied.network()
        ground = np.median([ground_of(one) for one in fine["train"]], axis=0)
        alone = np.stack([on_ground(one, ground) for one in fine["test"]])
        pictures = HeldOutPictures(run.samples("test"), shrunk(alone, run.input_px))
        answers[GROUND_ALONE] = told(pictures.predictions(learned))
        for name, normaliser in normalisers.items():
            asked.say(f"{name}: {len(fine['test'])} pictures of {', '.join(abroad)}")
            made = np.stack([normaliser.apply(one) for one in fine["test"]])
            shown[name] = made[:_SHOWN]
            pictures = HeldOutPictures(run.samples("test"), shrunk(made, run.input_px))
            answers[name] = told(pictures.predictions(learned))
            both[f"{name} and {VARIED_STAINS}"] = told(pictures.predictions(knows_stains))
        answers |= {VARIED_STAINS: told(_tested(varied)), **both}
        _draw(asked.folder / SHEET, shown)
        third = judged_third(normalisers, list(fine["train"]), third_fields(asked), asked.say)
        cells = third_answers(run, learned, knows_stains, normalisers, asked, _FINER)
        return {
            "home": home,
            "abroad": abroad,
            "answers": answers,
            "third": third,
            "third_answers": cells,
        }

    def _scaled_down(self, asked: Asked) -> list[str]:
        if asked.scale == "paper":
            return []
        told = [(name, self.settings(name, asked)) for name in self.names]
        said = [f"scale {asked.scale}: {name} with {', '.join(s)}" for name, s in told if s]
        papers = replace(asked, scale="paper")
        for name in self.networks:
            here, there = (self.recipe(name, one).train.epochs for one in (asked, papers))
            said.append(f"scale {asked.scale}: {name} learns for {here} epochs, not {there}")
        return said


_SAID = (
    "FID is by the features of the blood-cell network that ships, the inception score by its nine "
    "classes, of which it cannot exceed the number; the thesis's are by Inception-v3",
    "pictures of Raabin are middle squares that are as wide as those of PBC for the size of cells, "
    "in the place of boxes: of its 456 pictures in TXL-PBC 446 have one box of a white cell, whose "
    "middle is 16 px from the picture's (median; 41 px in 95 % of 575 px), 8 have two, 2 none",
    "at home: validation pictures of the stain that was learned, which chose the epoch",
    "abroad: test pictures that no network between stains has learned from, or was chosen by",
    "pictures are normalised at three times the side that the classifier sees",
    "cells of bccd4: squares of 64 px about the nucleus, where the picture has one",
)


def _unseen(run: ClassifierRun, networks: Mapping[str, StainRun]) -> NDArray[np.str_]:
    """Test pictures that no network between stains has learned from, or was chosen by."""
    seen = set[Path]().union(*(network.learned_from() for network in networks.values()))
    manifest = run.manifest()
    paths = manifest.column("path")[manifest.column("split") == "test"]
    return np.array([path for path in paths if manifest.file(path).resolve() not in seen], str)


def _tested(run: ClassifierRun) -> Predictions:
    return Predictions.load(run.folder, "test")


def _fine_views(run: ClassifierRun, part: Split) -> Pixels:
    """Pictures of a part, larger than the classifier sees them."""
    view = replace(run.recipe.view, size_px=_FINER * run.input_px)
    samples = replace(run, recipe=replace(run.recipe, view=view)).samples(part)
    rng = np.random.default_rng(0)
    chosen = range(len(samples))
    if part == "train":
        chosen = np.sort(rng.permutation(len(samples))[:_MEASURED]).tolist()
    return np.stack([samples.sample(int(n), rng)["pixels"] for n in chosen])


def _references(home: Pixels) -> Iterator[tuple[str, Normaliser]]:
    """Every reference method, fitted to the stain at home; of the other nothing is known."""
    for method in METHODS:
        target = measure_look(list(home), method, name="the pictures at home")
        yield method, ReferenceNormaliser(method, method, target)


def _shown_types(networks: Mapping[str, StainRun], folder: Path) -> Iterator[str]:
    """Copies of the networks' sheets of test pictures: each type real, restained, and back."""
    for name, run in networks.items():
        sheet = run.folder / TESTED
        if sheet.is_file():
            write_bytes(folder / f"types-{name}.png", sheet.read_bytes())
            yield f"types-{name}.png"


def _draw(path: Path, shown: Mapping[str, Pixels]) -> None:
    rows = [
        SheetRow(name, list(pictures), [""] * len(pictures)) for name, pictures in shown.items()
    ]
    write_bytes(path, png_of(draw_contact_sheet(rows, _TILE_PX)))


def _answers(found: Mapping[str, Any]) -> Iterator[Line]:
    home, abroad = (", ".join(found[key]) for key in ("home", "abroad"))
    called = {"home": home, "abroad": f"{abroad}, as it is"}
    answers = {called.get(name, f"{abroad}, {name}"): one for name, one in found["answers"].items()}
    answers |= {f"{TYPED}, {name}": one for name, one in found["third_answers"].items()}
    for said, one in answers.items():
        for key, figure in (("accuracy", "accuracy"), ("macro_recall", "sensitivity")):
            low, high = one["intervals"].get(key) or (None, None)
            yield Line(said, figure, None, "", one[key], low, high, one["n"])


def _of_network(run: StainRun) -> Iterator[Line]:
    """Figures of its test pictures; the thesis's beside where it has them."""
    summary = run.summary
    told = summary.reported.get(_WHERE, {})
    turned = STAIN_RECIPES[summary.recipe].learning != "unpaired"  # from the thesis's B to its A
    for name, one in summary.figures.items():
        called = name[:-1] + _OTHER[name[-1]] if turned and name[-2:] in ("_a", "_b") else name
        reported = told.get(_TOLD.get(called, ""))
        n = min(summary.judged.values())
        where = _WHERE if reported is not None else ""
        yield Line(summary.recipe, name.replace("_", " "), reported, where, one["value"],
                   one["low"], one["high"], n)  # fmt: skip
    hours = (summary.train_seconds or 0.0) / 3600
    yield Line(summary.recipe, "training, hours", told.get("hours"), _WHERE if told else "", hours,
               digits=2)  # fmt: skip
    size = sum(one["trainable"] for one in summary.networks.values())
    yield Line(summary.recipe, "parameters", summary.reported.get("parameters"), "", size, digits=0)


def _findings(found: Mapping[str, Any]) -> Iterator[str]:
    """How much of what the other stain costs comes back."""
    answers = found["answers"]
    home, abroad = answers["home"]["accuracy"], answers["abroad"]["accuracy"]
    lost = home - abroad
    for name, one in answers.items():
        if name in ("home", "abroad") or lost <= 0:
            continue
        back = (one["accuracy"] - abroad) / lost
        yield f"{name}: {100 * back:.0f} % of what the other stain costs ({100 * lost:.1f} points)"


def _said_data(found: Mapping[str, Any], run: ClassifierRun) -> str:
    n, groups = (found["answers"]["abroad"][key] for key in ("n", "n_groups"))
    return (
        f"{run.summary.network} learned from {run.summary.n_train} pictures of "
        f"{', '.join(found['home'])}; asked about {n} of {', '.join(found['abroad'])} in {groups} "
        "groups"
    )


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "stain_normalisation",
        "One stain from two, and what that is worth to a classifier",
        "Hazra 2022",
        "Tables 13 to 16",
        ("pbc", "txl_pbc"),
        StainTable(),
        "PBC and the Munich set",
        essential=("txl_pbc",),
    ),
)
