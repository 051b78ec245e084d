"""``smearlab upscale`` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from smearlab.cli.main import app
from smearlab.io.images import read_field
from tiny_upscaler import write_upscaler


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMEARLAB_MODELS", "models")
    write_upscaler(Path("models/blurred"))
    Path("in").mkdir()
    Image.fromarray(np.full((16, 20, 3), 120, np.uint8)).save("in/a.png")
    return tmp_path


def call(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["upscale", *words], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result


def test_a_folder_by_a_model_and_by_interpolation(here: Path) -> None:
    result = call("in", "--model", "blurred", "--out", "out")
    assert "1 pictures, 2 times as wide: out" in result.stdout
    assert read_field("out/pictures/a.png").pixels.shape == (32, 40, 3)
    write_upscaler(Path("runs/srgan-honest/bundle"))
    call("in", "--model", "runs/srgan-honest", "--out", "by_run")
    assert read_field("by_run/pictures/a.png").pixels.shape == (32, 40, 3)
    Path("runs/begun").mkdir()
    Path("runs/begun/config.json").write_text("{}")
    begun = call("in", "--model", "runs/begun", "--out", "o", exit_code=2)
    assert "runs/begun is a run that is not finished" in begun.stderr
    call("in", "--model", "bicubic", "--factor", "3", "--out", "larger", "--quiet")
    assert read_field("larger/pictures/a.png").pixels.shape == (48, 60, 3)


def test_bad_files_and_bad_calls_have_their_exit_status(here: Path) -> None:
    Path("in/b.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    result = call("in", "--model", "bicubic", "--out", "out", exit_code=1)
    assert f"1 of 2 files failed: {Path('out/errors.csv')}" in result.stdout
    refused = call("in", "--model", "blurred", "--factor", "4", "--out", "o2", exit_code=2)
    assert "makes pictures 2 times as wide, and 4 is asked for" in refused.stderr
    assert not Path("o2").exists()
    unknown = call("in", "--model", "blured", "--out", "o3", exit_code=2)
    assert "did you mean 'blurred'" in unknown.stderr
