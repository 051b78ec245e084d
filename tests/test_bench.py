"""``make bench`` prints its figures; nothing here asserts a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smearlab.io.bundles import find_bundle

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "run.py"


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is asked of POSIX")
def test_figures_hang_together(tmp_path: Path) -> None:
    for kind in ("segmenter", "classifier"):
        if not find_bundle(kind, "default").is_dir():
            pytest.skip(f"the default {kind} is not in this tree yet")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--few=1", "--many=3", "--cores=1"],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert (found["fields"], found["cores"], found["jobs"]) == (3, 1, 1)
    assert found["network_calls"] >= 3
    assert found["fields_per_s"] == pytest.approx(3 / found["wall_s"], rel=0.05)
    ratio = found["wall_s"] / found["network_s"]
    assert found["wall_over_network"] == pytest.approx(ratio, rel=0.1)
    assert found["wall_over_network_without_startup"] < found["wall_over_network"]
    assert set(found["peak_memory_mib"]) == {"1", "3"}
    assert min(found["peak_memory_mib"].values()) > 20
