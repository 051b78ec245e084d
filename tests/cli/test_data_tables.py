"""``smearlab data`` on manifests, as a user calls it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from manifest_rows import manifest_of
from smearlab.cli.data import tables
from smearlab.datasets.manifest.table import read_manifest, write_manifest


def call(*arguments: str | Path) -> Result:
    app = typer.Typer()
    tables.register(app)
    return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "120"})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """40 neutrophils and 20 platelets, each with a group of two."""
    rows = [
        {"label": "SNE" if n < 40 else "PLATELET", "group": f"g{n // 2}", "path": f"in/{n}.png"}
        for n in range(60)
    ]
    return write_manifest(tmp_path / "all.parquet", manifest_of(rows, tmp_path))


def test_a_sample_is_counted_and_written(table: Path, tmp_path: Path) -> None:
    fewer = tmp_path / "fewer.parquet"
    done = call("sample", table, "--by", "label", "--at-most", "25", "--out", fewer)
    assert done.exit_code == 0, done.output
    assert "left out: 15 rows" in done.output
    assert len(read_manifest(fewer)) == 45
    again = call("sample", table, "--by", "label", "--at-most", "25", "--out", fewer)
    assert again.exit_code == 2 and "--force" in again.output


def test_from_labels_to_a_plan(table: Path, tmp_path: Path) -> None:
    typed, split, plan = tmp_path / "t.parquet", tmp_path / "s.csv", tmp_path / "plan.json"
    done = call("taxonomy", table, "--to", "cells9", "--out", typed)
    assert done.exit_code == 0, done.output
    assert "neutrophil" in done.output
    done = call("split", typed, "--shares", "70/10/20", "--seed", "1", "--out", split)
    assert done.exit_code == 0, done.output
    assert "off the ideal share by at most 0 rows" in done.output
    done = call("leaks", split)
    assert done.exit_code == 0, done.output
    assert "clean: no ties across split in 60 rows" in done.output
    assert "nobody has looked for near-duplicates" in done.output
    done = call("balance", split, "--out", plan)
    assert done.exit_code == 0, done.output
    types = json.loads(plan.read_text())["types"]
    assert [(t["type"], t["real"], t["to_make"], t["generator"]) for t in types] == [
        ("neutrophil", 28, 0, "none"),
        ("platelet", 14, 14, "few_shot_gan"),
    ]
    done = call("show", split, "--provenance")
    assert done.exit_code == 0, done.output
    assert next(line.split() for line in done.output.splitlines() if "platelet" in line) == [
        *("set", "platelet", "14", "2", "4", "20")
    ]
    operations = [line["operation"] for line in read_manifest(split).provenance]
    assert operations == ["made", "taxonomy", "split"]
    assert all(f"\n{name} " in done.output for name in operations)


def test_leaks_are_named_with_status_1(table: Path, tmp_path: Path) -> None:
    manifest = read_manifest(table)
    parts = ["train", "train", "train", "test"] * 15
    leaking = write_manifest(tmp_path / "l.csv", manifest.with_columns(split=parts))
    done = call("leaks", leaking)
    assert done.exit_code == 1
    assert "split: 15 × the same group on several sides" in done.output
    for part in ("g1", "test, train", "in/2.png", "in/3.png"):
        assert part in done.output


def test_ungrouped_copies_are_leaks(tmp_path: Path) -> None:
    rows = [{"dataset": "bccd4", "split": part} for part in ("train", "test")]
    manifest = manifest_of(rows, tmp_path)
    done = call("leaks", write_manifest(tmp_path / "raw.csv", manifest))
    assert done.exit_code == 1
    assert "ungrouped" in done.output and "smearlab data duplicates" in done.output
    done = call("leaks", write_manifest(tmp_path / "sought.csv", manifest.noted("duplicates")))
    assert done.exit_code == 0
    assert "nobody has looked" not in done.output


def test_near_duplicates_are_leaks(tmp_path: Path, data_part: Callable[[str], Path]) -> None:
    first, second = sorted(data_part("fields/bccd/images").iterdir())[:2]
    Image.open(first).rotate(90, expand=True).save(tmp_path / "turned.png")
    for name, path in (("first.jpg", first), ("second.jpg", second)):
        (tmp_path / name).write_bytes(path.read_bytes())
    rows = [
        {"path": "first.jpg", "split": "train"},
        {"path": "turned.png", "split": "test"},
        {"path": "second.jpg", "split": "test"},
    ]
    table = write_manifest(tmp_path / "m.csv", manifest_of(rows, tmp_path))
    assert call("leaks", table).exit_code == 0
    done = call("leaks", table, "--near")
    assert done.exit_code == 1, done.output
    assert "split: 1 × near-duplicate on several sides" in done.output


def test_quality_lists_and_deletes_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        Image.fromarray(rng.integers(90, 220, (30, 30, 3), np.uint8)).save(tmp_path / name)
    Image.new("RGB", (30, 30), "white").save(tmp_path / "c.png")
    rows = [{"path": name} for name in ("a.png", "b.png", "c.png", "d.png")]
    table = write_manifest(tmp_path / "all.csv", manifest_of(rows, tmp_path))
    out = tmp_path / "good" / "good.csv"
    done = call("quality", table, "--out", out, "--threads", "2")
    assert done.exit_code == 0, done.output
    assert "left out: 2 rows (1 missing, 1 blank)" in done.output
    assert read_manifest(out).column("path").tolist() == ["a.png", "b.png"]
    assert read_manifest(out).root == tmp_path
    with out.with_name("good.csv.flaws.csv").open() as file:
        assert [(line["row"], line["reason"]) for line in csv.DictReader(file)] == [
            ("3", "blank"),
            ("4", "missing"),
        ]
    assert (tmp_path / "c.png").is_file()


def test_manifests_are_merged(table: Path, tmp_path: Path) -> None:
    other = write_manifest(tmp_path / "other.csv", manifest_of([{}], tmp_path / "more"))
    out = tmp_path / "merged.parquet"
    done = call("merge", table, other, "--out", out)
    assert done.exit_code == 0, done.output
    assert f"61 rows: {out}" in done.output.replace("\n", "")
    assert read_manifest(out).column("path")[-1] == "more/0.png"


def test_folds_are_made_and_shown(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.parquet"
    done = call("split", table, "--folds", "5", "--by", "label", "--out", out)
    assert done.exit_code == 0, done.output
    done = call("show", out, "--rows", "label", "--across", "fold")
    assert [line.split() for line in done.output.splitlines() if "SNE" in line] == [
        ["SNE", *["8"] * 5, "40"]
    ]


def test_a_split_without_types_says_so(table: Path, tmp_path: Path) -> None:
    note = "note: no row has a type, so no type keeps its share; smearlab data taxonomy gives"
    done = call("split", table, "--shares", "70/30", "--out", tmp_path / "a.csv")
    assert done.exit_code == 0
    assert note in " ".join(done.output.split())
    done = call("split", table, "--shares", "70/30", "--by", "label", "--out", tmp_path / "b.csv")
    assert "no row has a" not in done.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["taxonomy", "--to", "wbc5"], "'PLATELET' (left out on purpose; 20 rows, first row 41"),
        (["taxonomy", "--to", "wbc6"], "did you mean 'wbc5'"),
        (["split"], "name either --shares"),
        (["split", "--shares", "70/30", "--folds", "5"], "name either --shares"),
        (["split", "--shares", "70/20"], "must sum to 1"),
        (["split", "--folds", "50"], "50 folds need as many groups"),
        (["split", "--shares", "70/30", "--by", "colour"], "received 'colour'"),
        (["quality", "--skip", "ugly"], "received 'ugly'"),
        (["balance"], "no types; give them with smearlab data taxonomy"),
    ],
)
def test_what_fails_writes_nothing(
    table: Path, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    out = tmp_path / ("out.json" if arguments[0] == "balance" else "out.parquet")
    done = call(arguments[0], table, *arguments[1:], "--out", out)
    assert done.exit_code == 2, done.output
    assert complaint in " ".join(done.output.split())
    assert [path.name for path in tmp_path.iterdir()] == [table.name]


def test_outputs_are_not_replaced_unless_forced(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("mine")
    asked = ("split", table, "--shares", "70/30", "--out", out)
    done = call(*asked)
    assert done.exit_code == 2
    assert "exists; name another file, or replace it with --force" in " ".join(done.output.split())
    assert out.read_text() == "mine"
    assert call(*asked, "--force").exit_code == 0
    assert len(read_manifest(out)) == 60
    assert call("split", table, "--shares", "70/30", "--out", table, "--force").exit_code == 2
    assert call("split", table, "--shares", "70/30", "--out", tmp_path / "x.txt").exit_code == 2
    assert len(read_manifest(table)) == 60


def test_rows_that_contradict_are_named(table: Path, tmp_path: Path) -> None:
    rows = [{"path": "in/3.png", "label": "EO"}]
    other = write_manifest(tmp_path / "other.csv", manifest_of(rows, tmp_path))
    done = call("merge", table, other, "--out", tmp_path / "m.csv")
    assert done.exit_code == 2
    assert "all.parquet row 4 and" in " ".join(done.output.split()).replace("- ", "-")
    assert not (tmp_path / "m.csv").exists()
