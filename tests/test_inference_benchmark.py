"""The inference benchmark measures what it says, on small networks; its times are not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent / "learn"))
from tiny_segmenters import write_segmenter_run

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "inference.py"


def printed(*arguments: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments, "--rounds", "1", "--threads", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_segmenter_is_measured_tile_by_tile(tmp_path: Path) -> None:
    found = printed("--run", str(write_segmenter_run(tmp_path)))
    assert (found["network"], found["tile_px"]) == ("rwp_gan, WBC", 32)
    times = found["ms_per_tile"]
    assert isinstance(times, dict) and set(times) == {"torch", "bundle"}
    assert float(str(found["largest_difference"])) <= 1e-4
