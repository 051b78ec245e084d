"""The report as a document: what it says, what it escapes, what it loads (nothing)."""

from __future__ import annotations

import base64
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawn_cells import make_cell, make_cells, make_record
from smearlab.report import html
from smearlab.report.html import relative_link, write_report
from smearlab.report.overlay import encode_png, thumbnail
from smearlab.report.records import BundleNote, FieldRecord, FileError, ReportMeta
from smearlab.types import CELL_TYPES, LEUKOCYTE_TYPES, UNIDENTIFIED, Field

HOSTILE = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'{{ 7*7 }}"
VOID = {"meta", "link", "img", "br", "input", "hr", "line", "rect", "path"}


class Document(HTMLParser):
    """Elements, attributes and text of a page; complains of elements that do not match."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts).replace("\u202f", " "))

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def rich_records(folder: Path, n_fields: int = 3, name: str = "field") -> list[FieldRecord]:
    """Fields with every type, with thumbnails, and with overlays that lie in ``folder``."""
    (folder / "overlays").mkdir(exist_ok=True)
    pixels = np.full((120, 160, 3), (250, 220, 200), np.uint8)
    records = []
    for index in range(n_fields):
        cells = make_cells(CELL_TYPES, guess="basophil", field=f"{name} {index}")
        picture = thumbnail(Field(pixels, "f"), cells[0])
        overlay = f"overlays/{index} #1?.png"
        (folder / overlay).write_bytes(encode_png(pixels))
        record = make_record(
            f"{name} {index}",
            cells,
            thumbnails={cell.label: picture for cell in cells},
            overlay=overlay,
        )
        records.append(record)
    return records


def report(folder: Path, *given: object) -> Document:
    write_report(folder / "report.html", *given)  # type: ignore[arg-type]
    return Document(folder / "report.html")


def test_it_says_what_was_counted(tmp_path: Path) -> None:
    types = ["erythrocyte"] * 30 + ["neutrophil"] * 5 + ["lymphocyte"] * 3 + ["platelet"] * 4
    records = [make_record("a", make_cells(types)), make_record("b", make_cells(["erythroblast"]))]
    counts = write_report(tmp_path / "report.html", records)
    text = Document(tmp_path / "report.html").text
    assert counts.elements == {"RBC": 30, "WBC": 9, "PLT": 4}
    assert "Fields 2 RBC 30 red cells WBC 9 all nucleated cells PLT 4 platelets" in text
    assert "RBC per WBC 3.33 PLT per WBC 0.444" in text
    assert "neutrophil 5 62.5 % 24.5–91.5" in text  # as R's binom.test(5, 8) gives it
    assert "neutrophil 62.5 % (24.5–91.5)" in text  # the chart
    assert "together 8 100.0 %" in text
    assert "1 erythroblast (12.5 per 100 leukocytes), 0 unidentified nucleated cells" in text
    assert "erythrocyte RBC 30 69.8 % 53.9–82.8" in text
    assert "Pixel size unknown: lengths are in pixels (px)." in text
    assert "8 leukocytes only" in text


def test_it_says_what_it_is(tmp_path: Path) -> None:
    meta = ReportMeta(
        title="Ward 7",
        inputs=("smears/*.png",),
        analysed_at=datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
        bundles=(
            BundleNote.from_card(
                {
                    "name": "cell_centres",
                    "kind": "segmenter",
                    "sha256": "ab" * 32,
                    "training_data": [{"name": "made up", "licence": "MIT"}],
                    "metrics": {"map50": 0.98125},
                }
            ),
        ),
        notes=("Fields 4 to 9 were left out.",),
    )
    document = report(tmp_path, [], [], meta)
    assert "Analysed 2026-03-04 05:06 UTC with smearlab" in document.text
    assert "Input: smears/*.png" in document.text
    assert "Research use only. Not a medical device." in document.text
    assert "Segmenter: cell_centres sha256 " + "ab" * 32 in document.text
    assert "training data name: made up; licence: MIT metrics map50: 0.98125" in document.text
    assert "Fields 4 to 9 were left out." in document.text
    assert "Ward 7" in document.text
    assert "imulated" not in document.text


def test_simulated_pictures_are_called_so(tmp_path: Path) -> None:
    text = report(tmp_path, [], [], ReportMeta(simulated=True)).text
    assert "Simulated pictures: made by the smear simulator" in text


def test_without_a_date_equal_analyses_give_equal_bytes(tmp_path: Path) -> None:
    records = rich_records(tmp_path)
    for name in ("once.html", "again.html"):
        write_report(tmp_path / name, records, [FileError("a", "b")])
    assert (tmp_path / "once.html").read_bytes() == (tmp_path / "again.html").read_bytes()


def test_nothing_is_loaded_from_anywhere(tmp_path: Path) -> None:
    document = report(tmp_path, rich_records(tmp_path), [FileError("a", "b")])
    for tag, attributes in document.elements:
        for name in ("src", "srcset", "poster", "data", "action", "xlink:href", "background"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
        if tag == "link":
            assert attributes["href"] == "data:,"
        if tag == "a":
            assert attributes["href"].startswith(("#", "./overlays/"))
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    style = (tmp_path / "report.html").read_text().split("<style>")[1].split("</style>")[0]
    assert "url(" not in style and "@import" not in style
    policy = next(m for m in document.attributes("meta") if "http-equiv" in m)["content"]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_every_link_within_the_page_has_a_target(tmp_path: Path) -> None:
    document = report(tmp_path, rich_records(tmp_path), [FileError("a", "b")])
    targets = [a["id"] for _, a in document.elements if "id" in a]
    assert len(targets) == len(set(targets))
    links = [a["href"][1:] for a in document.attributes("a") if a["href"].startswith("#")]
    assert links and set(links) <= set(targets)
    labelled = [
        a["aria-labelledby"].split() for _, a in document.elements if "aria-labelledby" in a
    ]
    assert {name for names in labelled for name in names} <= set(targets)


def test_every_picture_has_a_text_and_every_heading_follows_its_superior(tmp_path: Path) -> None:
    document = report(tmp_path, rich_records(tmp_path))
    pictures = document.attributes("img")
    assert pictures and all(picture["alt"] for picture in pictures)
    levels = [int(tag[1]) for tag, _ in document.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all("scope" in head for head in document.attributes("th"))


def test_names_of_strangers_are_only_text(tmp_path: Path) -> None:
    cell = make_cell("neutrophil", field=HOSTILE)
    record = make_record(
        HOSTILE, [cell], source=HOSTILE, notes=(HOSTILE,), thumbnails={1: b""}, overlay=HOSTILE
    )
    note = BundleNote(HOSTILE, HOSTILE, HOSTILE, {HOSTILE: [HOSTILE]})
    meta = ReportMeta(title=HOSTILE, inputs=(HOSTILE,), notes=(HOSTILE,), bundles=(note,))
    document = report(tmp_path, [record], [FileError(HOSTILE, HOSTILE)], meta)
    assert len(document.attributes("script")) == 1  # ours
    assert all("onerror" not in attributes for _, attributes in document.elements)
    assert document.text.count("<script>alert(1)</script>") >= 10
    assert "49" not in document.text.replace("{{ 7*7 }}", "")
    assert "<script>alert" not in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("overlays/a b.png", "./overlays/a%20b.png"),
        ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
        ("overlays/#1?é.png", "./overlays/%231%3F%C3%A9.png"),
        ("overlays/\udce9.png", "./overlays/%E9.png"),
        ("//elsewhere/a.png", ".///elsewhere/a.png"),
    ],
)
def test_links_lead_to_files_beside_the_report(path: str, link: str) -> None:
    assert relative_link(path) == link


def test_names_that_are_no_unicode_are_written(tmp_path: Path) -> None:
    text = report(tmp_path, [make_record("caf\udce9", [])], [FileError("\udcff", "bad")]).text
    assert "caf\\udce9" in text and "\\udcff" in text


def test_fields_beyond_the_limit_are_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "MAX_FIELDS", 2)
    records = rich_records(tmp_path, 4)
    doubtful = make_cell("monocyte", confidence=0.55)
    records[2] = replace(records[2], cells=(*records[2].cells[:3], doubtful))
    document = report(tmp_path, [*records, make_record("bare", [])])
    ids = [a["id"] for _, a in document.elements if a.get("id", "").startswith("field-")]
    assert ids == ["field-0", "field-2"]
    assert "The 2 of 4 whose nucleated cells are least certain are here" in document.text
    assert "1 of 5 fields have no overlay" in document.text
    links = [a["href"] for a in document.attributes("a")]
    assert "./overlays/3%20%231%3F.png" in links
    assert "#row-3" in links  # from the gallery


def test_rows_beyond_the_limit_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MAX_ROWS", 2)
    errors = [FileError(f"broken {index}", "truncated") for index in range(3)]
    document = report(tmp_path, [make_record(f"f{index}", []) for index in range(3)], errors)
    assert "3 fields. The first 2 are listed; counts.json has all of them." in document.text
    assert "3 files are in no count. The first 2 are listed; errors.csv has all" in document.text
    assert "broken 1" in document.text and "broken 2" not in document.text
    assert [a["id"] for a in document.attributes("tr") if "id" in a] == ["row-0", "row-1"]


def test_pictures_beyond_the_limit_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "MAX_PICTURES", 3)
    monkeypatch.setattr(html, "SHOWN_PICTURES", 2)
    cells = [
        make_cell("neutrophil", label=label, confidence=1 - label / 10) for label in range(1, 6)
    ]
    record = make_record("a", cells, thumbnails=dict.fromkeys(range(1, 6), b"jpeg"))
    document = report(tmp_path, [record])
    assert "3 of 5 have a picture here; 2 are not shown." in document.text
    assert "Show 1 more" in document.text
    alts = [picture["alt"] for picture in document.attributes("img")]
    assert alts == [
        f"neutrophil, confidence {confidence}, cell {label} of field smear 1"
        for confidence, label in [("0.50", 5), ("0.60", 4), ("0.70", 3)]
    ]


def test_an_unidentified_cell_says_what_it_may_be(tmp_path: Path) -> None:
    cell = make_cell(UNIDENTIFIED, confidence=0.41, guess="basophil")
    document = report(tmp_path, [make_record("a", [cell], thumbnails={1: b"jpeg"})])
    assert "BA? 0.41" in document.text


@pytest.mark.parametrize("content", [None, b"", b"no picture at all"])
def test_an_overlay_that_cannot_be_read_costs_itself(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    document = report(tmp_path, [make_record("a", [], overlay="a.png")])
    assert "The overlay picture is missing." in document.text
    assert document.attributes("img") == []


def test_field_pictures_are_reduced_but_not_blown_up(tmp_path: Path) -> None:
    for name, width in (("wide", 1500), ("small", 100)):
        (tmp_path / f"{name}.png").write_bytes(encode_png(np.zeros((60, width, 3), np.uint8)))
    document = report(
        tmp_path,
        [
            make_record("wide", [], overlay="wide.png", width_px=1500, height_px=60),
            make_record("small", [], overlay="small.png", width_px=100, height_px=60),
        ],
    )
    data = [base64.b64decode(a["src"].split(",")[1]) for a in document.attributes("img")]
    assert [Image.open(io.BytesIO(picture)).size for picture in data] == [(640, 26), (100, 60)]


def test_an_analysis_of_nothing(tmp_path: Path) -> None:
    text = report(tmp_path, []).text
    assert "No picture was given: there is nothing to report." in text
    assert "RBC per WBC – no WBC found" in text
    assert "together 0 –" in text
    for absent in ("nan", "NaN", "None"):
        assert absent not in text


def test_only_failures(tmp_path: Path) -> None:
    text = report(tmp_path, [], [FileError("a.jpg", "truncated")]).text
    assert "1 of 1 file could not be analysed" in text
    assert "1 file is in no count. File Reason a.jpg truncated" in text


def test_the_chart_has_a_bar_for_every_type_that_occurs(tmp_path: Path) -> None:
    document = report(tmp_path, [make_record("a", make_cells(["neutrophil", "monocyte"]))])
    bars = [a["class"] for a in document.attributes("rect")]
    assert bars == ["bar neutrophil", "bar monocyte"]
    whiskers = [a for a in document.attributes("path") if a["class"] == "whisker"]
    assert len(whiskers) == len(LEUKOCYTE_TYPES)


def test_an_error_on_the_way_leaves_what_was_there(tmp_path: Path) -> None:
    def records() -> Iterator[FieldRecord]:
        yield make_record("a", [])
        raise KeyboardInterrupt

    path = tmp_path / "report.html"
    path.write_text("as it was")
    with pytest.raises(KeyboardInterrupt):
        write_report(path, records())
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]
