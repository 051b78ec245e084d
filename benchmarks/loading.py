"""How fast training pictures are loaded, in one run; prints JSON.

    python benchmarks/loading.py --data DIR          the pictures of PBC below a folder
    python benchmarks/loading.py --manifest FILE     those of a manifest

Each of ``--rounds`` rounds measures all of them, one after the other, every other round backwards,
so that whatever else the machine does falls on all alike; the median of the rounds is given, and of
the ratios, which are taken within a round, the median, the lowest and the highest.

``bare_per_s``
    Pictures a second of the loops that anybody would write, without augmentation: so many
    processes read and decode with OpenCV, cut the middle out and resize. ``area`` resizes by
    averaging, as the loader's own crop for inference does; ``bilinear`` is OpenCV's default, the
    fastest there is, which lets fine granules alias. Both throw the result away, and so do less
    than a loader must. ``handed`` is ``bilinear`` in a pool of processes that hands its pictures to
    the training process, in order.
``loader_per_s``
    Pictures a second of ``smearlab.learn.manifest_samples`` with as many workers: read, decoded,
    augmented with paper D's ranges, made into batches and handed to the training process. The
    start of the workers is counted.
``loader_over_bare``
    Their ratios.
``lwcnn_per_s``
    Pictures a second that the smallest network, LWCNN, trains on with as many threads, from
    memory: at its own 64 px, and at the size that is loaded.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from smearlab.datasets.adapters.importing import to_manifest
from smearlab.datasets.adapters.reading import read_archive
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.manifest.table import Manifest, read_manifest
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.models.lwcnn import LWCNN, LWCNNConfig
from smearlab.learn.objectives import Classification
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.sampling import batches, steps_per_epoch
from smearlab.learn.transforms.picture_views import PictureViewConfig
from smearlab.preprocess.central_square import square_window

BATCH = 64
RESIZE = {"area": cv2.INTER_AREA, "bilinear": cv2.INTER_LINEAR}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="folder with the pictures of PBC")
    source.add_argument("--manifest", type=Path, help="manifest of single-cell pictures")
    parser.add_argument("--pictures", type=int, help="so many, evenly spread; all without it")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--size", type=int, default=128, help="side of the views, px")
    parser.add_argument("--crop", type=int, default=200, help="side of the middle square, px")
    parser.add_argument("--epochs", type=int, default=2, help="passes in each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(json.dumps(measure(options, pictures(options)), indent=1))


def pictures(options: argparse.Namespace) -> Manifest:
    """The rows that are loaded."""
    if options.manifest:
        manifest = read_manifest(options.manifest)
    else:
        manifest = to_manifest(read_archive(ADAPTERS["pbc"], options.data))
    wide = np.minimum(manifest.column("width_px"), manifest.column("height_px")) >= options.crop
    manifest = manifest.take(wide)
    if options.pictures and options.pictures < len(manifest):
        spread = np.linspace(0, len(manifest) - 1, options.pictures).astype(np.intp)
        manifest = manifest.take(spread)
    if len(manifest) < BATCH:
        sys.exit(f"{len(manifest)} pictures are no batch of {BATCH}")
    return manifest


def measure(options: argparse.Namespace, manifest: Manifest) -> dict[str, Any]:
    """All rounds."""
    cv2.setNumThreads(1)  # in this process and in all that it starts
    paths = [str(manifest.file(path)) for path in manifest.column("path")]
    for path in paths:
        Path(path).read_bytes()  # from memory for everybody
    ways: dict[str, Callable[[], float]] = {
        **{name: partial(bare_rate, options, paths, how) for name, how in RESIZE.items()},
        "handed": partial(handed_rate, options, paths),
        "loader": partial(loader_rate, options, manifest),
    }
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(options.rounds):
        for name in list(ways)[:: -1 if turn % 2 else 1]:
            rounds[name].append(ways[name]())
    rate = {name: statistics.median(values) for name, values in rounds.items()}
    lwcnn = {str(side): lwcnn_rate(side, options.processes) for side in (64, options.size)}
    return {
        "pictures": len(paths),
        "processes": options.processes,
        "size_px": options.size,
        "crop_px": options.crop,
        "bare_per_s": {name: round(rate[name]) for name in rate if name != "loader"},
        "loader_per_s": round(rate["loader"]),
        "loader_over_bare": {
            name: spread(rounds["loader"], rounds[name]) for name in [*RESIZE, "handed"]
        },
        "lwcnn_per_s": {side: round(value) for side, value in lwcnn.items()},
        "loader_over_lwcnn": {s: round(rate["loader"] / v, 2) for s, v in lwcnn.items()},
        "rounds": {name: [round(value) for value in values] for name, values in rounds.items()},
        "opencv": cv2.__version__,
        "simplejpeg": version("simplejpeg") if find_spec("simplejpeg") else None,
        "torch": torch.__version__,
        "machine": {"processor": processor(), "python": platform.python_version()},
    }


def bare_rate(options: argparse.Namespace, paths: Sequence[str], how: int) -> float:
    """Pictures a second of plain processes, from their common start to the end of the last."""
    context = multiprocessing.get_context("fork")
    start = context.Barrier(options.processes + 1)
    workers = [
        context.Process(
            target=bare_loop,
            args=(paths[n :: options.processes], options.crop, options.size, how, options.epochs),
            kwargs={"wait": start.wait},
        )
        for n in range(options.processes)
    ]
    for worker in workers:
        worker.start()
    start.wait()
    begin = time.perf_counter()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            sys.exit(f"a plain process ended with status {worker.exitcode}")
    return len(paths) * options.epochs / (time.perf_counter() - begin)


def bare_loop(
    paths: Sequence[str],
    crop: int,
    size: int,
    how: int,
    epochs: int,
    wait: Callable[[], object] = lambda: None,
) -> None:
    """Read, decode, cut and resize all."""
    wait()
    for path in [*paths] * epochs:
        bare_picture(path, crop, size, how)


def bare_picture(path: str, crop: int, size: int, how: int) -> NDArray[np.uint8]:
    """Read, decode, cut and resize one."""
    pixels = cv2.imread(path)
    x0, y0, x1, y1 = square_window(pixels.shape[1], pixels.shape[0], crop)
    return np.asarray(cv2.resize(pixels[y0:y1, x0:x1], (size, size), interpolation=how), np.uint8)


def handed_rate(options: argparse.Namespace, paths: Sequence[str]) -> float:
    """Pictures a second that reach this process from a plain pool; its start is counted."""
    one = partial(bare_picture, crop=options.crop, size=options.size, how=cv2.INTER_LINEAR)
    begin = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(options.processes) as pool:
        seen = sum(1 for _ in pool.imap(one, [*paths] * options.epochs, chunksize=BATCH))
    return seen / (time.perf_counter() - begin)


def spread(of: Sequence[float], by: Sequence[float]) -> dict[str, float]:
    """Ratios within the rounds."""
    ratios = [a / b for a, b in zip(of, by, strict=True)]
    median, low, high = statistics.median(ratios), min(ratios), max(ratios)
    return {"median": round(median, 3), "low": round(low, 3), "high": round(high, 3)}


def loader_rate(options: argparse.Namespace, manifest: Manifest) -> float:
    """Pictures a second that reach the training process."""
    config = PictureViewConfig(size_px=options.size, crop_px=options.crop)
    classes = sorted(set(manifest.column("label")))
    samples = ManifestSamples(manifest, classes, config, column="label")
    train = TrainConfig(batch_size=BATCH, workers=options.processes)
    steps = steps_per_epoch(len(samples), BATCH) * options.epochs
    begin = time.perf_counter()
    seen = sum(len(batch["target"]) for batch in batches(samples, train, 0, steps))
    return seen / (time.perf_counter() - begin)


def lwcnn_rate(side: int, threads: int, steps: int = 12) -> float:
    """Pictures a second of training steps, without loading."""
    torch.set_num_threads(threads)
    model, objective = LWCNN(LWCNNConfig(input_px=side)), Classification()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    pixels = torch.randint(0, 256, (BATCH, side, side, 3), dtype=torch.uint8)
    batch = {"pixels": pixels, "target": torch.arange(BATCH) % 9}
    for step in range(steps + 2):
        if step == 2:  # the first ones prepare
            begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        objective(model, batch)["loss"].backward()
        optimizer.step()
    return steps * BATCH / (time.perf_counter() - begin)


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
