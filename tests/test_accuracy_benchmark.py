"""``benchmarks/accuracy.py``: what it measures on."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tiny_sets import write_sets

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = REPOSITORY / "benchmarks" / "accuracy.py"
    spec = importlib.util.spec_from_file_location("accuracy_benchmark", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_held_out_fields_whose_place_was_trained_on_are_left_out(
    script: ModuleType, tmp_path: Path
) -> None:
    sets = write_sets(tmp_path)
    held = {"a2", "b2"}
    assert {path.stem for path in script.txl_unrelated(sets)} == held
    text = (sets / "manifest.csv").read_text()
    text = text.replace("PBC,BNE_2.jpg", "BCDD,image-20.png")  # a1, which trains
    text = text.replace("PBC,BNE_5.jpg", "BCDD,image-37.png")  # a2, of the same place
    (sets / "manifest.csv").write_text(text)
    assert {path.stem for path in script.txl_unrelated(sets)} == held - {"a2"}


def test_every_figure_that_is_shown_is_measured(script: ModuleType, tmp_path: Path) -> None:
    sets = write_sets(tmp_path / "sets")
    commands = dict(script.commands(sets, tmp_path / "scratch"))
    assert commands.keys() == script.SHOWN.keys()
    images = Path(commands["fields_txl_pbc_unrelated"][2])
    assert {path.resolve() for path in images.iterdir()} == {
        path.resolve() for path in script.txl_unrelated(sets)
    }
