"""A run by torch makes the pictures of its bundle, on whatever device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from generator_run_folders import write_generator_run
from smearlab.cli.main import app
from smearlab.errors import UsageError
from smearlab.learn.export_generators import export_generator
from smearlab.learn.generator_on_device import device_generator
from smearlab.learn.generator_run import load_generator_run
from smearlab.synthesis.generator import Generator


def test_it_makes_the_pictures_of_the_bundle(tmp_path: Path) -> None:
    run = load_generator_run(write_generator_run(tmp_path / "run"))
    bundle = Generator.load(export_generator(run, tmp_path / "bundle"))
    model = device_generator(run, "cpu")
    assert (model.name, model.types, model.size_px) == (bundle.name, bundle.types, bundle.size_px)
    assert model.sha256 != bundle.sha256  # folders of both do not mix
    found, wanted = (
        np.stack(list(one.generate("monocyte", 3, 1))).astype(int) for one in (model, bundle)
    )
    assert np.abs(found - wanted).max() <= 1 and wanted.std() > 5
    words = ["generate", str(tmp_path / "run"), "--device", "cpu", "--all", "1"]
    done = CliRunner().invoke(app, [*words, "--quiet", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert len([*(tmp_path / "out").rglob("*.png")]) == 3


@pytest.mark.parametrize("device", ["nothing", "cuda:77"])
def test_a_device_that_is_not_there_is_said(tmp_path: Path, device: str) -> None:
    run = load_generator_run(write_generator_run(tmp_path / "run"))
    with pytest.raises(UsageError, match=rf"torch cannot use --device {device} \(.*; leave it out"):
        device_generator(run, device)
