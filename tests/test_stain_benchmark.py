"""The benchmark and the figure of stain normalisation do what they say; times are not looked at."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from smearlab.stain.methods import METHODS
from tiny_stain import write_stain

REPOSITORY = Path(__file__).resolve().parents[1]


def test_every_method_and_a_network_are_measured(tmp_path: Path) -> None:
    script = str(REPOSITORY / "benchmarks" / "stain.py")
    small = ["--n", "1", "--size", "160", "--rounds", "1", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, script, *small, "--model", str(write_stain(tmp_path))],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert set(found["megapixels_per_s"]) == {*METHODS, "blurred_negative"}
    assert found["over_macenko"]["macenko"] == 1
    assert found["largest_step"]["blurred_negative"] <= 1


def test_the_figure_is_the_one_that_the_page_shows(tmp_path: Path) -> None:
    docs = REPOSITORY / "docs"
    page = (docs / "stain.md").read_text(encoding="utf-8")
    assert "python docs/stain_figures.py" in page
    (drawn,) = runpy.run_path(str(docs / "stain_figures.py"))["write"](tmp_path)
    assert re.findall(r"\(images/stain/([\w.]+)\)", page) == [drawn.name]
    kept = docs / "images" / "stain" / drawn.name
    with Image.open(drawn) as new, Image.open(kept) as old:
        assert new.size == old.size, f"draw {drawn.name} again"
        assert np.asarray(new.convert("RGB")).std() > 20
    assert kept.stat().st_size < 200_000
