"""The bench wing stands alone: it works where torch cannot be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from smearlab.datasets.simulated_files import write_fields
from smearlab.datasets.simulator import SmearConfig, simulate_field
from tiny_bundles import write_segmenter

#: Python runs a module of this name at start; child processes get it, too.
SITECUSTOMIZE = """
import sys

class NoTraining:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "lightning", "torchvision"):
            raise ImportError(f"{name} was imported on the bench")
        return None

sys.meta_path.insert(0, NoTraining())
"""


@pytest.fixture
def bench(tmp_path: Path) -> dict[str, str]:
    """Environment in which importing torch raises."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITECUSTOMIZE)
    return {**os.environ, "PYTHONPATH": str(tmp_path / "site")}


def run(bench: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=bench, capture_output=True, text=True, timeout=1800)


def smearlab(bench: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(bench, sys.executable, "-c", "from smearlab.cli.main import app; app()", *arguments)


def test_the_guard_works(bench: dict[str, str]) -> None:
    result = run(bench, sys.executable, "-c", "import torch")
    assert result.returncode == 1
    assert "torch was imported on the bench" in result.stderr


def test_the_package_is_imported_without_torch(bench: dict[str, str]) -> None:
    modules = [
        "smearlab",
        "smearlab.types",
        "smearlab.pipeline",
        "smearlab.batch.run",
        "smearlab.cli.main",
        "smearlab.datasets.simulator",
        "smearlab.evaluation.fields",
        "smearlab.report.html",
    ]
    result = run(bench, sys.executable, "-c", f"import {', '.join(modules)}")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("arguments", [[], ["analyze"], ["evaluate", "fields"], ["simulate"]])
def test_help_needs_no_torch(bench: dict[str, str], arguments: list[str]) -> None:
    result = smearlab(bench, *arguments, "--help")
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


def test_help_loads_nothing_heavy(bench: dict[str, str]) -> None:
    heavy = {"numpy", "cv2", "scipy", "skimage", "onnxruntime"}
    code = f"import sys, smearlab.cli.main; print(sorted({heavy} & set(sys.modules)))"
    result = run(bench, sys.executable, "-c", code)
    assert result.stdout.strip() == "[]", result.stderr


def test_analyze_needs_no_torch(bench: dict[str, str], tmp_path: Path) -> None:
    config = SmearConfig(height_px=240, width_px=320, n_wbc=1)
    write_fields(tmp_path / "fields", [simulate_field(1, config)], config)
    out = tmp_path / "out"
    result = smearlab(
        bench, "analyze", str(tmp_path / "fields" / "images"), "--out", str(out), "--simulated"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert (out / "report.html").stat().st_size > 1000
    assert (out / "counts.json").is_file()


def test_train_says_what_is_missing(bench: dict[str, str]) -> None:
    result = smearlab(bench, "train")
    assert result.returncode == 2
    assert "smearlab[train]" in result.stderr


@pytest.mark.parametrize(
    ("decoder", "needed"), [("watershed", True), ("centres", False)], ids=["watershed", "centres"]
)
def test_what_a_decoder_needs_is_imported_before_threads_want_it(
    tmp_path: Path, decoder: str, needed: bool
) -> None:
    # Parts of scikit-image that two threads import at once may be half made in one of them.
    folder = write_segmenter(tmp_path / "cells", decoder=decoder)
    code = (
        "import sys; from smearlab.pipeline import Analyzer; Analyzer.load(sys.argv[1], None); "
        "print('skimage.morphology' in sys.modules, 'skimage.segmentation' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(needed)] * 2
