"""Counts of made-up cells, known by hand and by SciPy."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from drawn_cells import make_cell, make_cells
from smearlab.count.summary import Tally, element_of, summarise
from smearlab.errors import UnknownNameError
from smearlab.types import CELL_TYPES, ELEMENTS, LEUKOCYTE_TYPES, UNIDENTIFIED

SMEAR = (
    ["erythrocyte"] * 40
    + ["platelet"] * 6
    + ["neutrophil"] * 5
    + ["lymphocyte"] * 3
    + ["immature granulocyte"] * 2
    + ["erythroblast"] * 1
)

smears = st.lists(
    st.builds(make_cell, st.sampled_from(CELL_TYPES), element=st.none(), border=st.booleans()),
    max_size=40,
)


def test_a_smear_counted_by_hand() -> None:
    unidentified = make_cells([UNIDENTIFIED], element="WBC")
    counts = summarise([*make_cells(SMEAR), *unidentified], n_fields=2)
    assert counts.n_fields == 2
    assert counts.elements == {"RBC": 40, "WBC": 12, "PLT": 6}
    assert counts.rbc_per_wbc == pytest.approx(40 / 12)
    assert counts.plt_per_wbc == pytest.approx(0.5)
    assert {name: share.n for name, share in counts.differential.items()} == {
        "neutrophil": 5,
        "eosinophil": 0,
        "basophil": 0,
        "lymphocyte": 3,
        "monocyte": 0,
        "immature granulocyte": 2,
    }
    assert counts.differential["neutrophil"].fraction == 0.5
    assert counts.types["erythrocyte"].fraction == pytest.approx(40 / 58)
    assert counts.types[UNIDENTIFIED].n == 1


def test_intervals_are_the_exact_ones_of_scipy() -> None:
    counts = summarise(make_cells(SMEAR))
    for share, total in [
        *((share, len(SMEAR)) for share in counts.types.values()),
        *((share, 10) for share in counts.differential.values()),
    ]:
        exact = binomtest(share.n, total).proportion_ci(0.95, "exact")
        assert (share.low, share.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_what_is_undefined_is_nan_and_never_0() -> None:
    counts = summarise([])
    assert counts.elements == {"RBC": 0, "WBC": 0, "PLT": 0}
    assert math.isnan(counts.rbc_per_wbc) and math.isnan(counts.plt_per_wbc)
    for share in (*counts.types.values(), *counts.differential.values()):
        assert share.n == 0
        assert all(math.isnan(value) for value in (share.fraction, share.low, share.high))


def test_erythroblasts_alone_make_wbc_but_no_differential() -> None:
    counts = summarise(make_cells(["erythroblast"] * 3 + ["erythrocyte"] * 6))
    assert counts.elements["WBC"] == 3
    assert counts.rbc_per_wbc == 2
    assert all(math.isnan(share.fraction) for share in counts.differential.values())


@pytest.mark.parametrize("element", ELEMENTS)
def test_an_unidentified_cell_stays_what_it_was_found_as(element: str) -> None:
    cell = make_cell(UNIDENTIFIED, element=element)  # type: ignore[arg-type]
    assert element_of(cell) == element
    assert summarise([cell]).elements[element] == 1  # type: ignore[index]


def test_the_type_decides_the_element_of_an_identified_cell() -> None:
    assert element_of(make_cell("monocyte", element="RBC")) == "WBC"


def test_an_unknown_type_is_named_and_nothing_is_added() -> None:
    strange = dataclasses.replace(make_cell(), type="neutrophl")
    tally = Tally()
    with pytest.raises(UnknownNameError, match="'neutrophl'; did you mean 'neutrophil'"):
        tally.add_field([make_cell(), strange])
    assert (tally.n_fields, tally.n_cells) == (0, 0)


def test_a_negative_number_of_fields_is_refused() -> None:
    with pytest.raises(ValueError, match="received -1"):
        summarise([], n_fields=-1)


@given(smears)
def test_a_differential_sums_to_100_percent(cells: list) -> None:  # type: ignore[type-arg]
    counts = summarise(cells)
    n_leukocytes = sum(cell.type in LEUKOCYTE_TYPES for cell in cells)
    fractions = [share.fraction for share in counts.differential.values()]
    if n_leukocytes:
        assert math.fsum(fractions) == pytest.approx(1, abs=1e-12)
    else:
        assert all(math.isnan(fraction) for fraction in fractions)
    if cells:
        total = math.fsum(share.fraction for share in counts.types.values())
        assert total == pytest.approx(1, abs=1e-12)
    assert sum(counts.elements.values()) == len(cells)


@given(st.lists(smears, max_size=5), st.randoms(use_true_random=False))
def test_merged_in_any_order_is_counted_at_once(fields: list, random) -> None:  # type: ignore[no-untyped-def, type-arg]
    parts = []
    for cells in fields:
        tally = Tally()
        tally.add_field(cells)
        parts.append(tally)
    random.shuffle(parts)
    pooled = Tally()
    for part in parts:
        pooled.merge(part)
    everything = [cell for cells in fields for cell in cells]
    assert pooled.counts().to_dict() == summarise(everything, len(fields)).to_dict()
    assert pooled.n_border == sum(cell.touches_border for cell in everything)
    assert pooled.n_cells == len(everything)


def test_border_cells_are_counted_and_also_counted_apart() -> None:
    tally = Tally()
    tally.add_field([make_cell(border=True), make_cell("platelet", border=True), make_cell()])
    assert tally.counts().elements["RBC"] == 2
    assert tally.n_border == 2


def test_unidentified_white_cells_are_counted_apart() -> None:
    tally = Tally()
    tally.add_field(
        [make_cell(UNIDENTIFIED, element="WBC"), make_cell(UNIDENTIFIED, element="RBC")]
    )
    assert tally.n_unidentified_wbc == 1
    assert tally.n_of_element("WBC") == 1


def test_what_was_not_looked_for_is_unknown_and_not_zero() -> None:
    tally = Tally(("RBC",))
    tally.add_field([])
    counts = tally.counts()
    assert counts.elements["RBC"] == 0
    assert math.isnan(counts.elements["WBC"])
    assert math.isnan(counts.elements["PLT"])
    assert math.isnan(counts.rbc_per_wbc)
    assert math.isnan(counts.plt_per_wbc)
    assert counts.not_looked_for[:2] == ("WBC", "PLT")
    assert {"platelet", "neutrophil", "erythroblast"} <= set(counts.not_looked_for)
    assert "erythrocyte" not in counts.not_looked_for
    plain = counts.to_dict()
    assert (plain["RBC"], plain["WBC"], plain["PLT"]) == (0, None, None)
    assert plain["types"]["erythrocyte"]["n"] == 0
    assert plain["types"]["neutrophil"] == dict.fromkeys(("n", "fraction", "low", "high"))
    assert plain["differential"]["monocyte"]["n"] is None
    assert plain["types"]["unidentified"]["n"] == 0
    assert Tally().counts().not_looked_for == ()
