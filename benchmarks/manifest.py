"""How long a large manifest takes to open, split and prove clean, in one run; prints JSON.

    python benchmarks/manifest.py
    python benchmarks/manifest.py --rows 100000 --group-size 10

``read_s``
    :func:`read_manifest` of a Parquet file, all checks included; the best of ``--repeats``, as
    everything below. The file was just written: the disk's cache is warm.
``hold_out_s``, ``k_fold_s``
    70/10/20 and ten folds, stratified by twelve types.
``leaks_s``
    Proving the hold-out clean.
``cpu_s``
    Processor time of the same, in seconds over all threads: what a loaded machine does not spoil.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.datasets.manifest.splits import Shares, hold_out, k_fold
from smearlab.datasets.manifest.table import Manifest, checked, read_manifest, write_manifest

Made = TypeVar("Made")


def main() -> None:
    """Make a manifest, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--group-size", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smearlab-bench-") as work:
        path = Path(work) / "manifest.parquet"
        write_manifest(path, made(options.rows, options.group_size, Path(work)))
        result = measure(path, options.repeats)
        result["file_mb"] = round(path.stat().st_size / 1e6, 1)
    machine = {"machine": platform.machine(), "cores": os.cpu_count()}
    print(json.dumps({"rows": options.rows, "group_size": options.group_size, **result, **machine}))


def measure(path: Path, repeats: int) -> dict[str, Any]:
    """Every figure, the best of ``repeats``."""
    wall, cpu = {}, {}
    shares = Shares(0.7, 0.1, 0.2)
    manifest, wall["read_s"], cpu["read_s"] = timed(lambda: read_manifest(path), repeats)
    held, wall["hold_out_s"], cpu["hold_out_s"] = timed(lambda: hold_out(manifest, shares), repeats)
    _, wall["k_fold_s"], cpu["k_fold_s"] = timed(lambda: k_fold(manifest, 10), repeats)
    leaks, wall["leaks_s"], cpu["leaks_s"] = timed(lambda: find_leaks(held), repeats)
    off = held.provenance[-1]["changed"]["worst_rows_off"]
    return {**wall, "cpu_s": cpu, "leaks": len(leaks), "worst_rows_off": off}


def timed(work: Callable[[], Made], repeats: int) -> tuple[Made, float, float]:
    """What it gives, and its best wall and processor time in seconds."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        given = work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return given, round(min(walls), 3), round(min(cpus), 3)


def made(n: int, group_size: int, root: Path) -> Manifest:
    """A manifest as imports make them: every column set but boxes and masks."""
    rng = np.random.default_rng(0)
    types = np.array([f"type {t}" for t in range(12)])
    numbers = np.arange(n)
    drawn = types[rng.choice(12, n, p=rng.dirichlet(np.full(12, 3.0)))]
    table = pa.table(
        {
            "path": [f"cells/archive/{t}/picture_{i:07d}.jpg" for i, t in enumerate(drawn)],
            "sha256": [f"{a:032x}{b:032x}" for a, b in rng.integers(2**62, size=(n, 2)).tolist()],
            "dataset": ["archive"] * n,
            "source": ["Archive"] * n,
            "source_image": [f"picture_{i:07d}.jpg" for i in range(n)],
            "group": [f"Archive/{i:07d}" for i in (numbers // group_size).tolist()],
            "label": drawn,
            "type": drawn,
            "width_px": np.full(n, 360, np.int32),
            "height_px": np.full(n, 363, np.int32),
            "um_per_px": np.full(n, 0.1, np.float32),
            "stain": ["May-Grünwald-Giemsa"] * n,
        }
    )
    return Manifest(checked(table, "made"), root).noted("made", rows_asked=n)


if __name__ == "__main__":
    main()
