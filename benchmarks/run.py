"""Speed, overhead and memory of ``smearlab analyze``, in one run; prints JSON.

    python benchmarks/run.py                         simulated fields, 640 × 480
    python benchmarks/run.py --fields DIR            fields of your own

Measured through the real command, in processes of their own that may use ``--cores`` cores:

``fields_per_s``, ``wall_s``
    ``smearlab analyze`` over JPEG files on disk, from the start of the process to its end.
``network_s``
    The network calls of that run alone: the very same inputs through the same ONNX Runtime
    sessions, called by as many threads as ``--jobs`` says, and nothing else. The mean of one
    measurement before and one after the run.
``startup_s``
    What comes before the first field and does not depend on how many there are: the process, the
    imports, opening the sessions. Stated apart, and contained in ``wall_s``.
``wall_over_network``
    ``wall_s / network_s``; ``…_without_startup`` subtracts ``startup_s`` before.
``peak_memory_mib``
    Largest resident memory of the process, by number of fields.

This process imports nothing large: a child's peak memory as Linux counts it is never less than
its parent's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

#: Fields that are different pictures; larger runs repeat them.
DISTINCT = 50
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def main() -> None:
    """Measure, or do one of the parts that need a process of their own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fields", type=Path, help="folder of pictures; simulated without it")
    parser.add_argument("--few", type=int, default=50, help="fields of the small run")
    parser.add_argument("--many", type=int, default=400, help="fields of the large run")
    parser.add_argument("--cores", type=int, default=2, help="cores that may be used")
    parser.add_argument("--jobs", type=int, help="fields at a time; as many as cores without it")
    parser.add_argument("--segmenter", default="default")
    parser.add_argument("--classifier", default="default")
    parser.add_argument("--part", choices=tuple(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.jobs = options.jobs or options.cores
    if options.part:
        PARTS[options.part](options)
        return
    with tempfile.TemporaryDirectory(prefix="smearlab-bench-") as work:
        options.work = Path(work)
        print(json.dumps(measure(options), indent=1))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, in the order in which it disturbs itself least."""
    limit_cores(options.cores)
    if options.fields is None:
        run_part("simulate", options)
    for count in (options.few, options.many):
        fill(options.work / f"in{count}", sources(options), count)
    startup = min(run_part("startup", options)[1] for _ in range(3))
    _, _, few_memory = analyse(options, options.few)
    before = run_part("network", options)[0]
    wall, output, many_memory = analyse(options, options.many)
    after = run_part("network", options)[0]
    network = (before["network_s"] + after["network_s"]) / 2
    counts = json.loads((output / "counts.json").read_bytes())
    return {
        "fields": options.many,
        "origin": str(options.fields.name) if options.fields else "simulated, 640x480",
        "cells": counts["pooled"]["n_cells"],
        "cores": options.cores,
        "jobs": options.jobs,
        "fields_per_s": round(options.many / wall, 2),
        "wall_s": round(wall, 2),
        "network_s": round(network, 2),
        "network_calls": after["calls"],
        "startup_s": round(startup, 2),
        "wall_over_network": round(wall / network, 3),
        "wall_over_network_without_startup": round((wall - startup) / network, 3),
        "peak_memory_mib": {str(options.few): few_memory, str(options.many): many_memory},
        "network_s_before_and_after": [round(r["network_s"], 2) for r in (before, after)],
        "smearlab": counts["smearlab"],
        "onnxruntime": after["onnxruntime"],
        "bundles": counts["bundles"],
        "machine": {"processor": processor(), "python": platform.python_version()},
    }


def limit_cores(count: int) -> None:
    """Let this process and all it starts use so many cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def sources(options: argparse.Namespace) -> list[Path]:
    """The different pictures."""
    folder = options.fields or options.work / "simulated"
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        sys.exit(f"{folder}: no picture in this folder")
    return found[:DISTINCT]


def fill(folder: Path, pictures: Sequence[Path], count: int) -> None:
    """Copy pictures, again and again, until there are ``count``."""
    folder.mkdir()
    for number in range(count):
        picture = pictures[number % len(pictures)]
        shutil.copyfile(picture, folder / f"{number:05}{picture.suffix}")


def analyse(options: argparse.Namespace, count: int) -> tuple[float, Path, float]:
    """Seconds, output folder and peak memory (MiB) of the real command."""
    out = options.work / f"out{count}"
    words = ["analyze", str(options.work / f"in{count}"), "--out", str(out), "--quiet"]
    words += ["--jobs", str(options.jobs), *bundles(options)]
    command = [sys.executable, "-c", "from smearlab.cli.main import app; app()", *words]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"smearlab analyze ended with status {process.returncode}")
    to_mib = 1024**2 if sys.platform == "darwin" else 1024
    return wall, out, round(usage.ru_maxrss / to_mib, 1)


def run_part(part: str, options: argparse.Namespace) -> tuple[dict[str, Any], float]:
    """What a part printed, and the seconds it took from start to end."""
    command = [sys.executable, __file__, "--part", part, "--work", str(options.work)]
    command += ["--many", str(options.many), "--jobs", str(options.jobs), *bundles(options)]
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout or "{}"), time.perf_counter() - begin


def bundles(options: argparse.Namespace) -> list[str]:
    """The options that name the models."""
    return ["--segmenter", options.segmenter, "--classifier", options.classifier]


def simulate(options: argparse.Namespace) -> None:
    """Part: write simulated fields of 640 × 480 as JPEG."""
    from PIL import Image

    from smearlab.datasets.simulator import SmearConfig, simulate_field

    (options.work / "simulated").mkdir()
    for seed in range(min(DISTINCT, options.many)):
        pixels = simulate_field(seed, SmearConfig(width_px=640, height_px=480)).field.pixels
        Image.fromarray(pixels).save(options.work / "simulated" / f"{seed:03}.jpg", quality=90)


def startup(options: argparse.Namespace) -> None:
    """Part: everything that ``smearlab analyze`` does before the first field."""
    import smearlab.batch.run
    import smearlab.cli.main  # noqa: F401
    from smearlab.pipeline import Analyzer

    Analyzer.load(options.segmenter, options.classifier, threads=1)


def network(options: argparse.Namespace) -> None:
    """Part: note the inputs of all network calls, then make these calls and nothing else."""
    import onnxruntime

    calls: list[tuple[Any, tuple[Any, ...]]] = []

    class NotingSession(onnxruntime.InferenceSession):  # type: ignore[misc]
        def run(self, *arguments: Any) -> Any:
            calls.append((super().run, arguments))
            return super().run(*arguments)

    plain, onnxruntime.InferenceSession = onnxruntime.InferenceSession, NotingSession
    from smearlab.batch.workers import WorkerPool
    from smearlab.io.images import read_field
    from smearlab.pipeline import Analyzer

    analyzer = Analyzer.load(options.segmenter, options.classifier, threads=1)
    onnxruntime.InferenceSession = plain
    of_field = []
    for path in sorted((options.work / f"in{options.many}").iterdir())[:DISTINCT]:
        calls.clear()
        analyzer.analyze(read_field(path))
        of_field.append(tuple(calls))

    def replay(number: int) -> int:
        for run, arguments in of_field[number % len(of_field)]:
            run(*arguments)
        return len(of_field[number % len(of_field)])

    for _ in WorkerPool(replay, options.jobs).run(range(2 * options.jobs)):
        pass  # the sessions' memory grows to what it will be
    begin = time.perf_counter()
    n_calls = sum(n or 0 for n in WorkerPool(replay, options.jobs).run(range(options.many)))
    seconds = time.perf_counter() - begin
    print(
        json.dumps({"network_s": seconds, "calls": n_calls, "onnxruntime": onnxruntime.__version__})
    )


def processor() -> str:
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


PARTS = {"simulate": simulate, "startup": startup, "network": network}

if __name__ == "__main__":
    main()
