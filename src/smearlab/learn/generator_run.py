"""A finished run of a generator as it is taken up again: network, weights, types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from smearlab.errors import RunError, SmearlabError, UnknownNameError
from smearlab.learn.generator_record import GeneratorSummary
from smearlab.learn.models.generators import build_generator, config_of
from smearlab.learn.train.checkpoints import load_weights, result_weights


@dataclass(frozen=True, eq=False)
class GeneratorRun:
    """What a run folder says.

    Parameters
    ----------
    folder : Path
    asked : mapping
        Of its ``config.json``.
    summary : GeneratorSummary
    config : object
        Of the network, one of :data:`smearlab.learn.models.generators.GENERATORS`.
    """

    folder: Path
    asked: Mapping[str, Any]
    summary: GeneratorSummary
    config: Any

    @property
    def recipe(self) -> str:
        """Name of the recipe."""
        return self.summary.recipe

    @property
    def classes(self) -> tuple[str, ...]:
        """The types; the number of a type is its place here."""
        return self.summary.classes

    @property
    def size_px(self) -> int:
        """Side of the pictures."""
        return self.summary.size_px

    @property
    def latent_size(self) -> int:
        """How many numbers a picture follows from, beside its type."""
        return self.summary.latent_size

    def number_of(self, name: str) -> int:
        """The number of a type.

        Raises
        ------
        UnknownNameError
            If the run was trained on other types.
        """
        if name not in self.classes:
            raise UnknownNameError(f"type of {self.folder.name}", name, self.classes)
        return self.classes.index(name)

    def network(self) -> nn.Module:
        """The trained generator in evaluation mode.

        Returns
        -------
        Module
            ``forward(latent (N, Z) float32, types (N, K) float32 one-hot)`` gives sRGB pictures
            (N, 3, S, S) float32 in [0, 1]. A network with ``classes`` 1 does not look at the types.

        Raises
        ------
        RunError
            If the weights cannot be read.
        UsageError
            If they are of another network.
        """
        return load_weights(result_weights(self.folder), build_generator(self.config))


def load_generator_run(folder: Path) -> GeneratorRun:
    """Read ``summary.json`` and ``config.json`` of a finished run.

    Parameters
    ----------
    folder : Path
        ``OUT/RECIPE-PROTOCOL`` or ``OUT/RECIPE-PROTOCOL-TYPE`` of ``smearlab train``.

    Raises
    ------
    RunError
        If it is no finished run of a generator, cannot be read, or its network was trained on
        another number of types than its summary names.
    """
    folder = Path(folder)
    summary = GeneratorSummary.load(folder)
    path = folder / "config.json"
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))["asked"]
        config = config_of(asked["generator"])
    except (OSError, ValueError, KeyError, TypeError, SmearlabError) as error:
        raise RunError(f"{path} cannot be read ({error!r}): train the run anew") from error
    if config.classes != len(summary.classes):
        raise RunError(
            f"{folder} was trained on {config.classes} types, and its summary names "
            f"{len(summary.classes)} ({', '.join(summary.classes)}): train the run anew"
        )
    return GeneratorRun(folder, asked, summary, config)
