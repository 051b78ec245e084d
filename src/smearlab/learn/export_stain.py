"""A finished run from stain to stain as bundles, proven to answer as its checkpoint does."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from smearlab import __version__
from smearlab.errors import RunError, UnknownNameError
from smearlab.learn.data_credits import data_credits
from smearlab.learn.export_proof import (
    PIXEL_PARITY,
    Weights,
    add_to_card,
    keep_bundle,
    open_graph,
    write_checked,
)
from smearlab.learn.models.stain_ways import WAYS, Way
from smearlab.learn.stain_graph import StainGraph
from smearlab.learn.stain_run import StainRun
from smearlab.learn.train.checkpoints import parameter_count

#: Pictures that parity is proven on.
_PROOF = 4
#: Side of a tile's core that suits a network, px: more takes memory, less computes edges twice.
_TILE_PX = 512
Pictures = NDArray[np.uint8]


def export_stain(
    run: StainRun,
    out: Path,
    way: Way | None = None,
    weights: Weights = "auto",
    data: Path | None = None,
) -> dict[str, dict[str, Any]]:
    """Write the bundles of a run.

    Parameters
    ----------
    run : StainRun
    out : Path
        Folder of the bundle of one way; of all ways the folder with a bundle ``a_to_b`` and, if
        there are both, ``b_to_a``. Only written once a bundle is proven.
    way : {"a_to_b", "b_to_a"}, optional
        The one that is written; all when left out.
    weights : {"auto", "half", "float"}
        Half floats halve the file. ``auto`` takes them where they move no value by more than one
        level of 255, compared with the checkpoint.
    data : Path, optional
        Folder of the run's pictures, if they are no longer where they were.

    Returns
    -------
    dict of str to dict
        Way → the bundle's card.

    Raises
    ------
    RunError
        If the run is not sound, or the pictures are not in the folder that is named.
    UnknownNameError
        If the run did not learn this way.
    SmearlabError
        If a bundle does not answer as the checkpoint does.
    """
    if way is not None and way not in run.ways:
        raise UnknownNameError(f"direction of {run.folder}", str(way), run.ways)
    chosen = run.ways if way is None else (way,)
    return {one: _export(run, out if way else out / one, one, weights, data) for one in chosen}


def _export(
    run: StainRun, out: Path, way: Way, weights: Weights, data: Path | None
) -> dict[str, Any]:
    pictures, seen = _pictures(run, way, data)
    network, step = run.model().way(way), run.network.multiple_px
    graph = StainGraph(network).eval()
    # Of another shape than the questions: sides and number must be free in the graph.
    example = {"pixels": torch.zeros(2, 3 * step, 4 * step, 3, dtype=torch.uint8)}
    questions = [{"pixels": one[None]} for one in pictures]
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder)
        card = _card(run, way, parameter_count(network))
        off, _ = write_checked(
            bundle, graph, example, card, questions, weights, tolerance=PIXEL_PARITY
        )
        parity = {
            "largest_difference": off,
            "pictures": len(pictures),
            "of": "test" if seen else "random numbers",
        }
        tiling = tiling_difference(bundle / "model.onnx", card, pictures[0])
        add_to_card(bundle, {"parity": parity, "tiling": tiling})
        return keep_bundle(bundle, out)


def tiling_difference(model: Path, card: Mapping[str, Any], picture: Pictures) -> dict[str, Any]:
    """What cutting into tiles costs: levels of 255 between tiles and the whole, at their seam.

    The picture is repeated, mirrored, until it holds two tiles of the card's context each way; so
    the tiles are as small as they can be, and the seam lies where the context ends.

    Parameters
    ----------
    model : Path
        ``model.onnx``.
    card : mapping
        ``multiple_px`` and ``context_px``.
    picture : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    dict
        ``largest_difference`` from the answer to the whole, in levels; ``step_at_seam`` and
        ``step_elsewhere``: mean difference of neighbouring pixels across the seam and across the
        neighbouring columns, in levels.
    """
    step, context = int(card["multiple_px"]), int(card["context_px"])
    margin = -(-context // step) * step
    core = max(step, 8 // step * step)
    side = 2 * (margin + core)
    whole = np.pad(picture, ((0, side), (0, side), (0, 0)), mode="symmetric")[:side, :side]
    session = open_graph(model)

    def answer(pixels: Pictures) -> NDArray[np.int64]:
        given = {"pixels": np.ascontiguousarray(pixels[None])}
        return np.asarray(session.run(["normalised"], given)[0][0], np.int64)

    middle = side // 2
    at_once = answer(whole)
    left = answer(whole[:, : middle + margin])[:, :middle]
    right = answer(whole[:, middle - margin :])[:, margin:]
    tiled = np.concatenate([left, right], axis=1)
    steps = np.abs(np.diff(tiled, axis=1)).mean((0, 2))
    around = [steps[place] for place in (middle - 3, middle - 2, middle, middle + 1)]
    return {
        "largest_difference": int(np.abs(tiled - at_once).max()),
        "step_at_seam": round(float(steps[middle - 1]), 3),
        "step_elsewhere": round(float(np.mean(around)), 3),
    }


def _pictures(run: StainRun, way: Way, data: Path | None) -> tuple[Pictures, bool]:
    """Test pictures of the stain that a way begins with; random ones if they cannot be reached."""
    try:
        return run.pictures("test", run.stains_of(way)[0], _PROOF, data), True
    except RunError:
        if data is not None:
            raise
        side = run.view.size_px
        drawn = np.random.default_rng(0).integers(0, 256, (_PROOF, side, side, 3))
        return drawn.astype(np.uint8), False


def _card(run: StainRun, way: Way, parameters: int) -> dict[str, Any]:
    """Everything but what the proof and the file tell."""
    summary, (begin, end) = run.summary, run.stains_of(way)
    taught = {} if summary.teacher is None else {"teacher": dict(summary.teacher)}
    jittered = run.asked.get("learning") == "jittered"
    ground = run.ground_of(begin)
    return {
        "kind": "stain",
        "name": f"{summary.recipe}_{_word(begin)}_to_{_word(end)}",
        "version": __version__,
        "network": type(run.network).__name__.removesuffix("Config"),
        "from": begin,
        "to": end,
        **({"learned_from": "stains drawn at random"} if jittered else {}),
        **({} if ground is None else {"ground": ground}),
        "multiple_px": run.network.multiple_px,
        "context_px": run.network.context_px,
        "tile_px": -(-_TILE_PX // run.network.multiple_px) * run.network.multiple_px,
        "types": list(summary.types),
        "parameters": parameters,
        **taught,
        **data_credits(summary.datasets),
        "licence": "Apache-2.0",
        "use": "Research use only. Colours of a cell may be those of other cells.",
        "metrics": {
            "test": {
                "n": dict(summary.judged),
                "features": summary.features,
                **_figures_of(summary.figures, way),
            }
        },
        "training": dict(run.asked),
    }


def _figures_of(figures: Mapping[str, Any], way: Way) -> dict[str, Any]:
    """Those that speak of a way: what is made is of the stain where it ends."""
    begin, end = way[0], way[-1]
    names = (
        "fid_raw", f"fid_made_{end}", f"fid_back_{begin}", f"ssim_back_{begin}",
        f"l1_same_{end}", *(("ssim_taught", "l1_taught", "l1_own_b") if way == WAYS[0] else ()),
    )  # fmt: skip
    return {name: figures[name] for name in names if name in figures}


def _word(stain: str) -> str:
    return stain.lower().replace(" ", "_").replace("-", "_")
