"""Pictures a second of a generator at the bench; prints JSON.

    python benchmarks/generation.py                      paper C's DCGAN, 128 px, random weights
    python benchmarks/generation.py --recipe c_wgan_gp   another recipe's generator
    python benchmarks/generation.py --bundle BUNDLE      a trained one

``network``
    Latents drawn and pictures computed by ONNX Runtime, in the blocks that ``smearlab generate``
    uses; the median of the rounds.
``files``
    The same with PNG files written, synced and noted: what the command does.
``torch``
    The network in eager mode, 32 bits; of recipes only.
``in blocks of N``
    With ``--blocks``: the network by one thread, N pictures together.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from smearlab.registry import look_up
from smearlab.synthesis.generator import BLOCK, Generator
from smearlab.synthesis.latents import draw_latents
from smearlab.synthesis.pictures import make_pictures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--recipe", default="w_net_dcgan", help="with random weights")
    source.add_argument("--bundle", type=Path, help="of a trained generator, or its run")
    parser.add_argument("--pictures", type=int, default=64, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--blocks", type=int, nargs="*", default=[], help="sizes to compare")
    print(json.dumps(measure(parser.parse_args()), indent=1))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed."""
    with tempfile.TemporaryDirectory() as folder:
        place, eager = Path(folder), {}
        bundle = options.bundle
        if bundle is None:
            bundle, run_eager = fresh(options, place / "bundle")
            eager = {"torch": rate(run_eager, options)}
        model = Generator.load(bundle, options.threads)
        kind = model.types[0]

        def compute(number: int) -> None:
            for _ in model.generate(kind, options.pictures, number):
                pass

        def write(number: int) -> None:
            made = make_pictures(
                {kind: options.pictures},
                {kind: model},
                place / f"round {number}",
                seed=number,
                threads=options.threads,
            )
            assert made.new == options.pictures

        rates = {"network": rate(compute, options), "files": rate(write, options), **eager}
        for size in options.blocks:
            together = partial(answer_blocks, model, size, options.pictures)
            rates[f"in blocks of {size}"] = rate(together, options)
    return {
        "model": model.name,
        "size_px": model.size_px,
        "pictures": options.pictures,
        "in_a_block": BLOCK,
        "threads": options.threads,
        "pictures_per_s": rates,
        "onnxruntime": onnxruntime.__version__,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }


def answer_blocks(model: Generator, size: int, pictures: int, number: int) -> None:
    """The network alone, so many pictures together."""
    types = np.repeat(model.one_hot(model.types[0])[None], size, axis=0)
    for first in range(0, pictures, size):
        places = range(first, first + size)
        model.answer(draw_latents(model.types[0], places, number, model.latent_size), types)


def rate(work: Callable[[int], object], options: argparse.Namespace) -> float:
    """Pictures a second of some work, after a round that does not count."""
    seconds = []
    for number in range(options.rounds + 1):
        start = time.perf_counter()
        work(number)
        seconds.append(time.perf_counter() - start)
    return round(options.pictures / statistics.median(seconds[1:]), 2)


def fresh(options: argparse.Namespace, folder: Path) -> tuple[Path, Callable[[int], object]]:
    """A recipe's generator with random weights: its bundle, and pictures by eager torch."""
    import torch

    from smearlab.learn.export import write_bundle
    from smearlab.learn.export_generators import GeneratorGraph
    from smearlab.learn.models.generators import build_generator
    from smearlab.learn.recipes import SYNTHESIS_RECIPES

    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    config = look_up("recipe", SYNTHESIS_RECIPES, options.recipe).generator
    graph = GeneratorGraph(build_generator(config), config.classes).eval()
    example = {
        "latent": torch.zeros(1, config.latent_size),
        "types": torch.eye(config.classes)[:1],
    }
    card = {
        "kind": "generator",
        "name": f"{options.recipe}, random weights",
        "classes": [f"type {n + 1}" for n in range(config.classes)],
        "latent_size": config.latent_size,
        "size_px": config.size_px,
    }
    types = torch.eye(config.classes)[:1].expand(BLOCK, -1)

    def run(number: int) -> None:
        with torch.inference_mode():
            for _ in range(-(-options.pictures // BLOCK)):
                graph(torch.randn(BLOCK, config.latent_size), types)

    return write_bundle(folder, graph, example, card), run


if __name__ == "__main__":
    main()
