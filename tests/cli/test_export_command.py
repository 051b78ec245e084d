"""``smearlab export`` as a user calls it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from smearlab.cli import export
from smearlab.io.bundles import read_card

sys.path.append(str(Path(__file__).resolve().parents[1] / "learn"))
from small_classifier_run import write_run


def call(*arguments: str) -> Result:
    app = typer.Typer()
    export.register(app)
    app.command("other")(lambda: None)  # so that the command keeps its name
    return CliRunner().invoke(app, ["export", *arguments], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write_run(tmp_path_factory.mktemp("small"))


def test_a_run_becomes_a_bundle(run: Path, tmp_path: Path) -> None:
    result = call(str(run), "--context", "1.5", "--out", str(tmp_path / "bundle"))
    assert result.exit_code == 0, result.output
    assert read_card(tmp_path / "bundle", "classifier")["context"] == 1.5
    assert str(tmp_path / "bundle") in result.stdout
    for said in (
        "lwcnn, ",
        "set (no licence is known)",
        "64 px, 1.5 times",
        "6 pictures (validation)",
        "n = 6",
    ):
        assert said in result.stdout
    again = call(str(run), "--context", "2", "--out", str(tmp_path / "bundle"))
    assert again.exit_code == 2
    assert "holds a bundle already" in again.stderr
    assert read_card(tmp_path / "bundle", "classifier")["context"] == 1.5
    forced = call(str(run), "--context", "2", "--out", str(tmp_path / "bundle"), "--force")
    assert forced.exit_code == 0, forced.output
    assert read_card(tmp_path / "bundle", "classifier")["context"] == 2


def test_eight_bits_say_what_they_cost(run: Path) -> None:
    result = call(str(run), "--context", "1.5", "--quantize", "int8", "--weights", "float")
    assert result.exit_code == 0, result.output
    assert read_card(run / "bundle-int8", "classifier")["quantised"]["to"] == "int8"
    for said in (
        "difference from checkpoint, before int8",
        "ms a cell",
        "answers changed",
        " of 6",
    ):
        assert said in result.stdout


def test_strange_classes_are_pointed_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "small", labels=("healthy", "blast", "other"))
    result = call(str(run), "--context", "1.5")
    assert result.exit_code == 0, result.output
    assert "healthy, blast, other are not all types of cells" in result.stderr


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    result = call(str(tmp_path), "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert "is no finished run" in result.stderr
    assert not (tmp_path / "out").exists()
    assert call(str(tmp_path), "--context", "-1").exit_code == 2
