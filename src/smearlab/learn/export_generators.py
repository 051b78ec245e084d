"""A finished run of a generator as a bundle, proven to make the pictures of its checkpoint."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from smearlab import __version__
from smearlab.datasets.manifest.fingerprints import fingerprints
from smearlab.datasets.manifest.table import read_manifest
from smearlab.errors import SmearlabError
from smearlab.evaluation.runs import MANIFEST
from smearlab.learn.data_credits import data_credits
from smearlab.learn.export import BundleGraph
from smearlab.learn.export_proof import (
    PIXEL_PARITY,
    Question,
    Weights,
    add_to_card,
    keep_bundle,
    write_checked,
)
from smearlab.learn.generator_run import GeneratorRun
from smearlab.learn.recipes import FEW_SHOT_RECIPES, SYNTHESIS_RECIPES
from smearlab.synthesis.latents import draw_latents

#: Pictures of each type that parity is proven on, and of all types at most.
_EACH, _MOST = 2, 16


class GeneratorGraph(BundleGraph):
    """A generator as its bundle has it: latents and types in, pictures of eight bits out.

    Parameters
    ----------
    model : Module
        The trained network, ``(N, Z)`` and ``(N, K)`` to ``(N, 3, S, S)`` in [0, 1].
    classes : int
        K.
    """

    outputs = ("pixels",)
    dynamic: ClassVar[Mapping[int, str]] = {0: "pictures"}

    def __init__(self, model: nn.Module, classes: int) -> None:
        super().__init__(model)
        self.classes = classes

    def free_axes(self) -> Mapping[str, Mapping[int, str]]:
        """How many pictures there are."""
        return dict.fromkeys(("latent", "types", "pixels"), self.dynamic)

    def forward(self, latent: Tensor, types: Tensor) -> tuple[Tensor, ...]:
        """Latents ``(N, Z)``, types ``(N, K)`` → uint8 ``(N, S, S, 3)``."""
        if self.classes == 1:
            latent = latent * types  # a network of one type ignores it, and the input would vanish
        made = self.model(latent, types).clamp(0, 1) * 255
        return (made.round().to(torch.uint8).permute(0, 2, 3, 1),)


def export_generator(run: GeneratorRun, out: Path, weights: Weights = "auto") -> Path:
    """Write the bundle of a run.

    Parameters
    ----------
    run : GeneratorRun
    out : Path
        Folder of the bundle; made if missing, replaced if it is a bundle. Only written once the
        bundle is proven.
    weights : {"auto", "half", "float"}
        Half floats halve the file. ``auto`` takes them where they move no pixel by more than one
        level of 255, compared with the checkpoint.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RunError
        If the run's weights cannot be read.
    SmearlabError
        If the network gives numbers that are not finite, or the bundle makes other pictures.
    """
    network = run.network().eval()
    graph = GeneratorGraph(network, len(run.classes)).eval()
    questions = _questions(run)
    _refuse_diverged(run, network, questions)
    example = {name: torch.from_numpy(value[:1]) for name, value in questions[0].items()}
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder)
        off, _ = write_checked(
            bundle, graph, example, card_of(run), questions, weights, tolerance=PIXEL_PARITY
        )
        pictures = sum(len(one["latent"]) for one in questions)
        add_to_card(bundle, {"parity": {"largest_difference": off, "pictures": pictures}})
        keep_bundle(bundle, out)
    return out


def _questions(run: GeneratorRun) -> list[Question]:
    """Some pictures of every type, as the bench asks for them; one type in a call."""
    kinds = len(run.classes)
    each = max(1, min(_EACH, _MOST // kinds))
    return [
        {
            "latent": draw_latents(name, range(each), 0, run.latent_size),
            "types": np.repeat(np.eye(kinds, dtype=np.float32)[place : place + 1], each, axis=0),
        }
        for place, name in enumerate(run.classes)
    ]


def _refuse_diverged(run: GeneratorRun, network: nn.Module, questions: list[Question]) -> None:
    """Numbers that are not finite would become some colour."""
    with torch.inference_mode():
        for question in questions:
            made = network(*(torch.from_numpy(value) for value in question.values()))
            if not bool(torch.isfinite(made).all()):
                raise SmearlabError(
                    f"the generator of {run.folder} gives numbers that are not finite: its "
                    "training has diverged; train it anew with a lower learning rate"
                )


def card_of(run: GeneratorRun) -> dict[str, Any]:
    """The card of a run's bundle: everything but what the proof and the file tell.

    Parameters
    ----------
    run : GeneratorRun

    Returns
    -------
    dict
        What JSON can hold.
    """
    summary = run.summary
    recipe = SYNTHESIS_RECIPES.get(run.recipe) or FEW_SHOT_RECIPES.get(run.recipe)
    return {
        "kind": "generator",
        "name": run.recipe if len(run.classes) > 1 else f"{run.recipe}-{run.classes[0]}",
        "version": __version__,
        "network": str(run.asked["generator"]["kind"]).removesuffix("Config"),
        "classes": list(run.classes),
        "latent_size": run.latent_size,
        "size_px": run.size_px,
        "parameters": summary.networks["generator"]["trainable"],
        **data_credits(summary.datasets),
        "pictures": dict(summary.pictures),
        "licence": "Apache-2.0",
        "use": "Research use only. Synthetic pictures are for training, never for testing.",
        **({"source": recipe.source} if recipe else {}),
        "metrics": {},
        **_learned_from(run),
        "training": dict(run.asked),
    }


def _learned_from(run: GeneratorRun) -> dict[str, Any]:
    """Which pictures the generator has seen; nothing where the run's table is gone."""
    path = run.folder / MANIFEST
    if not path.is_file():
        return {}
    manifest = read_manifest(path)
    seen = (manifest.column("split") == "train") & ~manifest.column("synthetic").astype(bool)
    if run.asked.get("begin", "none") == "none":  # else it began with other types, too
        seen &= np.isin(manifest.column("type"), run.classes)
    sums = [one for one in manifest.column("sha256")[seen] if one]
    if not sums:  # simulated pictures have no checksums
        return {}
    return {"learned_from": {"pictures": len(sums), "fingerprints": fingerprints(sums)}}
