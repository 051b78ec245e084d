"""What a report keeps: the right pictures, the right lines, and nothing more."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn_cells import make_cell, make_cells, make_record
from smearlab.report.digest import CellPicture, Gallery, Pitches, digest
from smearlab.report.records import FieldRecord
from smearlab.types import UNIDENTIFIED


def picture(confidence: float, label: int, nucleated: bool = True) -> CellPicture:
    return CellPicture(0, "f", label, nucleated, confidence, "", b"")


@given(st.lists(st.floats(0, 1)), st.integers(0, 6))
def test_a_gallery_keeps_the_least_confident_in_order(confidences: list[float], limit: int) -> None:
    gallery = Gallery(limit)
    for label, confidence in enumerate(confidences):
        gallery.offer(picture(confidence, label))
    expected = sorted(enumerate(confidences), key=lambda pair: pair[1])[:limit]
    assert [kept.label for kept in gallery] == [label for label, _ in expected]
    assert len(gallery) == len(expected)


def test_a_cell_without_confidence_comes_first() -> None:
    gallery = Gallery(2)
    for label, confidence in enumerate([0.0, math.nan, 0.5]):
        gallery.offer(picture(confidence, label))
    assert [kept.label for kept in gallery] == [1, 0]


def test_unidentified_red_cells_do_not_push_out_nucleated_ones() -> None:
    gallery = Gallery(2)
    gallery.offer(picture(0.6, label=1, nucleated=True))
    for label in range(2, 9):
        gallery.offer(picture(0.1 + label / 100, label, nucleated=False))
    assert [kept.label for kept in gallery] == [1, 2]


def test_lines_and_pictures_of_a_small_analysis() -> None:
    first = make_cells(["neutrophil", "erythrocyte", UNIDENTIFIED], field="a", guess="basophil")
    second = [make_cell("neutrophil", field="b", confidence=0.3, border=True)]
    found = digest(
        [
            make_record("a", first, thumbnails={1: b"n", 3: b"u"}, overlay="overlays/a.png"),
            make_record("b", second, thumbnails={1: b"m"}, um_per_px=0.1, notes=("page 1 of 2",)),
        ],
        gallery_limit=5,
    )
    assert [line.name for line in found.lines] == ["a", "b"]
    assert found.lines[0].n_of_element == (1, 2, 0)
    assert found.lines[0].beyond_red_and_platelets == (("neutrophil", 1), (UNIDENTIFIED, 1))
    assert found.lines[1].notes == ("page 1 of 2",)
    assert (found.n_cells, found.n_border, found.n_unidentified_wbc) == (4, 1, 1)
    neutrophils = list(found.galleries["neutrophil"])
    assert [(cell.field, cell.field_index, cell.jpeg) for cell in neutrophils] == [
        ("b", 1, b"m"),
        ("a", 0, b"n"),
    ]
    assert next(iter(found.galleries[UNIDENTIFIED])).most_probable == "basophil"
    assert found.pitches == Pitches(1, 0.1, 0.1)


def test_records_are_forgotten_while_others_are_read() -> None:
    alive: list[weakref.ref[FieldRecord]] = []

    def records() -> Iterator[FieldRecord]:
        for index in range(200):
            cells = make_cells(["monocyte", "erythrocyte"])
            record = make_record(f"f{index}", cells, thumbnails={1: bytes(100)})
            alive.append(weakref.ref(record))
            assert sum(reference() is not None for reference in alive) <= 3
            yield record

    found = digest(records(), gallery_limit=7)
    assert len(found.lines) == 200
    assert len(found.galleries["monocyte"]) == 7


@given(st.lists(st.none() | st.floats(0.01, 10)))
def test_pitches_span_what_is_known(values: list[float | None]) -> None:
    pitches = Pitches()
    for value in values:
        pitches = pitches.with_field(value)
    known = [value for value in values if value is not None]
    assert pitches.n_unknown == len(values) - len(known)
    if known:
        assert (pitches.low, pitches.high) == (min(known), max(known))
    else:
        assert math.isnan(pitches.low) and math.isnan(pitches.high)


def test_an_empty_analysis() -> None:
    found = digest([], gallery_limit=3)
    assert (found.n_cells, found.lines) == (0, ())
    assert found.counts.n_fields == 0
    assert found.counts.rbc_per_wbc != found.counts.rbc_per_wbc
    assert pytest.approx(0) == sum(len(gallery) for gallery in found.galleries.values())
