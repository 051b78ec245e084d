"""The benchmark of generators measures what it says; its times are not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tiny_generators import SIZE, write_generator

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "generation.py"


def test_a_bundle_is_measured_with_and_without_files(tmp_path: Path) -> None:
    bundle = write_generator(tmp_path / "colours")
    words = ["--bundle", str(bundle), "--pictures", "3", "--rounds", "1", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert (found["model"], found["size_px"], found["pictures"]) == ("colours", SIZE, 3)
    assert set(found["pictures_per_s"]) == {"network", "files"}
    assert min(found["pictures_per_s"].values()) > 0
