"""``smearlab export`` of a generator's run, and what ``smearlab generate`` makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed: the train extra is missing")
from generator_run_folders import write_generator_run
from smearlab.cli.main import app


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_a_run_becomes_a_bundle_that_makes_pictures(tmp_path: Path) -> None:
    run = write_generator_run(tmp_path / "run")
    asked = ("generate", run, "--all", 1, "--out", tmp_path / "made")
    done = call(*asked)
    assert done.exit_code == 2 and f"smearlab export {run}" in " ".join(done.output.split())
    done = call("export", run)
    assert done.exit_code == 0, done.output
    for said in (
        "DCGANGenerator",
        "basophil, eosinophil, monocyte",
        "of 255 at most, on 6 pictures",
    ):
        assert said in " ".join(done.output.split())
    assert call(*asked).exit_code == 0
    assert len([*(tmp_path / "made").rglob("*.png")]) == 3
    assert "holds a bundle already" in call("export", run).output


def test_what_is_for_classifiers_is_refused(tmp_path: Path) -> None:
    run = write_generator_run(tmp_path / "run")
    done = call("export", run, "--quantize", "int8")
    assert done.exit_code == 2
    assert "are for classifiers" in " ".join(done.output.split())
    assert "is a generator; leave them out" in " ".join(done.output.split())
    assert not (run / "bundle-int8").exists()
