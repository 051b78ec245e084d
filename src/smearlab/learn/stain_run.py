"""A finished run of a network from stain to stain as it is taken up again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.manifest.table import Manifest, read_manifest
from smearlab.errors import RunError, SmearlabError
from smearlab.evaluation.runs import MANIFEST
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.classifier_run import evenly
from smearlab.learn.manifest_samples import ManifestSamples, Split, rows_of_split
from smearlab.learn.models.stain_ways import (
    StainConfig,
    StainWays,
    Way,
    build_stain_network,
    stain_config_of,
)
from smearlab.learn.run_asked import crops_of
from smearlab.learn.stain_record import StainSummary
from smearlab.learn.stain_samples import pictures_at
from smearlab.learn.train.checkpoints import load_weights, result_weights
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig


@dataclass(frozen=True, eq=False)
class StainRun:
    """What a run folder says.

    Parameters
    ----------
    folder : Path
    asked : mapping
        Of its ``config.json``.
    summary : StainSummary
    network : StainUNetConfig, StainResNetConfig or StainNetConfig
        Of each way.
    view : PictureViewConfig
        That it was judged by.
    """

    folder: Path
    asked: Mapping[str, Any]
    summary: StainSummary
    network: StainConfig
    view: PictureViewConfig

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways that it learned."""
        return tuple(way for way in ("a_to_b", "b_to_a") if way in self.summary.ways)

    def stains_of(self, way: Way) -> tuple[str, str]:
        """From which stain a way leads, and to which."""
        a, b = self.summary.stains
        return (a, b) if way == "a_to_b" else (b, a)

    def ground_of(self, stain: str) -> list[float] | None:
        """The colour that pictures of a stain had their ground put on; None: each kept its own."""
        ground: list[float] | None = self.asked.get("grounds", {}).get(stain)
        return ground

    def learned_from(self) -> set[Path]:
        """Pictures that it has learned from, or was chosen by."""
        table = read_manifest(self.folder / MANIFEST)
        rows = np.flatnonzero(np.isin(table.column("split"), ("train", "val")))
        return {table.file(path).resolve() for path in table.column("path")[rows]}

    def model(self) -> StainWays:
        """The trained networks of all ways in evaluation mode.

        Raises
        ------
        RunError
            If the weights cannot be read.
        UsageError
            If they are of other networks.
        """
        model = StainWays({way: build_stain_network(self.network) for way in self.ways})
        load_weights(result_weights(self.folder), model)
        return model.eval()

    def pictures(
        self, part: Split, stain: str, most: int, data: Path | None = None
    ) -> NDArray[np.uint8]:
        """Pictures of a stain as it was judged by them.

        Parameters
        ----------
        part : {"train", "val", "test"}
        stain : str
        most : int
            So many at most, evenly spread.
        data : Path, optional
            Folder of the pictures, if they are no longer where they were.

        Returns
        -------
        ndarray of uint8, shape (N, S, S, 3)

        Raises
        ------
        RunError
            If the pictures cannot be reached.
        """
        try:
            manifest = read_manifest(self.folder / MANIFEST, data)
        except SmearlabError as error:
            raise RunError(f"{error}; train the run to its end first") from error
        rows = rows_of_split(manifest, part)
        rows = rows[manifest.column("source")[rows] == stain]
        paths = manifest.column("path")[rows]
        gone = [path for path in paths if not manifest.file(path).is_file()]
        if gone:
            raise RunError(
                f"{len(gone)} of {len(paths)} {part} pictures of {self.folder} are not there, "
                f"first {manifest.file(gone[0])}: name their folder with --data"
            )
        crops = _crops(manifest, self.view, self.asked)
        classes = sorted(set(manifest.column("type")))
        ground = self.ground_of(stain)
        samples = ManifestSamples(
            manifest, classes, self.view, rows=rows, crops=crops, ground=ground
        )
        return pictures_at(samples, evenly(len(samples), most))


@dataclass(frozen=True)
class _Viewed:
    """As much of a recipe as tells how pictures are cut."""

    name: str
    data: PictureData
    view: PictureViewConfig


def _crops(
    manifest: Manifest, view: PictureViewConfig, asked: Mapping[str, Any]
) -> NDArray[np.intp]:
    """Side of the square that is shown of each picture, px, by what the run kept."""
    kept = asked["data"]
    data = PictureData(
        tuple(kept["datasets"]), kept["taxonomy"], scales=dict(kept.get("scales", {}))
    )
    return crops_of(manifest, _Viewed(str(asked["recipe"]), data, view))


def open_stain_run(folder: Path) -> StainRun:
    """Read ``summary.json`` and ``config.json`` of a finished run.

    Parameters
    ----------
    folder : Path
        ``OUT/RECIPE-PROTOCOL`` of ``smearlab train``.

    Raises
    ------
    RunError
        If it is no finished run of a network from stain to stain, or cannot be read.
    """
    summary = StainSummary.load(folder)
    path = folder / "config.json"
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))["asked"]
        size, crop = int(asked["view"]["size_px"]), asked["view"]["crop_px"]
        side = int(asked["judged_px"])
        wide = None if crop is None else round(crop * side / size)
        view = PictureViewConfig(side, wide, AffineRanges())
        return StainRun(folder, asked, summary, stain_config_of(asked["network"]), view)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} cannot be read ({error!r}): train the run anew") from error
