"""Each warning where it is due, and only there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from drawn_cells import make_cells, make_record
from smearlab.report.cautions import cautions, pixel_size
from smearlab.report.digest import Digest, Pitches, digest
from smearlab.types import UNIDENTIFIED


def analysed(*fields: Sequence[str]) -> Digest:
    return digest(
        [
            make_record(f"f{index}", make_cells(types, guess="monocyte"))
            for index, types in enumerate(fields)
        ],
        gallery_limit=0,
    )


def test_a_good_analysis_has_no_warning() -> None:
    assert cautions(analysed(["neutrophil"] * 100 + ["erythrocyte"] * 5), n_failed=0) == ()


def test_few_leukocytes() -> None:
    (warning,) = cautions(analysed(["neutrophil"] * 99), n_failed=0)
    assert "99 leukocytes only" in warning and "wide" in warning
    assert "1 leukocyte only" in cautions(analysed(["neutrophil"]), n_failed=0)[0]


def test_no_leukocyte() -> None:
    (warning,) = cautions(analysed(["erythrocyte", "erythroblast"]), n_failed=0)
    assert "no differential" in warning


@pytest.mark.parametrize(("n_unidentified", "warned"), [(12, False), (13, True)])
def test_many_unidentified(n_unidentified: int, warned: bool) -> None:
    found = analysed(["lymphocyte"] * 110 + [UNIDENTIFIED] * n_unidentified)
    warnings = cautions(found, n_failed=0)
    assert any("unidentified" in warning for warning in warnings) == warned
    if warned:
        assert warnings[0].startswith("13 of 123 nucleated cells (10.6\u202f%)")


def test_files_that_failed_come_first() -> None:
    warnings = cautions(analysed(["neutrophil"]), n_failed=1)
    assert warnings[0].startswith("1 of 2 files could not be analysed and is in no count")
    assert "and are in no count" in cautions(analysed(["neutrophil"]), n_failed=2)[0]


def test_empty_fields() -> None:
    warnings = cautions(analysed(["neutrophil"] * 100, [], []), n_failed=0)
    assert warnings == ("No cell was found in 2 fields: look at the pictures.",)


def test_nothing_given() -> None:
    assert "nothing to report" in cautions(analysed(), n_failed=0)[0]


@pytest.mark.parametrize(
    ("pitches", "n_fields", "said"),
    [
        (Pitches(3), 3, "Pixel size unknown: lengths are in pixels (px)."),
        (Pitches(0, 0.1, 0.1), 3, "Pixel size 0.1000 µm per px: lengths are in pixels and"),
        (Pitches(0, 0.1, 0.25), 3, "Pixel size 0.1000 to 0.2500 µm per px: lengths"),
        (Pitches(1, 0.1, 0.1), 3, "Pixel size 0.1000 µm per px; unknown for 1 field, whose"),
        (Pitches(), 0, "No field"),
    ],
)
def test_units_are_said(pitches: Pitches, n_fields: int, said: str) -> None:
    assert pixel_size(pitches, n_fields).startswith(said)
