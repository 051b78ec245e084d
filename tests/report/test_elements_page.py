"""The page and tables of segmented elements."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import cv2
import numpy as np

from smearlab.instances.statistics import STATISTICS
from smearlab.report.element_records import ElementLine, FieldElements
from smearlab.report.element_tables import (
    ELEMENT_CELLS_COLUMNS,
    SUMMARY_COLUMNS,
    cell_rows,
    write_element_cells,
    write_summary,
)
from smearlab.report.elements_page import write_elements_page
from smearlab.report.records import FileError
from smearlab.types import Cell, Field

EVIL = "<script>alert(1)</script>"


def field_of(name: str, um_per_px: float | None = None) -> FieldElements:
    line = ElementLine("WBC", 3, 1, 900.0, 250.0, f"pictures/{name}.wbc.png")
    empty = ElementLine("PLT", 0, 0, 0.0, None, f"pictures/{name}.plt.png")
    together = f"pictures/{name}.elements.png"
    return FieldElements(
        name, f"in/{name}.png", 40, 30, um_per_px, ("a note",), together, (line, empty)
    )


def test_the_page_shows_fields_and_escapes_their_names(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures/one.elements.png"), np.zeros((30, 40, 3), np.uint8))
    path = tmp_path / "index.html"
    fields = [field_of("one"), field_of(EVIL.replace("/", "-"))]
    write_elements_page(path, fields, ("WBC", "PLT"), [FileError(EVIL, "torn")])
    page = path.read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("data:image/jpeg;base64,") == 1
    assert "The picture is missing." in page
    assert "red cells (not looked for)" in page
    assert ">6</dd>" in page  # white cells of both
    assert "75.0\u202f%" in page  # 900 of 1200 px
    assert "a note" in page
    assert "default-src 'none'" in page


def test_a_page_of_nothing(tmp_path: Path) -> None:
    write_elements_page(tmp_path / "index.html", [], ("WBC",))
    assert "No field was segmented." in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_the_summary_has_a_row_for_each_element(tmp_path: Path) -> None:
    write_summary(tmp_path / "s.csv", [field_of("=one", 0.5), field_of("two")])
    with (tmp_path / "s.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == SUMMARY_COLUMNS
    assert rows[0]["field"] == "'=one"  # no formula
    assert (rows[0]["area_px"], rows[0]["area_um2"]) == ("900", "225.000")
    assert (rows[0]["share_of_field"], rows[0]["median_area_um2"]) == ("0.750000", "62.500")
    assert (rows[1]["n"], rows[1]["median_area_px"]) == ("0", "")
    assert rows[2]["area_um2"] == ""


def test_rows_of_cells_have_units_and_empty_places(tmp_path: Path) -> None:
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)
    cell = Cell("f", 4, square, (0, 0, 10, 10), 100.0, True, "PLT", 0.5, "platelet")
    figures = {one.name: 2.0 for one in STATISTICS} | {"glcm_correlation": math.nan}
    field = Field(np.zeros((20, 20, 3), np.uint8), "f", 0.1)
    (row,) = cell_rows(field, "PLT", [cell], [figures])
    named = dict(zip(ELEMENT_CELLS_COLUMNS, row, strict=True))
    assert (named["label"], named["touches_border"], named["detection_score"]) == (
        "4",
        "1",
        "0.5000",
    )
    assert (named["area_px"], named["area_um2"]) == ("2.0", "0.020")
    assert (named["perimeter_px"], named["perimeter_um"]) == ("2.00", "0.200")
    assert named["hue_mean_deg"] == "2.0000"
    assert named["glcm_correlation"] == ""
    (bare,) = cell_rows(Field(field.pixels, "f"), "PLT", [cell], [figures])
    assert dict(zip(ELEMENT_CELLS_COLUMNS, bare, strict=True))["area_um2"] == ""
    whole = FieldElements("f", "f", 20, 20, 0.1, (), "x", (), (row,))
    write_element_cells(tmp_path / "c.csv", [whole])
    assert len((tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()) == 2
