"""The benchmark and the figure of stain normalisation do what they say; times are not looked at."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from manifest_rows import manifest_of
from smearlab.datasets.manifest.table import read_manifest
from smearlab.stain.methods import METHODS
from tiny_stain import write_pointwise_stain, write_stain

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def stain_fields(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the script defines."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    return runpy.run_path(str(REPOSITORY / "benchmarks" / "stain_fields.py"))


def test_every_method_and_a_network_are_measured(tmp_path: Path) -> None:
    script = str(REPOSITORY / "benchmarks" / "stain.py")
    small = ["--n", "1", "--size", "160", "--rounds", "1", "--threads", "1"]
    models = [str(write_stain(tmp_path / "a")), str(write_pointwise_stain(tmp_path / "b"))]
    done = subprocess.run(
        [sys.executable, script, *small, "--model", *models],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert set(found["megapixels_per_s"]) == {*METHODS, "blurred_negative", "negative"}
    assert found["megapixels_per_s"].keys() == found["at_first"].keys()
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


def test_the_tables_of_fields_are_those_of_the_figures_that_are_kept(
    stain_fields: dict[str, Any],
) -> None:
    script = stain_fields
    page = (REPOSITORY / "docs" / "stain.md").read_text(encoding="utf-8")
    for source, target in (("Raabin-WBC", "PBC"), ("PBC", "Raabin-WBC")):
        kept = REPOSITORY / "docs" / "results" / "stain" / f"{source}_to_{target}.json"
        figures = json.loads(kept.read_text(encoding="utf-8"))
        assert script["said"](figures, source, target) in page
        assert set(METHODS) <= set(figures["models"])


def test_fields_are_fitted_to_or_judged_and_never_both(
    stain_fields: dict[str, Any], tmp_path: Path
) -> None:
    script = stain_fields
    same = {"dataset": "txl_pbc", "published_split": "train", "source": "PBC"}
    rows = [
        {"path": f"{kind}-{n}.png", "label": kind, **same}
        for kind in script["TYPES"]
        for n in range(9)
    ]
    rows[4]["source"] = "Raabin-WBC"
    rows[13]["published_split"] = "val"
    table = manifest_of(rows, tmp_path)
    learned = {(tmp_path / "monocyte-0.png").resolve()}
    places = script["tables"](table, "PBC", 2, learned, tmp_path)
    fitted, judged = (set(read_manifest(place).column("path")) for place in places)
    assert len(fitted) == len(judged) == 10
    assert not fitted & judged
    assert not (fitted | judged) & {"monocyte-0.png", rows[4]["path"], rows[13]["path"]}
