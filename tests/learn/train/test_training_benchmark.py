"""``benchmarks/training.py`` prints figures that hang together; nothing here asserts a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "training.py"


def test_figures_hang_together() -> None:
    options = "--networks lwcnn --batch 2 --steps 4 --skipped 1 --rounds 1 --threads 1"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options.split(), "--ways", "bare", "loop", "tuned"],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert (found["batch"], found["hardware"]["threads"]) == (2, 1)
    figures = found["lwcnn"]
    for way in ("loop", "tuned"):
        ratio = figures[f"{way}_per_s"] / figures["bare_per_s"]
        assert figures[f"{way}_over_bare"] == pytest.approx(ratio, rel=0.1, abs=0.01)
        assert figures[f"{way}_over_bare_cpu"] > 0
    assert figures["checkpoint_s"] > 0
    assert "bf16_over_fp32" not in figures
