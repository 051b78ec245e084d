"""A finished classifier run as it is taken up again: network, weights, classes and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from smearlab.datasets.manifest.table import Manifest, read_manifest
from smearlab.errors import DataError, RunError, UsageError
from smearlab.evaluation.runs import MANIFEST, Predictions, RunSummary
from smearlab.learn.classifier_recipe import ClassifierRecipe, PictureData
from smearlab.learn.manifest_samples import ManifestSamples, Split, rows_of_split
from smearlab.learn.models.classifiers import CLASSIFIERS, build_classifier
from smearlab.learn.run_asked import crops_of
from smearlab.learn.train.checkpoints import load_weights, result_weights
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig
from smearlab.registry import look_up


@dataclass(frozen=True, eq=False)
class ClassifierRun:
    """What a run folder says.

    Parameters
    ----------
    folder : Path
    asked : mapping
        Of its ``config.json``.
    summary : RunSummary
    recipe : ClassifierRecipe
        Network, pictures and views as they were trained; views without augmentation.
    """

    folder: Path
    asked: Mapping[str, Any]
    summary: RunSummary
    recipe: ClassifierRecipe

    @property
    def classes(self) -> tuple[str, ...]:
        """The number of a class is its place here."""
        return self.summary.classes

    @property
    def input_px(self) -> int:
        """Side of the pictures that the network sees."""
        return self.recipe.view.size_px

    def network(self) -> nn.Module:
        """The trained network in evaluation mode.

        Raises
        ------
        RunError
            If the weights cannot be read.
        UsageError
            If they are of another network.
        """
        model = build_classifier(self.recipe.network, len(self.classes))
        return load_weights(result_weights(self.folder), model)

    def predictions(self) -> Predictions:
        """What it answered for its validation pictures."""
        return Predictions.load(self.folder, "val")

    def samples(self, part: Split, data: Path | None = None) -> ManifestSamples:
        """The pictures of a part as the network sees them.

        Parameters
        ----------
        part : {"train", "val", "test"}
        data : Path, optional
            Folder of the pictures, if they are no longer where they were.

        Raises
        ------
        RunError
            If the run has no manifest, or a picture of the part is not there.
        """
        manifest = self.manifest(data)
        try:
            rows = rows_of_split(manifest, part)
        except DataError as error:
            raise RunError(f"{self.folder / MANIFEST}: {error}") from error
        gone = [n for n in rows if not manifest.file(manifest.column("path")[n]).is_file()]
        if gone:
            first = manifest.file(manifest.column("path")[gone[0]])
            raise RunError(
                f"{len(gone)} of {len(rows)} {part} pictures of {self.folder} are not there, first "
                f"{first}: name their folder with --data"
            )
        crops = crops_of(manifest, self.recipe)
        return ManifestSamples(
            manifest, self.classes, self.recipe.view, rows=rows, crops=crops
        ).without_augmentation()

    def manifest(self, data: Path | None = None) -> Manifest:
        """The pictures of the run with their parts.

        Raises
        ------
        RunError
            If there is no manifest that can be read.
        """
        path = self.folder / MANIFEST
        if not path.is_file():
            raise RunError(f"{path} does not exist: train the run to its end first")
        try:
            return read_manifest(path, data)
        except DataError as error:
            raise RunError(str(error)) from error


def open_classifier_run(folder: Path) -> ClassifierRun:
    """Read ``summary.json`` and ``config.json`` of a finished run.

    Parameters
    ----------
    folder : Path
        What ``smearlab train`` made of a recipe of a network; of a k-fold one of its folds.

    Raises
    ------
    RunError
        If it is no finished run, or cannot be read.
    UsageError
        If it holds folds, or a run without a network.
    UnknownNameError
        If no network has the run's name.
    """
    folds = sorted(path.name for path in folder.glob("fold-*"))
    if folds:
        raise UsageError(
            f"{folder} holds {len(folds)} folds, each a model of its own; name one, as "
            f"{folder / folds[0]}"
        )
    summary = RunSummary.load(folder)
    path = folder / "config.json"
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))["asked"]
        kind, name = asked["kind"], asked["network"]
        if kind == "classical":
            raise UsageError(
                f"{folder} is a {name} of measured features, not a network: it cannot become a "
                "bundle"
            )
        look_up("network", CLASSIFIERS, name)
        return ClassifierRun(folder, asked, summary, _recipe(asked))
    except FileNotFoundError:
        raise RunError(f"{path} does not exist: train the run anew") from None
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} cannot be read ({error!r}): train the run anew") from error


def _recipe(asked: Mapping[str, Any]) -> ClassifierRecipe:
    """As far as pictures and network go; the rest does not matter any more."""
    view, data = asked["view"], asked["data"]
    known = {field.name for field in fields(PictureData)}
    settings: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in data.items()
        if key in known
    }
    return ClassifierRecipe(
        name=asked["recipe"],
        title=asked["recipe"],
        source="",
        network=asked["network"],
        data=PictureData(**settings),
        view=PictureViewConfig(
            view["size_px"],
            view["crop_px"],
            AffineRanges(),
            view["clip_limit"],
            centre=view.get("centre", "middle"),
        ),
        train=TrainConfig(),
    )


def evenly(n: int, most: int) -> list[int]:
    """At most ``most`` numbers from 0 to ``n`` - 1, evenly spread.

    Examples
    --------
    >>> evenly(9, 3)
    [0, 4, 8]
    """
    places = np.linspace(0, n - 1, min(most, n))
    return [int(place) for place in places.round()]


def views(samples: ManifestSamples, most: int) -> NDArray[np.uint8]:
    """Unchanged views of at most so many pictures, evenly spread, shape (N, S, S, 3)."""
    rng = np.random.default_rng(0)  # nothing is drawn from it
    chosen = evenly(len(samples), most)
    return np.stack([samples.sample(n, rng)["pixels"] for n in chosen])


def torch_probabilities(graph: nn.Module, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Answers of a :class:`~smearlab.learn.export.TypesGraph` in eager torch, shape (N, K)."""
    with torch.inference_mode():
        answers = [
            graph(torch.from_numpy(pixels[n : n + 32]))[0].numpy()
            for n in range(0, len(pixels), 32)
        ]
    return np.concatenate(answers)
