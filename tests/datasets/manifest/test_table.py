"""Manifests: what goes in comes back; what contradicts itself is refused with its row."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.datasets.manifest.schema import SCHEMA
from smearlab.datasets.manifest.table import (
    Manifest,
    checked,
    read_manifest,
    write_manifest,
)
from smearlab.errors import ManifestError

ROWS: list[dict[str, Any]] = [
    {
        "path": "a/1.jpg",
        "sha256": "00",
        "dataset": "pbc",
        "group": "g1",
        "label": "ig",
        "boxes": [{"label": "WBC", "x0": 1.5, "y0": 2, "x1": 30, "y1": 40}],
        "width_px": 360,
        "height_px": 363,
        "um_per_px": 0.5,
        "fold": 3,
    },
    {"path": 'a/2, "odd" näme.jpg', "dataset": "pbc", "group": "g2", "boxes": []},
    {"path": "b/3.png", "dataset": "bccd", "mask": "b/3_mask.png", "split": "test"},
]


def made(rows: list[dict[str, Any]] = ROWS, root: Path = Path()) -> Manifest:
    return Manifest.from_rows(rows, root, "made", seed=1)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_what_is_written_comes_back(tmp_path: Path, suffix: str) -> None:
    manifest = made(root=tmp_path / "data").noted("split", seed=3)
    path = write_manifest(tmp_path / "tables" / f"m{suffix}", manifest)
    again = read_manifest(path)
    assert again.table.equals(manifest.table)
    assert again.root == tmp_path / "data"
    assert again.provenance == manifest.provenance
    assert again.provenance[1] == {"operation": "split", "arguments": {"seed": 3}, "rows": 3}
    first = path.read_bytes()
    assert write_manifest(path, again).read_bytes() == first


texts = st.none() | st.text(
    st.characters(codec="utf-8", exclude_characters="\\\x00\r"), min_size=1, max_size=8
)


@given(
    labels=st.lists(st.tuples(texts, texts, st.none() | st.floats(0.0625, 9, width=32)), min_size=1)
)
def test_any_text_survives_both_formats(
    tmp_path_factory: pytest.TempPathFactory, labels: list[tuple[Any, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("m")
    rows = [
        {"path": f"{n}.png", "dataset": "x", "label": a, "patient": b, "um_per_px": c}
        for n, (a, b, c) in enumerate(labels)
    ]
    manifest = made(rows, folder)
    for suffix in (".parquet", ".csv"):
        again = read_manifest(write_manifest(folder / f"m{suffix}", manifest))
        assert again.table.to_pylist() == manifest.table.to_pylist()


def test_rows_can_be_chosen_and_columns_replaced() -> None:
    manifest = made()
    kept = manifest.take(manifest.column("dataset") == "pbc")
    assert kept.column("path").tolist() == [row["path"] for row in ROWS[:2]]
    assert manifest.take(np.array([2, 0])).column("path").tolist() == ["b/3.png", "a/1.jpg"]
    split = manifest.with_columns(split=["train", None, "val"])
    assert split.column("split").tolist() == ["train", None, "val"]
    assert manifest.column("split").tolist() == [None, None, "test"]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"path": "../x.png"}, "row 4 (../x.png) has a path that leads out"),
        ({"path": "a/../../x.png"}, "leads out of the data folder"),
        ({"path": "/etc/x.png"}, "leads out"),
        ({"path": "C:/x.png"}, "leads out"),
        ({"path": "a\\b.png"}, "leads out"),
        ({"path": "x.png", "mask": "../m.png"}, "row 4 (x.png) has a mask that leads out"),
        ({"path": "a/./1.jpg", "label": "eo"}, "row 4 (a/./1.jpg) has a path with '.'"),
        ({"path": "a//1.jpg"}, "write it plain"),
        ({"path": ""}, "write it plain"),
        (
            {"path": "x.png", "split": "tset"},
            "row 4 (x.png) has a split that is none of train, val",
        ),
        ({"path": None}, "row 4 (None) has no path"),
        ({"path": "x.png", "dataset": None}, "row 4 (x.png) has no dataset"),
        ({"path": "a/1.jpg", "label": "eo"}, "rows 1 and 4 both name a/1.jpg, once as 'ig' and"),
        ({"path": "b/3.png"}, "rows 3 and 4 both name b/3.png, twice"),
        ({"path": "x.png", "colour": "red"}, "row 4 has a column 'colour' that no manifest has"),
        ({"path": "x.png", "width_px": "wide"}, "row 4 does not fit the manifest"),
    ],
)
def test_bad_rows_are_named(row: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ManifestError, match=re.escape(complaint)):
        made([*ROWS, {"dataset": "pbc", **row}])


def test_dots_in_names_lead_nowhere() -> None:
    rows = [{"path": name, "dataset": "x"} for name in ("a..b.png", "..c/d.png", "e/f...png")]
    assert len(made(rows)) == 3


def test_a_missing_or_unknown_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="the table has no column 'dataset'"):
        checked(pa.table({"path": ["a"]}), "the table")
    with pytest.raises(ManifestError, match="has a column 'colour' that is none of path, sha256"):
        checked(pa.table({"path": ["a"], "dataset": ["x"], "colour": ["b"]}), "the table")
    pq.write_table(
        pa.table({"path": ["a"], "dataset": ["x"], "width_px": ["w"]}), tmp_path / "m.parquet"
    )
    with pytest.raises(ManifestError, match=r"m\.parquet: column 'width_px', row 1: "):
        read_manifest(tmp_path / "m.parquet")


@pytest.mark.parametrize("column", ["path", "boxes", "label"])
def test_a_column_that_comes_twice_is_named(tmp_path: Path, column: str) -> None:
    file = tmp_path / "m.csv"
    file.write_text(f"path,dataset,boxes,label,{column}\na.png,x,,,\n")
    with pytest.raises(ManifestError, match=f"has the column '{column}' twice; keep one"):
        read_manifest(file)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("provenance", b"{oops"),
        ("provenance", b"5"),
        ("provenance", b'["import"]'),
        ("provenance", b'[{"rows": 3}]'),
        ("provenance", b"\xff\xfe"),
        ("root", b"\xff\xfe"),
    ],
)
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_notes_that_cannot_be_read_are_an_error(
    tmp_path: Path, key: str, value: bytes, suffix: str
) -> None:
    file = tmp_path / f"m{suffix}"
    if suffix == ".csv":
        file.write_bytes(b"# smearlab." + key.encode() + b" " + value + b"\npath,dataset\na,x\n")
    else:
        table = pa.table({"path": ["a"], "dataset": ["x"]})
        pq.write_table(table.replace_schema_metadata({f"smearlab.{key}": value}), file)
    with pytest.raises(ManifestError, match=rf"m\{suffix}: its (notes of|provenance)"):
        read_manifest(file)


@pytest.mark.parametrize("name", ["m.parquet", "m.csv"])
def test_a_damaged_file_is_an_error(tmp_path: Path, name: str) -> None:
    whole = write_manifest(tmp_path / name, made()).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2] + b"\xff\xfe")
    with pytest.raises(ManifestError, match=re.escape(name)):
        read_manifest(tmp_path / name)
    with pytest.raises(ManifestError, match="does not exist; make it"):
        read_manifest(tmp_path / "none.parquet")
    with pytest.raises(ManifestError, match=r"ends in \.parquet or \.csv, not '\.xlsx'"):
        write_manifest(tmp_path / "m.xlsx", made())
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


def test_the_schema_has_no_column_twice() -> None:
    assert len(set(SCHEMA.names)) == len(SCHEMA.names)


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("width_px", "wide", "row 2 cannot be read: In CSV column #1: CSV conversion error"),
        ("boxes", '"[[""RBC"", 1, 2]]"', "row 2 has boxes that cannot be read; each is [label, x0"),
        ("boxes", '"{"', "row 2 has boxes that cannot be read"),
        ("boxes", "3", "row 2 has boxes that cannot be read"),
    ],
)
def test_a_bad_value_in_a_csv_names_its_row(
    tmp_path: Path, column: str, value: str, complaint: str
) -> None:
    file = tmp_path / "m.csv"
    note = '# smearlab.provenance [{"operation": "import"}]'
    file.write_text(f'{note}\npath,{column},dataset\n"a.png",,x\n"b.png",{value},x\n')
    with pytest.raises(ManifestError, match=re.escape(complaint)):
        read_manifest(file)
