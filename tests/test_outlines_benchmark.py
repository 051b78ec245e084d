"""``benchmarks/outlines.py`` runs, and the place it chose is the best of those it tries."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "outlines.py"


def test_the_chosen_place_is_the_best_on_simulated_fields() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--n", "12"], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    best = max(found["simulated"], key=found["simulated"].get)
    assert float(best) == found["chosen"]
    assert 0.9 < found["simulated"][best] < 1
