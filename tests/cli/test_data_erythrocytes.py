"""``smearlab data erythrocytes`` as a user calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")

from smearlab.cli.data import erythrocytes
from smearlab.datasets.manifest.table import Manifest, read_manifest, write_manifest
from smearlab.datasets.simulator import SmearConfig, simulate_field

CONFIG = SmearConfig(
    height_px=260, width_px=280, rbc_diameter_px=46, n_rbc=9, n_wbc=0, n_plt=0, touching=0, oval=0
)


def call(*arguments: str) -> Result:
    app = typer.Typer()
    erythrocytes.register(app)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    root = tmp_path / "archive"
    root.mkdir()
    rows = []
    for seed in (1, 2):
        name = f"LY_{seed}.png"
        Image.fromarray(simulate_field(seed, CONFIG).field.pixels).save(root / name)
        rows.append({"path": name, "dataset": "pbc", "group": name})
    return write_manifest(tmp_path / "pbc.parquet", Manifest.from_rows(rows, root, "import"))


def test_as_many_as_asked_for_is_0_and_fewer_is_1(tmp_path: Path, table: Path) -> None:
    out = tmp_path / "out"
    result = call(str(table), "--out", str(out), "--n", "2", "--seed", "3")
    assert result.exit_code == 0, result.output
    assert "2 red cells of" in result.output
    assert len(read_manifest(out / "manifest.parquet")) == 2
    result = call(str(table), "--out", str(out), "--n", "1000", "--seed", "3")
    assert result.exit_code == 1
    assert "1000 were asked for; these pictures have no more" in result.output


def test_a_picture_that_cannot_be_read_is_listed(tmp_path: Path, table: Path) -> None:
    (tmp_path / "archive" / "LY_1.png").write_bytes(b"broken")
    result = call(str(table), "--out", str(tmp_path / "out"), "--n", "1000")
    assert result.exit_code == 1
    assert "LY_1.png" in result.output
    assert {row["group"] for row in read_manifest(
        tmp_path / "out" / "manifest.parquet").table.to_pylist()} == {"LY_2.png"}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "bcp"], "no real picture of the dataset 'bcp'"),
        (["--context", "9"], "context must lie within 1–4; received 9"),
        (["--segmenter", "nobody"], "nobody"),
    ],
)
def test_wrong_usage_is_2(tmp_path: Path, table: Path, arguments: list[str], message: str) -> None:
    result = call(str(table), "--out", str(tmp_path / "out"), *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "out").exists()


def test_a_missing_manifest_is_2(tmp_path: Path) -> None:
    result = call(str(tmp_path / "none.parquet"), "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert "does not exist" in result.output
