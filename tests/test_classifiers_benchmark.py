"""``benchmarks/classifiers.py`` rewrites the page of results from the runs that are there."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from smearlab.evaluation.tested_runs import open_runs
from tested_run_folders import write_folds, write_run

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "classifier-results.md"
TRAINING = {
    "hardware": {"device": "a processor", "machine": "x86_64", "threads": 2},
    "batch": 64,
    "lwcnn": {"bare_per_s": 1000.0, "loop_per_s": 970.4, "loop_over_bare": 0.97},
}
INFERENCE = {
    "network": "lwcnn", "batch": 32, "threads": 2, "bundle_over_torch": 1.4,
    "cells_per_s": {"torch": 2000.0, "bundle": 2800.0, "int8": 3100.0},
    "largest_difference": 3e-7, "machine": {"processor": "a processor"},
}  # fmt: skip


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = REPOSITORY / "benchmarks" / "classifiers.py"
    spec = importlib.util.spec_from_file_location("classifiers_benchmark", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def call(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs the script on a copy of the page, and gives the page back."""
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")

    def run(*more: str) -> str:
        words = [str(tmp_path / "runs"), "--page", str(page), "--results", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", ["classifiers.py", *words, "--resamples", "20", *more])
        script.main()
        return page.read_text(encoding="utf-8")

    return run


def inside(text: str, name: str) -> str:
    found = re.search(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", text, re.DOTALL)
    assert found, name
    return found[1]


def test_every_part_has_its_place_and_its_commands(script: ModuleType) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in (*script.PARTS, "speed"):
        inside(text, name)
        section = text.split(f"<!-- {name}: begin -->")[0].rsplit("\n## ", 1)[1]
        assert "smearlab train" in section or "python benchmarks/" in section, name


def test_the_tables_are_those_of_the_runs(call: Callable[..., str], tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    write_folds(runs / "lwcnn-honest", 2, n=60, seed=1)
    write_run(runs / "lwcnn-paper", n=60, protocol="paper", seed=2)
    write_run(runs / "w_net_pbc-honest", n=60, classes=("a", "b"), recipe="w_net_pbc")
    for n in (40, 200, 1000):
        write_run(runs / "curve" / f"lwcnn-honest-n{n}", n=60, n_train=n, seed=n)
    write_run(runs / "vgg19_wbc-paper", n=60, protocol="paper", recipe="vgg19_wbc")
    write_run(runs / "vgg19_wbc-honest", n=60, first=30, recipe="vgg19_wbc")
    write_folds(runs / "compact_pbc-honest", 2, n=60)
    (runs / "compact_pbc-honest" / "fold-2" / "summary.json").unlink()
    out = tmp_path / "out"
    out.mkdir()
    (out / "training.json").write_text(json.dumps(TRAINING))
    (out / "inference_lwcnn.json").write_text(json.dumps(INFERENCE))
    text = call()
    pbc = inside(text, "pbc")
    (run,) = open_runs([runs / "lwcnn-honest"])
    assert f"{100 * run.right.mean():.2f} (" in pbc and "97.10" in pbc
    assert "McNemar" in pbc  # lwcnn by both protocols, on the same pictures
    assert "[comparison](results/classifiers/pbc-2.html)" in pbc  # other types stand apart
    assert "Begun, not finished: `compact_pbc-honest`" in pbc
    kept = json.loads((out / "pbc.json").read_text(encoding="utf-8"))
    assert [row["run"] for row in kept["runs"]] == ["lwcnn-honest", "lwcnn-paper"]
    curve = inside(text, "curve")
    places = [curve.index(f"| lwcnn-honest-n{n} |") for n in (40, 200, 1000)]
    assert places == sorted(places)  # by number, not by letter
    assert "training pictures</h2>" in (out / "curve.html").read_text(encoding="utf-8")
    bccd4 = inside(text, "bccd4")
    assert "McNemar" not in bccd4 and "vgg19_wbc-honest" in bccd4  # other test pictures
    before = inside(PAGE.read_text(encoding="utf-8"), "senet154_ge")
    assert inside(text, "senet154_ge") == before, "nothing of this part is here"
    speed = inside(text, "speed")
    assert "2 threads" in speed
    assert "| `lwcnn` | 64 | 1 000 | 970 | 0.97 | – |" in speed and "| 2 800 | 3 100 |" in speed
    assert call() == text
    shutil.rmtree(runs / "curve")
    assert inside(call(), "curve") == curve  # those of another folder stay


def test_reports_are_written_by_the_command(call: Callable[..., str], tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "curve" / "lwcnn-honest", n=40)
    text = call("--reports")
    assert "Not measured yet." in inside(text, "speed")
    assert "[lwcnn-honest](results/classifiers/run-curve-lwcnn-honest.html)" in text
    page = (tmp_path / "out" / "run-curve-lwcnn-honest.html").read_text(encoding="utf-8")
    assert "Evaluation of lwcnn-honest" in page
    assert call() == text  # what is there is linked


def test_a_missing_folder_is_named(call: Callable[..., str]) -> None:
    with pytest.raises(SystemExit, match="is no folder: name the one that smearlab train"):
        call()
