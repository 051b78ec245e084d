"""A finished run of one element as a bundle, proven to answer as its checkpoint does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from smearlab import __version__
from smearlab.errors import RunError
from smearlab.learn.data_credits import data_credits
from smearlab.learn.export_proof import (
    Answers,
    Question,
    Weights,
    add_to_card,
    keep_bundle,
    write_checked,
)
from smearlab.learn.models.rwp_generator import RWPGeneratorConfig
from smearlab.learn.recipes import SEGMENTATION_RECIPES
from smearlab.learn.run_segmenter import overlap_px
from smearlab.learn.segmenter_graphs import graph_of
from smearlab.learn.segmenter_run import SegmenterRun

#: Tiles that parity is proven on, with noise off and with one draw of it.
_PROOF = 4


def export_segmenter(
    run: SegmenterRun, out: Path, weights: Weights = "auto", data: Path | None = None
) -> dict[str, Any]:
    """Write the bundle of a run.

    Parameters
    ----------
    run : SegmenterRun
    out : Path
        Folder of the bundle; made if missing, replaced if it is a bundle. Only written once the
        bundle is proven.
    weights : {"auto", "half", "float"}
        Half floats halve the file. ``auto`` takes them where they move no more than one pixel in
        ten thousand into the element or out of it, compared with the checkpoint.
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
    pixels, seen = _tiles(run, data)
    card = _card(run)
    questions = _questions(pixels, card)
    example = {name: torch.from_numpy(value) for name, value in questions[0].items()}
    graph = graph_of(run.network()).eval()
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder)
        off, changed = write_checked(
            bundle, graph, example, card, questions, weights, price=_changed
        )
        parity = {
            "largest_difference": float(f"{off:.3g}"),
            "pixels_changed": float(f"{changed:.3g}"),
            "pictures": len(pixels),
            "of": "held-out tiles" if seen else "random numbers",
        }
        add_to_card(bundle, {"parity": parity})
        return keep_bundle(bundle, out)


def _tiles(run: SegmenterRun, data: Path | None) -> tuple[NDArray[np.uint8], bool]:
    """Pictures to prove parity on, and whether they are real ones."""
    try:
        return run.tiles(_PROOF, data).pixels, True
    except RunError:
        if data is not None:
            raise
    shape = (_PROOF, run.tile_px, run.tile_px, 3)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8), False


def _questions(pixels: NDArray[np.uint8], card: dict[str, Any]) -> list[Question]:
    """One tile at a time, as the bench asks; with noise each twice, off and drawn."""
    tiles = [pixels[n : n + 1] for n in range(len(pixels))]
    if "noise" not in card:
        return [{"pixels": tile} for tile in tiles]
    size, keep = card["noise"]["size"], card["noise"]["keep"]
    kept = np.random.default_rng(0).random((1, size)) < keep
    drawn = np.where(kept, np.float32(1 / keep), np.float32(0))
    factors = (np.ones((1, size), np.float32), drawn)
    return [{"pixels": tile, "keep": factor} for tile in tiles for factor in factors]


def _changed(found: Answers, wanted: Answers) -> float:
    """Share of the pixels that one takes for the element and the other does not."""
    masks = [
        [np.asarray(answers[0][..., 1]) > 0.5 for answers in several] for several in (found, wanted)
    ]
    return float(np.mean(np.concatenate(masks[0]) != np.concatenate(masks[1])))


def _card(run: SegmenterRun) -> dict[str, Any]:
    """Everything but what the proof and the file tell."""
    summary, config, size = run.summary, run.config, run.tile_px
    recipe = SEGMENTATION_RECIPES.get(summary.recipe)
    of_generator: dict[str, Any] = {}
    if isinstance(config, RWPGeneratorConfig):
        of_generator = {"statistics": config.statistics}
        if config.dropout and config.keep_size:
            of_generator |= {"noise": {"size": config.keep_size, "keep": 1 - config.dropout}}
        stride = size
    else:
        stride = config.stride
    element: Any = summary.element
    return {
        "kind": "segmenter",
        "name": f"{summary.recipe}_{element.lower()}",
        "version": __version__,
        "network": run.asked["network"]["kind"].removesuffix("Config"),
        "classes": ["background", element],
        "element": element,
        "decoder": "watershed",
        "watershed": dict(recipe.watershed.get(element, {})) if recipe else {},
        "stride": stride,
        "context_px": 0,
        "map_step": 1,
        "cell_diameter_px": run.asked["view"]["cell_px"],
        "blend": {"tile_px": size, "overlap_px": overlap_px(size)},
        "segmented": True,
        **of_generator,
        "parameters": summary.networks["generator"]["trainable"],
        **data_credits(summary.datasets),
        "targets": dict(summary.truths),
        "licence": "Apache-2.0",
        "use": "Research use only.",
        "metrics": {summary.judged_on or "none": dict(summary.figures)},
        "training": dict(run.asked),
    }
