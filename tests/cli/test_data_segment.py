"""``smearlab data segment`` as a user calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")

from disc_archives import import_discs, write_all_idb2
from smearlab.cli.data import segment
from smearlab.datasets.manifest.table import read_manifest, write_manifest
from tiny_bundles import draw_discs, write_elements


def call(*arguments: str) -> Result:
    app = typer.Typer()
    segment.register(app)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_elements(tmp_path / "models" / "gan", "RBC", "WBC")
    monkeypatch.setenv("SMEARLAB_MODELS", str(tmp_path / "models"))
    manifest = import_discs("all_idb2", write_all_idb2(tmp_path / "ALL_IDB2", 2, 1))
    return write_manifest(tmp_path / "all_idb2.parquet", manifest)


def test_all_well_is_0(tmp_path: Path, table: Path) -> None:
    out = tmp_path / "out"
    words = (str(table), "--out", str(out), "--model", "gan", "--element", "wbc", "--central")
    result = call(*words)
    assert result.exit_code == 0, result.output
    assert "3 segmented pictures" in result.output
    assert (
        len(read_manifest(out / "manifest.parquet")) == len(list((out / "images").iterdir())) == 3
    )
    result = call(*words, "--threads", "1")  # nothing is left to do
    assert result.exit_code == 0, result.output


def test_what_is_missing_is_listed(tmp_path: Path, table: Path) -> None:
    pictures = tmp_path / "ALL_IDB2" / "img"
    Image.fromarray(draw_discs([(40, 40, "RBC")], (96, 96))).save(pictures / "Im001_1.tif")
    words = (str(table), "--model", "gan", "--out")
    result = call(*words, str(tmp_path / "out"))
    assert result.exit_code == 0, result.output  # that there is none is an answer
    assert "1 show no such cell and were left out" in result.output
    assert "not found: img/Im001_1.tif" in result.output
    result = call(*words, str(tmp_path / "kept"), "--keep-whole")
    assert "1 show no such cell and were kept whole" in result.output
    assert len(read_manifest(tmp_path / "kept" / "manifest.parquet")) == 3
    (pictures / "Im002_1.tif").write_bytes(b"broken")
    result = call(*words, str(tmp_path / "broken"))
    assert result.exit_code == 1
    assert "Im002_1.tif" in result.output
    assert len(read_manifest(tmp_path / "broken" / "manifest.parquet")) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--element", "wcb"], "did you mean 'wbc'"),
        (["--element", "plt"], "has no network for PLT"),
        (["--model", "gam"], "did you mean 'gan'"),
    ],
)
def test_wrong_usage_is_2(tmp_path: Path, table: Path, arguments: list[str], message: str) -> None:
    given = [str(table), "--out", str(tmp_path / "out"), "--model", "gan", *arguments]
    result = call(*given)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


def test_a_missing_manifest_is_2(tmp_path: Path) -> None:
    result = call(str(tmp_path / "none.parquet"), "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert "does not exist" in result.output
