"""An exported classifier or segmenter against eager torch, in one run; prints JSON.

    python benchmarks/inference.py --network lwcnn             random weights and pictures
    python benchmarks/inference.py --network rwp_gan           the same of a recipe's segmenter
    python benchmarks/inference.py --run RUN --bundle BUNDLE   a trained one, on its pictures

All take turns in every round; the median of the rounds is given.

``ms_per_cell``, ``cells_per_s``
    ``torch``: the network in eager mode, 32 bits; ``bundle``: the exported bundle in ONNX Runtime;
    ``int8``: its quantised version. The same pictures, as many threads, ``--batch`` in a call.
``bundle_over_torch``, ``int8_over_torch``, ``int8_over_bundle``
    Ratios of their rates.
``largest_difference``
    Of a probability between bundle and torch.

Of a segmenter there are ``ms_per_tile`` and ``tiles_per_s`` of ``torch`` and ``bundle``, one tile
in a call with noise off, as the bench runs it.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from smearlab.errors import RunError
from smearlab.learn.classifier_run import open_classifier_run, torch_probabilities, views
from smearlab.learn.export import BundleGraph, TypesGraph, write_bundle
from smearlab.learn.export_proof import answers_of, farthest, open_graph
from smearlab.learn.models.classifiers import CLASSIFIERS, build_classifier
from smearlab.learn.models.rwp_generator import RWPGenerator
from smearlab.learn.quantize import quantized
from smearlab.learn.recipes import SEGMENTATION_RECIPES
from smearlab.learn.segmentation_record import is_segmenter_run
from smearlab.learn.segmenter_graphs import build_network, graph_of
from smearlab.learn.segmenter_run import open_segmenter_run
from smearlab.learn.timing import ms_per_cell
from smearlab.registry import look_up


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--network", help="name of a classifier, or of a recipe of segmenters; with random weights"
    )
    source.add_argument("--run", type=Path, help="folder of a finished run")
    parser.add_argument("--bundle", type=Path, help="its bundle; exported anew without it")
    parser.add_argument("--batch", type=int, default=32, help="cells in one call")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    if options.bundle and not options.run:
        sys.exit("--bundle is compared with the network of its run: name it with --run")
    segments = options.network in SEGMENTATION_RECIPES
    if options.run:
        segments = is_segmenter_run(options.run)
    print(json.dumps((measure_tiles if segments else measure)(options), indent=1))


def measure_tiles(options: argparse.Namespace) -> dict[str, Any]:
    """A segmenter, tile by tile."""
    torch.set_num_threads(options.threads)
    name, graph, pixels = (trained_tiles if options.run else fresh_tiles)(options)
    given: dict[str, NDArray[np.float32]] = {}
    if isinstance(graph.model, RWPGenerator) and graph.model.config.keep_size:
        given["keep"] = np.ones((1, graph.model.config.keep_size), np.float32)
    keep = [torch.from_numpy(value) for value in given.values()]
    with tempfile.TemporaryDirectory() as folder:
        bundle = options.bundle or Path(folder)
        if options.bundle is None:
            example = {"pixels": torch.from_numpy(pixels), **dict(zip(given, keep, strict=True))}
            write_bundle(bundle, graph, example, {"kind": "segmenter", "name": name})
        session = open_graph(bundle / "model.onnx", options.threads)

        def eager(tile: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
            with torch.inference_mode():
                return [value.numpy() for value in graph(torch.from_numpy(tile), *keep)]

        def exported(tile: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
            return list(session.run(list(graph.outputs), {"pixels": tile, **given}))

        difference = farthest([exported(pixels)], [eager(pixels)])
        times = ms_per_cell({"torch": eager, "bundle": exported}, pixels, options.rounds)
        size = (bundle / "model.onnx").stat().st_size
    return {
        "network": name,
        "tile_px": pixels.shape[1],
        "threads": options.threads,
        "ms_per_tile": {kind: round(value, 2) for kind, value in times.items()},
        "tiles_per_s": {kind: round(1000 / value, 2) for kind, value in times.items()},
        "bundle_over_torch": round(times["torch"] / times["bundle"], 3),
        "bytes": {"bundle": size},
        "largest_difference": float(f"{difference:.3g}"),
        **surroundings(),
    }


def trained_tiles(options: argparse.Namespace) -> tuple[str, BundleGraph, NDArray[np.uint8]]:
    """Name, network and a tile of a run."""
    run = open_segmenter_run(options.run)
    try:
        pixels = run.tiles(1).pixels
    except RunError:  # the time does not hang on what is shown
        pixels = random_tile(run.tile_px)
    return f"{run.summary.recipe}, {run.summary.element}", graph_of(run.network()).eval(), pixels


def fresh_tiles(options: argparse.Namespace) -> tuple[str, BundleGraph, NDArray[np.uint8]]:
    """A network with random weights, and a random tile."""
    torch.manual_seed(0)
    recipe = SEGMENTATION_RECIPES[options.network]
    graph = graph_of(build_network(recipe.network)).eval()
    return options.network, graph, random_tile(recipe.view.size)


def random_tile(side: int) -> NDArray[np.uint8]:
    """One tile of noise, shape (1, S, S, 3)."""
    return np.random.default_rng(0).integers(0, 256, (1, side, side, 3)).astype(np.uint8)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All three, in turns."""
    torch.set_num_threads(options.threads)
    name, graph, pixels = trained(options) if options.run else fresh(options)
    with tempfile.TemporaryDirectory() as folder:
        bundle = options.bundle or Path(folder)
        if options.bundle is None:
            card = {"kind": "classifier", "name": name}
            write_bundle(bundle, graph, torch.zeros(1, *pixels.shape[1:], dtype=torch.uint8), card)
        small = Path(folder) / "int8.onnx"
        small.write_bytes(quantized(bundle / "model.onnx", pixels))
        calls = {
            "torch": lambda batch: torch_probabilities(graph, batch),
            "bundle": answers_of(bundle / "model.onnx", options.threads),
            "int8": answers_of(small, options.threads),
        }
        batch = pixels[: options.batch]
        difference = float(np.abs(calls["bundle"](batch) - calls["torch"](batch)).max())
        times = ms_per_cell(calls, batch, options.rounds)
        sizes = {"bundle": (bundle / "model.onnx").stat().st_size, "int8": small.stat().st_size}
    return {
        "network": name,
        "input_px": pixels.shape[1],
        "batch": len(batch),
        "threads": options.threads,
        "ms_per_cell": {kind: round(value, 3) for kind, value in times.items()},
        "cells_per_s": {kind: round(1000 / value, 1) for kind, value in times.items()},
        "bundle_over_torch": round(times["torch"] / times["bundle"], 3),
        "int8_over_torch": round(times["torch"] / times["int8"], 3),
        "int8_over_bundle": round(times["bundle"] / times["int8"], 3),
        "bytes": sizes,
        "largest_difference": float(f"{difference:.3g}"),
        **surroundings(),
    }


def surroundings() -> dict[str, Any]:
    """What the times hang on besides."""
    return {
        "torch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
        "machine": {"processor": processor(), "python": platform.python_version()},
    }


def trained(options: argparse.Namespace) -> tuple[str, TypesGraph, NDArray[np.uint8]]:
    """Name, network and pictures of a run."""
    run = open_classifier_run(options.run)
    heat = 1.0
    if options.bundle:
        heat = json.loads((options.bundle / "card.json").read_text("utf-8"))["temperature"]
    pixels = views(run.samples("val"), max(64, options.batch))
    return run.recipe.network, TypesGraph(run.network(), heat).eval(), pixels


def fresh(options: argparse.Namespace) -> tuple[str, TypesGraph, NDArray[np.uint8]]:
    """A network with random weights, and random pictures."""
    torch.manual_seed(0)
    side = look_up("network", CLASSIFIERS, options.network).input_px
    shape = (max(64, options.batch), side, side, 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    return options.network, TypesGraph(build_classifier(options.network, 8)).eval(), pixels


def processor() -> str:
    """Its name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
