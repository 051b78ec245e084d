"""A finished run of an upscaler as it is taken up again: network, weights, pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from smearlab.datasets.manifest.table import Manifest, read_manifest
from smearlab.errors import RunError, SmearlabError
from smearlab.evaluation.runs import MANIFEST
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.manifest_samples import Split
from smearlab.learn.models.srgan import SRGANGenerator, SRGANGeneratorConfig
from smearlab.learn.run_upscaler import samples_of
from smearlab.learn.split_protocols import SplitPictures
from smearlab.learn.train.checkpoints import load_weights, result_weights
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.upscale_views import UpscaleViewConfig
from smearlab.learn.upscale_recipe import UpscaleRecipe
from smearlab.learn.upscale_record import UpscaleSummary
from smearlab.learn.upscale_samples import UpscaleSamples

Config = TypeVar("Config")


@dataclass(frozen=True, eq=False)
class UpscalerRun:
    """What a run folder says.

    Parameters
    ----------
    folder : Path
    asked : mapping
        Of its ``config.json``.
    summary : UpscaleSummary
    recipe : UpscaleRecipe
        Network, pictures and views as they were trained.
    """

    folder: Path
    asked: Mapping[str, Any]
    summary: UpscaleSummary
    recipe: UpscaleRecipe

    @property
    def factor(self) -> int:
        """How many times as wide and high it makes pictures."""
        return self.recipe.network.factor

    def network(self) -> SRGANGenerator:
        """The trained generator in evaluation mode.

        Raises
        ------
        RunError
            If the weights cannot be read.
        UsageError
            If they are of another network.
        """
        network = SRGANGenerator(self.recipe.network)
        load_weights(result_weights(self.folder), network)
        return network.eval()

    def manifest(self, data: Path | None = None) -> Manifest:
        """The pictures of the run with their parts.

        Parameters
        ----------
        data : Path, optional
            Folder of the pictures, if they are no longer where they were.

        Raises
        ------
        RunError
            If there is no manifest that can be read.
        """
        try:
            return read_manifest(self.folder / MANIFEST, data)
        except SmearlabError as error:
            raise RunError(f"{error}; train the run to its end first") from error

    def samples(self, part: Split, data: Path | None = None) -> UpscaleSamples:
        """Pairs of a part of the run's pictures.

        Parameters
        ----------
        part : {"train", "val", "test"}
        data : Path, optional
            See :meth:`manifest`.

        Raises
        ------
        RunError
            If the pictures cannot be reached.
        """
        manifest = self.manifest(data)
        classes = tuple(sorted(set(manifest.column("type"))))
        try:
            parts = samples_of(self.recipe, SplitPictures(manifest, classes), self.summary.type)
        except SmearlabError as error:
            raise RunError(f"{self.folder / MANIFEST}: {error}") from error
        paths = parts[part].pictures.paths
        gone = [path for path in paths if not manifest.file(path).is_file()]
        if gone:
            raise RunError(
                f"{len(gone)} of {len(paths)} {part} pictures of {self.folder} are not there, "
                f"first {manifest.file(gone[0])}: name their folder with --data"
            )
        return parts[part]


def open_upscaler_run(folder: Path) -> UpscalerRun:
    """Read ``summary.json`` and ``config.json`` of a finished run.

    Parameters
    ----------
    folder : Path
        ``OUT/RECIPE-PROTOCOL`` of ``smearlab train``, or that of one type.

    Raises
    ------
    RunError
        If it is no finished run of an upscaler, or cannot be read.
    """
    summary = UpscaleSummary.load(folder)
    path = folder / "config.json"
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))["asked"]
        recipe = UpscaleRecipe(
            name=asked["recipe"],
            title=asked["recipe"],
            source="",
            network=_config(SRGANGeneratorConfig, asked["network"]),
            critic=None,  # what it was trained by does not matter any more
            data=_config(PictureData, asked["data"]),
            view=_config(UpscaleViewConfig, asked["view"]),
            train=TrainConfig(),
        )
        return UpscalerRun(folder, asked, summary, recipe)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} cannot be read ({error!r}): train the run anew") from error


def _config(kind: type[Config], kept: Mapping[str, Any]) -> Config:
    """A configuration, of what JSON kept of it."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(
        **{
            key: tuple(value) if isinstance(value, list) else value
            for key, value in kept.items()
            if key in names
        }
    )
