"""How many fields of 256 × 256 px the simulator makes a second on one core; prints JSON.

    python benchmarks/simulator.py                   30 fields of each kind
    python benchmarks/simulator.py --n 100

``fields_per_s`` counts the process's own CPU time, so that other work on the machine does not
enter it; one thread. ``cells`` is the mean number a field.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from typing import Any

import cv2

from smearlab.datasets.simulator import CELL_CONFIG, SmearConfig, simulate_cell, simulate_field

SIDE = {"height_px": 256, "width_px": 256}
#: What is shown → settings.
KINDS = {
    "default": SmearConfig(**SIDE),
    "random stain, red cells of 40 px": SmearConfig(**SIDE, rbc_diameter_px=40, look="random"),
    "crowded, red cells of 40 px": SmearConfig(
        **SIDE, rbc_diameter_px=40, coverage=0.55, touching=0.6
    ),
    "red cells of 24 px": SmearConfig(**SIDE, rbc_diameter_px=24),
    "uneven focus": SmearConfig(**SIDE, uneven_focus_px=2),
}


def main() -> None:
    """Measure every kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=30, help="fields of each kind")
    n = parser.parse_args().n
    cv2.setNumThreads(1)
    figures = {kind: measure(config, n) for kind, config in KINDS.items()}
    figures["single cells, 360 × 363 px"] = measure_cells(n)
    print(json.dumps({"n": n, "python": platform.python_version(), "kinds": figures}, indent=1))


def measure(config: SmearConfig, n: int) -> dict[str, Any]:
    """Fields a second of CPU time, and cells a field."""
    simulate_field(n, config)  # what is done once is done
    begin = time.process_time()
    cells = sum(len(simulate_field(seed, config).cells) for seed in range(n))
    return {
        "fields_per_s": round(n / (time.process_time() - begin), 1),
        "cells": round(cells / n, 1),
    }


def measure_cells(n: int) -> dict[str, Any]:
    """Single cells a second of CPU time, neutrophils."""
    simulate_cell(n, "neutrophil")
    begin = time.process_time()
    for seed in range(n):
        simulate_cell(seed, "neutrophil", CELL_CONFIG)
    return {"fields_per_s": round(n / (time.process_time() - begin), 1)}


if __name__ == "__main__":
    main()
