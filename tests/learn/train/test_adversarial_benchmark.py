"""``benchmarks/adversarial.py`` prints figures that hang together; nothing here asserts a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "adversarial.py"


def test_figures_hang_together() -> None:
    options = "--tiny --batch 2 --steps 3 --skipped 1 --threads 1 --penalty --spectral"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options.split()],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert (found["batch"], found["penalty"], found["hardware"]["threads"]) == (2, True, 1)
    for other in ("passes", "bare"):  # one step counts, so medians are its own figures
        ratio = found[f"{other}_s"] / found["loop_s"]
        assert found[f"loop_over_{other}"] == pytest.approx(ratio, rel=0.05, abs=0.01)
        assert found[f"loop_over_{other}_cpu"] > 0
    assert found["checkpoint_s"] > 0
