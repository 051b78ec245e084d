"""``smearlab data duplicates`` as a user calls it."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import cv2
import pytest
import typer
from typer.testing import CliRunner, Result

from altered_pictures import LOOK_ALIKE, altered
from smearlab.cli.data import duplicates
from smearlab.datasets.duplicates.finder import MIN_OVERLAP, THRESHOLD
from smearlab.datasets.manifest.table import Manifest, read_manifest, write_manifest
from smearlab.datasets.simulator import simulate_field


def call(*arguments: object) -> Result:
    app = typer.Typer()
    duplicates.register(app)
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two fields and a copy of the first."""
    (tmp_path / "data").mkdir()
    one, other = (simulate_field(seed, LOOK_ALIKE).field.pixels for seed in (1, 2))
    for name, pixels in (("a", one), ("b", other), ("c", altered(one, seed=4))):
        cv2.imwrite(str(tmp_path / "data" / f"{name}.png"), pixels[..., ::-1])
    rows = [{"path": f"{name}.png", "dataset": "made"} for name in "abc"]
    return write_manifest(
        tmp_path / "all.parquet", Manifest.from_rows(rows, tmp_path / "data", "made")
    )


def test_it_writes_table_page_and_json(table: Path, tmp_path: Path) -> None:
    out, page, found = (tmp_path / name for name in ("new.csv", "page.html", "found.json"))
    result = call(table, "--out", out, "--report", page, "--json", found)
    assert result.exit_code == 0, result.output
    assert "3 pictures, 2 of them in groups that show the same cells (1)" in result.output
    group = read_manifest(out).column("group").tolist()
    assert group == ["same as a.png", None, "same as a.png"]
    told = json.loads(found.read_text())
    assert told["groups"] == [["a.png", "c.png"]]
    assert told["pairs"][0]["kind"] == "near"
    assert "data:image/jpeg" in page.read_text()


def test_a_bad_file_is_named_and_ends_in_1(table: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "b.png").write_bytes(b"GIF89a")
    result = call(table, "--out", tmp_path / "new.parquet")
    assert result.exit_code == 1, result.output
    assert "not read" in result.stderr
    assert "b.png" in result.stderr
    assert read_manifest(tmp_path / "new.parquet").column("group")[0] == "same as a.png"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "new.txt"], "must end in .parquet or .csv"),
        (["--out", "new.csv", "--report", "nowhere/page.html"], "is not there; make it first"),
        (["--out", "new.csv", "--json", "."], "is a folder"),
        (["--out", "new.csv", "--threshold", "3"], "threshold must lie between 0 and 1"),
        (["--out", "all.parquet"], "is read as well"),
    ],
)
def test_wrong_calls_change_nothing(
    table: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(table.parent)
    before = sorted(path.name for path in table.parent.iterdir())
    result = call(table.name, *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert sorted(path.name for path in table.parent.iterdir()) == before


def test_the_defaults_are_those_of_the_finder() -> None:
    given = inspect.signature(duplicates.duplicates).parameters
    assert given["threshold"].default == THRESHOLD
    assert given["min_overlap"].default == MIN_OVERLAP
