"""The written tables, read back with the standard library."""

from __future__ import annotations

import csv
import json
import math
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drawn_cells import make_cell, make_cells, make_record
from smearlab import __version__
from smearlab.count.summary import summarise
from smearlab.report.records import BundleNote, FieldRecord, FileError, ReportMeta
from smearlab.report.tables import (
    CELLS_COLUMNS,
    ERRORS_COLUMNS,
    cell_row,
    plain_text,
    spreadsheet_text,
    write_cells_csv,
    write_counts_json,
    write_errors_csv,
)
from smearlab.types import CELL_TYPES, UNIDENTIFIED

#: What a file name can be in a table; CSV has no NUL, and lone surrogates are no text.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
formulae = st.builds(str.__add__, st.sampled_from(list("=+-@\t\r\n'＝＋－＠")), texts)

once_a_test = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def strict_json(path: Path) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(path.read_text(encoding="ascii"), parse_constant=refuse)


def test_columns_of_cells() -> None:
    expected = """field, id, type, confidence, element, detection_score, p_erythrocyte,
        p_platelet, p_neutrophil, p_eosinophil, p_basophil, p_lymphocyte, p_monocyte,
        p_immature granulocyte, p_erythroblast, centroid_x_px, centroid_y_px, x0, y0, x1, y1,
        area_px, area_um2, equivalent_diameter_px, equivalent_diameter_um, circularity,
        touches_border"""
    assert ", ".join(CELLS_COLUMNS) == " ".join(expected.split())


def test_a_disc_measured_in_both_units() -> None:
    cell = make_cell("monocyte", label=7, box=(20, 30, 60, 70), confidence=0.84, border=True)
    record = make_record("smear 1", [cell], um_per_px=0.2)
    row = dict(zip(CELLS_COLUMNS, cell_row(record, cell), strict=True))
    known = ["smear 1", "7", "monocyte", "0.8400", "WBC", "0.9500"]
    assert [row[name] for name in CELLS_COLUMNS[:6]] == known
    assert {name: row[f"p_{name}"] for name in CELL_TYPES if name != UNIDENTIFIED} == {
        name: "0.8400" if name == "monocyte" else "0.0200"
        for name in CELL_TYPES
        if name != UNIDENTIFIED
    }
    assert (row["centroid_x_px"], row["centroid_y_px"]) == ("40.00", "50.00")
    assert [row[name] for name in ("x0", "y0", "x1", "y1")] == ["20", "30", "60", "70"]
    assert row["area_um2"] == "50.265"  # π · (4 µm)²
    assert (row["equivalent_diameter_px"], row["equivalent_diameter_um"]) == ("40.00", "8.000")
    assert row["touches_border"] == "1"
    assert float(row["area_px"]) == pytest.approx(math.pi * 20**2, abs=0.05)
    assert 0.99 < float(row["circularity"]) <= 1


def test_micrometres_are_empty_where_the_pixel_size_is_unknown() -> None:
    cell = make_cell()
    row = dict(zip(CELLS_COLUMNS, cell_row(make_record("f", [cell]), cell), strict=True))
    assert row["area_um2"] == row["equivalent_diameter_um"] == ""
    assert row["area_px"] and row["equivalent_diameter_px"]


def test_the_undefined_is_empty(tmp_path: Path) -> None:
    cell = make_cell(confidence=math.nan)
    object.__setattr__(cell, "probabilities", {})
    write_cells_csv(tmp_path / "cells.csv", [make_record("f", [cell])])
    (row,) = read(tmp_path / "cells.csv")
    assert row["confidence"] == row["p_neutrophil"] == ""
    assert "nan" not in (tmp_path / "cells.csv").read_text().lower()


def test_a_row_for_every_cell_in_order(tmp_path: Path) -> None:
    records = [
        make_record("a", make_cells(["neutrophil", "platelet"])),
        make_record("b", []),
        make_record('c, "d"', make_cells([UNIDENTIFIED])),
    ]
    assert write_cells_csv(tmp_path / "cells.csv", iter(records)) == 3
    rows = read(tmp_path / "cells.csv")
    assert [(row["field"], row["id"], row["type"]) for row in rows] == [
        ("a", "1", "neutrophil"),
        ("a", "2", "platelet"),
        ('c, "d"', "1", UNIDENTIFIED),
    ]


@given(texts | formulae)
@example('=HYPERLINK("http://127.0.0.1")')
@example("'quoted'")
@example("-1")
def test_no_text_is_a_formula_and_every_text_comes_back(text: str) -> None:
    written = spreadsheet_text(text)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert plain_text(written) == text


@once_a_test
@given(name=texts | formulae, reason=texts | formulae)
def test_names_and_reasons_come_back_from_the_files(
    tmp_path_factory: pytest.TempPathFactory, name: str, reason: str
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    write_cells_csv(folder / "cells.csv", [make_record(name, [make_cell()])])
    write_errors_csv(folder / "errors.csv", [FileError(name, reason)])
    write_counts_json(folder / "counts.json", [make_record(name, [])], [FileError(name, reason)])
    assert plain_text(read(folder / "cells.csv")[0]["field"]) == name
    (row,) = read(folder / "errors.csv")
    assert (plain_text(row["path"]), plain_text(row["reason"])) == (name, reason)
    counts = strict_json(folder / "counts.json")
    assert counts["fields"][0]["name"] == name
    assert counts["failed"] == [{"path": name, "reason": reason}]


def test_file_names_that_are_no_unicode_cost_nothing(tmp_path: Path) -> None:
    name = "caf\udce9"  # a Latin-1 file name, as Python gives it
    errors = [FileError(name, "damaged")]
    write_cells_csv(tmp_path / "cells.csv", [make_record(name, [make_cell()])])
    write_errors_csv(tmp_path / "errors.csv", errors)
    write_counts_json(tmp_path / "counts.json", [make_record(name, [])], errors)
    assert read(tmp_path / "cells.csv")[0]["field"] == "caf\\udce9"
    assert strict_json(tmp_path / "counts.json")["fields"][0]["name"] == name


def test_without_errors_there_is_only_the_header(tmp_path: Path) -> None:
    assert write_errors_csv(tmp_path / "errors.csv", []) == 0
    assert (tmp_path / "errors.csv").read_text() == ",".join(ERRORS_COLUMNS) + "\n"


def test_counts_of_fields_and_pooled(tmp_path: Path) -> None:
    first, second = ["neutrophil", "erythrocyte"], ["lymphocyte", "erythrocyte", "platelet"]
    records = [
        make_record("a", make_cells(first, border=True), um_per_px=0.1, notes=("page 1 of 2",)),
        make_record("b", make_cells(second)),
        make_record("c", []),
    ]
    meta = ReportMeta(
        inputs=("smears/",),
        bundles=(BundleNote("cells", "segmenter", "ab" * 32, {"note": "not in the table"}),),
        simulated=True,
        notes=("three of nine fields",),
    )
    pooled = write_counts_json(tmp_path / "counts.json", iter(records), [], meta)
    found = strict_json(tmp_path / "counts.json")
    assert found["smearlab"] == __version__
    assert found["bundles"] == [{"name": "cells", "kind": "segmenter", "sha256": "ab" * 32}]
    assert (found["simulated"], found["inputs"]) == (True, ["smears/"])
    assert (found["notes"], found["failed"]) == (["three of nine fields"], [])
    everything = summarise(make_cells([*first, *second]), n_fields=3).to_dict()
    extra = {"n_cells": 5, "n_touching_border": 2, "n_unidentified_wbc": 0}
    assert found["pooled"] == everything | extra
    assert pooled.to_dict() == everything
    assert [field["name"] for field in found["fields"]] == ["a", "b", "c"]
    a, b, c = found["fields"]
    assert (a["um_per_px"], a["notes"], a["n_touching_border"]) == (0.1, ["page 1 of 2"], 2)
    assert b["differential"]["lymphocyte"]["fraction"] == 1
    assert c["rbc_per_wbc"] is None and c["types"]["erythrocyte"]["fraction"] is None


def test_an_empty_analysis_is_valid_json(tmp_path: Path) -> None:
    write_counts_json(tmp_path / "counts.json", [])
    found = strict_json(tmp_path / "counts.json")
    assert found["fields"] == found["failed"] == []
    assert found["pooled"]["n_fields"] == 0


@pytest.mark.parametrize("write", [write_cells_csv, write_counts_json])
def test_tables_are_written_field_by_field(
    tmp_path: Path, write: Callable[[Path, Iterator[FieldRecord]], object]
) -> None:
    alive: list[weakref.ref[FieldRecord]] = []

    def records() -> Iterator[FieldRecord]:
        for index in range(100):
            record = make_record(f"f{index}", make_cells(["monocyte", "erythrocyte"]))
            alive.append(weakref.ref(record))
            assert sum(reference() is not None for reference in alive) <= 3
            yield record

    write(tmp_path / "table", records())
    assert len(alive) == 100


@pytest.mark.parametrize("write", [write_cells_csv, write_counts_json])
def test_an_error_on_the_way_leaves_what_was_there(
    tmp_path: Path, write: Callable[[Path, Iterator[FieldRecord]], object]
) -> None:
    def records() -> Iterator[FieldRecord]:
        yield make_record("a", make_cells(["monocyte"]))
        raise KeyboardInterrupt

    path = tmp_path / "table"
    path.write_text("as it was")
    with pytest.raises(KeyboardInterrupt):
        write(path, records())
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_cells_give_the_same_bytes(tmp_path: Path) -> None:
    records = [make_record("a", make_cells(CELL_TYPES[:-1]))]
    for name in ("once", "again"):
        write_cells_csv(tmp_path / f"{name}.csv", records)
        write_counts_json(tmp_path / f"{name}.json", records)
    for ending in ("csv", "json"):
        once, again = (tmp_path / f"{name}.{ending}" for name in ("once", "again"))
        assert once.read_bytes() == again.read_bytes()
