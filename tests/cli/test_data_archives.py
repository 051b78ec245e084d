"""``smearlab data list | info | fetch | import | check`` as a user calls them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from range_server import Served, serving
from smearlab.cli.data import archives
from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.manifest.table import read_manifest
from tiny_archives import picture, text, write_archive


def call(*arguments: str | Path) -> Result:
    app = typer.Typer()
    archives.register(app)
    return CliRunner(env={"COLUMNS": "200", "no_proxy": "*"}).invoke(
        app, [str(a) for a in arguments]
    )


def test_list_names_every_set() -> None:
    result = call("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:] if line[0] != " "] == list(ADAPTERS)
    assert next(line for line in lines if line.startswith("pbc ")).split()[1] == "17,092"


def test_info_tells_counts_licence_and_traps() -> None:
    result = call("info", "raabin")
    assert result.exit_code == 0
    assert "published part: Train 10,175, TestA 4,339, TestB 2,119" in result.stdout
    assert "doi:10.1038/s41598-021-04426-x" in result.stdout
    assert "licence: free access" in result.stdout
    assert "trap: TestB is of another microscope" in result.stdout


@pytest.mark.parametrize("command", ["info", "import", "check", "fetch"])
def test_an_unknown_set_is_told_with_a_guess(command: str, tmp_path: Path) -> None:
    more = {"import": [tmp_path, "--out", tmp_path / "m.csv"], "check": [tmp_path],
            "fetch": ["--out", tmp_path / "new"]}.get(command, [])  # fmt: skip
    result = call(command, "rabin", *more)
    assert result.exit_code == 2
    assert "unknown data set 'rabin'; did you mean 'raabin'?" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_import_writes_a_manifest_that_finds_the_files(suffix: str, tmp_path: Path) -> None:
    root = write_archive("bccd", tmp_path / "archive")
    out = tmp_path / f"m{suffix}"
    result = call("import", "bccd", root, "--out", out, "--jobs", "2")
    assert result.exit_code == 0, result.output
    assert f"{out}: 3 pictures" in result.stdout
    manifest = read_manifest(out)
    assert len(manifest) == 3
    for row in manifest.table.to_pylist():
        data = manifest.file(row["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        assert [box["label"] for box in row["boxes"]] == ["RBC", "Platelets"]
        assert (row["dataset"], row["synthetic"], row["split"]) == ("bccd", False, None)
    (line,) = manifest.provenance
    assert line["operation"] == "import"
    assert line["arguments"]["dataset"] == "bccd"


def test_a_wrong_mask_is_named_and_nothing_written_unless_masks_may_go(tmp_path: Path) -> None:
    root, out = write_archive("bccd", tmp_path / "archive"), tmp_path / "m.csv"
    assert call("import", "bccd", root, "--out", out).exit_code == 0
    masks = {row["path"]: row["mask"] for row in read_manifest(out).table.to_pylist()}
    picture(root / "wbc_masks/BloodImage_Mask_00001.png", (8, 8))
    before = out.read_bytes()
    result = call("import", "bccd", root, "--out", out, "--force")
    assert result.exit_code == 2
    assert "wrong mask: 1 files" in result.stderr
    assert "BloodImage_00001.jpg: its mask" in result.stderr
    assert "give --drop-masks" in result.stderr
    assert out.read_bytes() == before
    result = call("import", "bccd", root, "--out", out, "--force", "--drop-masks")
    assert result.exit_code == 1
    (wrong,) = [path for path in masks if path.endswith("BloodImage_00001.jpg")]
    assert masks[wrong] is not None
    now = {row["path"]: row["mask"] for row in read_manifest(out).table.to_pylist()}
    assert now == masks | {wrong: None}


def test_import_overwrites_only_when_told(tmp_path: Path) -> None:
    root = write_archive("raabin", tmp_path / "archive")
    out = text(tmp_path / "m.csv", "precious")
    result = call("import", "raabin", root, "--out", out)
    assert result.exit_code == 2
    assert "exists; give --force" in result.stderr
    assert out.read_text() == "precious"
    assert call("import", "raabin", root, "--out", out, "--force").exit_code == 0
    assert len(read_manifest(out)) == 4


def test_import_lists_what_it_leaves_out(tmp_path: Path) -> None:
    root = write_archive("raabin", tmp_path / "archive")
    text(root / "Train/Basophil/95-5-1-1_14_1.jpg", "no picture")
    picture(root / "Train/Basophil/95-5-1-1_15_1.png", kind="JPEG")
    picture(root / "Train/Basophil/odd name.jpg")
    result = call("import", "raabin", root, "--out", tmp_path / "m.parquet")
    assert result.exit_code == 1
    assert "left out: 1 files\n  Train/Basophil/95-5-1-1_14_1.jpg: it is no pic" in result.stderr
    assert "wrong suffix: 1 files\n  Train/Basophil/95-5-1-1_15_1.png: JPEG" in result.stderr
    assert "no rule understands: 1 files\n  Train/Basophil/odd name.jpg" in result.stderr
    assert len(read_manifest(tmp_path / "m.parquet")) == 5


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["import", "pbc", "{}", "--out", "{}/m.parquet"], "does not hold pbc. Expected: a folder"),
        (["import", "raabin", "{}", "--out", "{}/m.xlsx"], "ends in .parquet or .csv"),
        (["import", "raabin", "{}/none", "--out", "{}/m.csv"], "none does not exist; name"),
        (["import", "raabin", "{}", "--out", "{}/m.csv", "--name", "x"], "--name is for 'folder'"),
        (["check", "lisc", "{}"], "does not hold lisc"),
    ],
)
def test_wrong_calls_write_nothing(arguments: list[str], complaint: str, tmp_path: Path) -> None:
    write_archive("raabin", tmp_path)
    before = sorted(tmp_path.rglob("*"))
    result = call(*(one.format(tmp_path) for one in arguments))
    assert result.exit_code == 2, result.output
    assert complaint in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", ["import", "check"])
def test_a_half_finished_download_is_told(command: str, tmp_path: Path) -> None:
    text(tmp_path / "set" / "pbc.zip.part", "PK")
    more = ["--out", tmp_path / "m.csv"] if command == "import" else []
    result = call(command, "pbc", tmp_path / "set", *more)
    assert result.exit_code == 2
    assert "pbc.zip.part is a half-finished download: run smearlab data fetch" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_own_folders_get_a_name(tmp_path: Path) -> None:
    root = write_archive("folder", tmp_path / "mine")
    out = tmp_path / "m.csv"
    assert call("import", "folder", root, "--out", out, "--name", "ward 3").exit_code == 0
    assert set(read_manifest(out).column("dataset")) == {"ward 3"}


def test_check_says_what_differs(tmp_path: Path) -> None:
    result = call("check", "raabin", write_archive("raabin", tmp_path))
    assert result.exit_code == 1
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["pictures", "all", "16,633", "4", "-16,629"] in rows
    assert ["type", "Basophil", "301", "2", "-299"] in rows
    assert "9 figures differ from the published ones" in result.stderr


def test_check_of_own_folders_is_content(tmp_path: Path) -> None:
    root = write_archive("folder", tmp_path)
    result = call("check", "folder", root)
    assert result.exit_code == 0, result.output
    assert "nothing is published to compare with" in result.stdout
    file = root / "blast/3.png"
    file.write_bytes(file.read_bytes()[:-30] + bytes(18) + file.read_bytes()[-12:])
    assert call("check", "folder", root).exit_code == 0, "the header is whole"
    decoded = call("check", "folder", root, "--decode")
    assert decoded.exit_code == 1
    assert "blast/3.png" in decoded.stderr


def test_fetch_prints_the_terms_first_and_unpacks(tmp_path: Path) -> None:
    root = write_archive("bccd", tmp_path / "made")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for one in root.rglob("*"):
            archive.write(one, one.relative_to(root))
    served = Served(file.getvalue(), break_after=500)
    digest = hashlib.sha256(served.data).hexdigest()
    out = tmp_path / "out"
    with serving(served) as address:
        arguments = ["fetch", "bccd", "--out", out, "--from", f"{address}/b.zip"]
        broken = call(*arguments)
        assert broken.exit_code == 2
        assert "the download stopped after 500 of" in broken.stderr or "broke off" in broken.stderr
        served.break_after = None
        wrong = call(*arguments, "--sha256", "0" * 64)
        assert wrong.exit_code == 2
        assert "checksum is wrong" in wrong.stderr
        assert list(out.iterdir()) == []
        result = call(*arguments, "--sha256", digest)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "licence: MIT; may serve: anything"
    assert lines[1].startswith("cite: ")
    assert f"sha256 {digest} (as expected)" in result.stdout
    assert f"next: smearlab data check bccd {out}" in result.stdout
    assert call("check", "bccd", out).exit_code == 1
    again = call(*arguments)
    assert again.exit_code == 2
    assert "fetched before" in again.stderr


def test_fetch_of_a_set_on_request_says_whom_to_ask(tmp_path: Path) -> None:
    result = call("fetch", "all_idb1", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "all_idb1 cannot be fetched: on request" in result.stderr
    assert "fabio.scotti@unimi.it" in result.stderr
    assert not (tmp_path / "out").exists()
