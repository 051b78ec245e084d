"""``smearlab simulate`` as a user calls it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from smearlab.cli import simulate

SMALL = ["--size", "320x240", "--rbc-diameter-px", "40"]


def call(*arguments: str) -> Result:
    app = typer.Typer()
    simulate.register(app)
    return CliRunner().invoke(app, list(arguments))


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_writes_what_it_says(tmp_path: Path) -> None:
    out = tmp_path / "fields"
    result = call("--out", str(out), "--n", "2", "--seed", "7", "--rbc", "9", "--wbc", "2",
                  "--plt", "1", "--types", "monocyte, basophil", *SMALL)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "2 simulated fields" in result.output
    assert "18 RBC, 4 WBC, 2 PLT" in result.output
    assert "2 basophil, 2 monocyte" in result.output
    truth = json.loads((out / "truth.json").read_text())
    assert [entry["name"] for entry in truth["fields"]] == ["simulated-0007", "simulated-0008"]
    assert len(list((out / "images").iterdir())) == 2


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert (
            call("--out", str(tmp_path / name), "--n", "2", "--look", "random", *SMALL).exit_code
            == 0
        )
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--look", "purple"], "unknown look 'purple'"),
        (["--types", "neutrofil"], "did you mean 'neutrophil'"),
        (["--size", "640"], "--size must be WIDTHxHEIGHT, e.g. 640x480; received '640'"),
        (["--rbc", "900", "--inside"], "ask for fewer cells"),
        (["--touching", "1.5"], "touching must lie within 0–1; received 1.5"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = call("--out", str(tmp_path / "out"), *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "out" / "truth.json").exists()


def test_a_full_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    result = call("--out", str(tmp_path))
    assert result.exit_code == 2
    assert "name a new folder" in result.output
