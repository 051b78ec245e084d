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


def test_single_cells_come_in_a_folder_a_type(tmp_path: Path) -> None:
    out = tmp_path / "cells"
    result = call("--out", str(out), "--cells", "--n", "2", "--size", "160x150",
                  "--rbc-diameter-px", "40", "--types", "erythroblast,platelet")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "4 simulated cells" in result.output
    assert "2 erythroblast, 2 platelet" in result.output
    for folder in ("images", "masks"):
        names = sorted(
            str(path.relative_to(out / folder)) for path in (out / folder).rglob("*.png")
        )
        assert names == [
            "erythroblast/simulated-0001.png",
            "erythroblast/simulated-0003.png",
            "platelet/simulated-0002.png",
            "platelet/simulated-0004.png",
        ]


def test_settings_reach_the_pictures(tmp_path: Path) -> None:
    given = {"coverage": "0.5", "overlap": "0.1", "dye": "0.8", "blur-px": "1.5",
             "uneven-focus-px": "2", "noise": "5", "illumination": "0.2"}  # fmt: skip
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    assert call("--out", str(tmp_path / "out"), "--n", "1", *options, *SMALL).exit_code == 0
    settings = json.loads((tmp_path / "out" / "truth.json").read_text())["settings"]
    for name, value in given.items():
        assert settings[name.replace("-", "_")] == float(value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--look", "purple"], "unknown look 'purple'"),
        (["--types", "neutrofil"], "did you mean 'neutrophil'"),
        (["--size", "640"], "--size must be WIDTHxHEIGHT, e.g. 640x480; received '640'"),
        (["--rbc", "900", "--inside"], "ask for fewer cells"),
        (["--cells", "--types", "monocites"], "did you mean 'monocyte'"),
        (["--cells", "--size", "90x90"], "found no place for another"),
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
