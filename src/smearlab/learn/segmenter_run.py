"""A finished run of one element as it is taken up again: network, weights, held-out tiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from torch import nn

from smearlab.errors import RunError, SmearlabError
from smearlab.learn.element_samples import Tiles
from smearlab.learn.models.rwp_generator import RWPGeneratorConfig
from smearlab.learn.models.unet import UNetConfig
from smearlab.learn.run_segmenter import PICTURES, judged_tiles, pairs_of
from smearlab.learn.segmentation_recipe import PairData
from smearlab.learn.segmentation_record import SegmentationSummary
from smearlab.learn.segmenter_graphs import build_network
from smearlab.learn.train.checkpoints import load_weights, result_weights

_NETWORKS: Mapping[str, type[RWPGeneratorConfig] | type[UNetConfig]] = {
    kind.__name__: kind for kind in (RWPGeneratorConfig, UNetConfig)
}


@dataclass(frozen=True, eq=False)
class SegmenterRun:
    """What a run folder says.

    Parameters
    ----------
    folder : Path
    asked : mapping
        Of its ``config.json``.
    summary : SegmentationSummary
    config : RWPGeneratorConfig or UNetConfig
        Of the network, with the statistics that the validation part chose.
    """

    folder: Path
    asked: Mapping[str, Any]
    summary: SegmentationSummary
    config: RWPGeneratorConfig | UNetConfig

    @property
    def tile_px(self) -> int:
        """Side of the pictures that the network learned from."""
        return int(self.asked["view"]["size"])

    def network(self) -> nn.Module:
        """The trained network in evaluation mode.

        Raises
        ------
        RunError
            If the weights cannot be read.
        UsageError
            If they are of another network.
        """
        return load_weights(result_weights(self.folder), build_network(self.config))

    def tiles(self, most: int, data: Path | None = None) -> Tiles:
        """Tiles of the pictures that the run was judged on, as the network sees them.

        Parameters
        ----------
        most : int
            At most so many, evenly spread.
        data : Path, optional
            Folder of the pictures, if they are no longer where they were.

        Raises
        ------
        RunError
            If the pictures cannot be reached, or are not those of the run.
        """
        path = self.folder / PICTURES
        try:
            source = json.loads(path.read_text(encoding="utf-8"))["data"]
            pairs = pairs_of(
                PairData(**_known(PairData, self.asked["data"])),
                self.asked["element"],
                source if data is None else str(data),
                self.asked["protocol"],
            )
            if pairs.digest != self.asked["data"]["digest"]:
                raise RunError(
                    f"the pictures of {data or source} are not those of {self.folder}: name their "
                    "folder with --data"
                )
            files, view = pairs.part(pairs.judged), self.asked["view"]
            return judged_tiles(files, view["cell_px"], view["size"], most)
        except (SmearlabError, OSError, ValueError, KeyError) as error:
            raise RunError(
                f"the pictures of {self.folder} cannot be reached ({error}): name their folder "
                "with --data"
            ) from error


def open_segmenter_run(folder: Path) -> SegmenterRun:
    """Read ``summary.json`` and ``config.json`` of a finished run.

    Parameters
    ----------
    folder : Path
        ``OUT/RECIPE-PROTOCOL/ELEMENT`` of ``smearlab train``.

    Raises
    ------
    RunError
        If it is no finished run of a segmenter, or cannot be read.
    """
    summary = SegmentationSummary.load(folder)
    path = folder / "config.json"
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))["asked"]
        kind = _NETWORKS[asked["network"]["kind"]]
        config = kind(**_known(kind, asked["network"]))
        if summary.statistics and isinstance(config, RWPGeneratorConfig):
            config = replace(config, statistics=summary.statistics)
        return SegmenterRun(folder, asked, summary, config)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} cannot be read ({error!r}): train the run anew") from error


def _known(kind: type[Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a configuration, of what JSON kept of it."""
    names = {field.name for field in fields(kind)}
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in kept.items()
        if key in names
    }
