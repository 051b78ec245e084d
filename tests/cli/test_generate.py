"""``smearlab generate``: folders, sheets, sets; refusals that write nothing; no torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from smearlab.cli.main import app
from smearlab.datasets.manifest.table import read_manifest
from smearlab.io.images import read_field
from tiny_generators import write_generator


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["generate", *map(str, arguments)])


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_generator(tmp_path / "colours")


def test_pictures_sheet_and_set(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = (bundle, "--type", "basophil=3", "--all", 1, "--seed", 2, "--out", out)
    more = ("--sheet", "--interpolate", "basophil:eosinophil", "--publish", tmp_path / "set")
    done = call(*asked, *more)
    assert done.exit_code == 0, done.output
    manifest = read_manifest(out / "manifest.parquet")
    kinds = ["basophil"] * 3 + ["eosinophil", "immature granulocyte"]
    assert manifest.column("type").tolist() == kinds
    for name in ("sheet.png", "interpolation.png"):
        assert read_field(out / name).height_px > 250
    assert (tmp_path / "set" / "README.md").is_file()
    lines = " ".join(done.output.split())
    for said in (
        f"5 pictures: {out}/manifest.parquet",
        "data set:",
        "does not say what it learned",
    ):
        assert said in lines
    again = call(*asked)
    assert again.exit_code == 0 and "5 pictures, 5 of them there before" in again.output
    refused = call(*asked, "--publish", tmp_path / "set")
    assert refused.exit_code == 2 and "set exists and is not empty" in refused.output


def test_several_models_make_their_types(bundle: Path, tmp_path: Path) -> None:
    other = write_generator(tmp_path / "other", ["monocyte"], name="other", data=["cells (mine)"])
    done = call(
        bundle, other, "--type", "monocyte=1", "--type", "basophil=1", "--out", tmp_path / "o"
    )
    assert done.exit_code == 0, done.output
    rows = read_manifest(tmp_path / "o" / "manifest.parquet")
    assert rows.column("source").tolist() == ["colours", "other"]
    assert call(bundle, bundle, "--all", 1, "--out", tmp_path / "p").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say how many pictures: --type TYPE=N, or --all N; there are the types basophil, eos"),
        (["--type", "basofil=3"], "unknown type 'basofil'; did you mean 'basophil'?"),
        (["--type", "basophil"], "--type takes TYPE=N, N from 1 on; received 'basophil'"),
        (["--all", "1", "--truncation", "0"], "truncation must be above 0"),
        (["--interpolate", "basophil"], "--interpolate takes A:B, as basophil=0:basophil=1"),
        (["--interpolate", "basophil:monocyte"], "unknown type 'monocyte'"),
        (["--interpolate", "basophil:basophil"], "both ends are picture 0 of basophil"),
        (["--interpolate", "basophil:eosinophil", "--publish", "P"], "no picture to publish"),
    ],
)
def test_what_is_wrong_writes_nothing(
    bundle: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    words = [str(tmp_path / "set") if word == "P" else word for word in arguments]
    done = call(bundle, *words, "--out", tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())
    assert {entry.name for entry in tmp_path.iterdir()} == {"colours"}


def test_a_run_without_a_bundle_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "summary.json").write_text("{}")
    done = call(tmp_path / "run", "--all", 1, "--out", tmp_path / "out")
    assert done.exit_code == 2 and "smearlab export" in done.output
    missing = call(tmp_path / "nothing", "--all", 1, "--out", tmp_path / "out")
    assert missing.exit_code == 1 and "no generator bundle" in missing.output


def test_it_needs_no_torch(bundle: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from smearlab.cli.main import app\n"
        "try: app()\n"
        "finally: print('torch' in sys.modules, 'smearlab.learn' in sys.modules)"
    )
    words = ["generate", str(bundle), "--all", "1", "--quiet", "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, env={**os.environ}
    )
    assert done.stdout.split() == ["False", "False"], done.stderr
    assert len(json.loads((tmp_path / "colours" / "card.json").read_text())["classes"]) == len(
        read_manifest(tmp_path / "out" / "manifest.parquet")
    )
