"""A finished run of an upscaler as a bundle, proven to answer as its checkpoint does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from smearlab import __version__
from smearlab.errors import RunError
from smearlab.learn.classifier_run import evenly
from smearlab.learn.data_credits import data_credits
from smearlab.learn.export_proof import (
    PIXEL_PARITY,
    Weights,
    add_to_card,
    keep_bundle,
    write_checked,
)
from smearlab.learn.transforms.upscale_views import lowered
from smearlab.learn.upscale_graph import UpscaleGraph
from smearlab.learn.upscaler_run import UpscalerRun

#: Pictures that parity is proven on, and side of random ones in the place of real ones, px.
_PROOF, _DRAWN_PX = 4, 24


def export_upscaler(
    run: UpscalerRun, out: Path, weights: Weights = "auto", data: Path | None = None
) -> dict[str, Any]:
    """Write the bundle of a run.

    Parameters
    ----------
    run : UpscalerRun
    out : Path
        Folder of the bundle; made if missing, replaced if it is a bundle. Only written once the
        bundle is proven.
    weights : {"auto", "half", "float"}
        Half floats halve the file. ``auto`` takes them where they move no value by more than one
        level of 255, compared with the checkpoint.
    data : Path, optional
        Folder of the run's pictures, if they are no longer where they were.

    Returns
    -------
    dict
        The bundle's card.

    Raises
    ------
    RunError
        If the run is not sound, or the pictures are not in the folder that is named.
    SmearlabError
        If the bundle does not answer as the checkpoint does.
    """
    pictures, seen = _small_pictures(run, data)
    questions = [{"pixels": one[None]} for one in pictures]
    # Of another shape than the questions: sides and number must be free in the graph.
    example = {"pixels": torch.zeros(2, 12, 16, 3, dtype=torch.uint8)}
    graph = UpscaleGraph(run.network()).eval()
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder)
        off, _ = write_checked(
            bundle, graph, example, _card(run), questions, weights, tolerance=PIXEL_PARITY
        )
        parity = {
            "largest_difference": off,
            "pictures": len(pictures),
            "of": "validation" if seen else "random numbers",
        }
        add_to_card(bundle, {"parity": parity})
        return keep_bundle(bundle, out)


def _small_pictures(run: UpscalerRun, data: Path | None) -> tuple[list[NDArray[np.uint8]], bool]:
    """Small pictures of the validation part; random ones where it cannot be reached."""
    try:
        samples = run.samples("val", data)
    except RunError:
        if data is not None:
            raise
        rng = np.random.default_rng(0)
        drawn = rng.integers(0, 256, (_PROOF, _DRAWN_PX, _DRAWN_PX, 3))
        return list(drawn.astype(np.uint8)), False
    chosen = evenly(len(samples), _PROOF)
    return [lowered(samples.high(n), run.factor, samples.view.sigma_px) for n in chosen], True


def _card(run: UpscalerRun) -> dict[str, Any]:
    """Everything but what the proof and the file tell."""
    summary = run.summary
    of_type = "" if summary.type is None else f"_{summary.type.replace(' ', '_')}"
    return {
        "kind": "upscaler",
        "name": f"{summary.recipe}{of_type}",
        "version": __version__,
        "network": "SRGANGenerator",
        "factor": run.factor,
        "context_px": run.recipe.network.context_px,
        "types": list(summary.types),
        "learned_by": summary.features or "the difference of pixels",
        "parameters": sum(summary.networks["generator"].values()),
        **data_credits(summary.datasets),
        "licence": "Apache-2.0",
        "use": "Research use only. What it adds to a picture was learned from other cells.",
        "metrics": {"val": {"n": summary.judged, **summary.figures}},
        "training": dict(run.asked),
    }
