"""Records of reproduced tables: kept whole, the newest counts, nothing without a record."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from smearlab.errors import RunError
from smearlab.evaluation.reproduction_grids import record_grid, wide_grids
from smearlab.evaluation.reproductions import (
    RECORD,
    Line,
    Record,
    better_lines,
    facts_of,
    find_records,
    with_parts,
)


def a_record(**changes: object) -> Record:
    """A record of two lines."""
    record = Record(
        name="w_net",
        title="Five white cells",
        paper="Jung et al. 2021, Table 4",
        protocol="honest",
        scale="cpu",
        lines=(
            Line("w_net", "accuracy", 0.97, "Table 4", 0.9812, 0.97, 0.99, 1600),
            Line("w_net", "parameters", None, "", 16_806_949.0, digits=0),
        ),
        data=("pbc: 1600 test pictures",),
        deviations=("pictures of PBC",),
        hardware="a processor, 2 threads",
        command="smearlab reproduce w_net",
        commit="0123456789ab",
        version="1.2",
        finished="2026-01-02T03:04:05+00:00",
        seconds=754.0,
        findings=("it is good",),
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = a_record()
    assert Record.load(record.save(tmp_path / "new" / "folder")) == record


def test_undefined_figures_are_no_numbers_in_the_file(tmp_path: Path) -> None:
    path = a_record(lines=(Line("RBC", "SNR", 18.3, "Table 2", math.nan),)).save(tmp_path)
    assert json.loads(path.read_text())["lines"][0]["obtained"] is None
    assert Record.load(path).lines[0].obtained is None


@pytest.mark.parametrize("text", ["", "[]", '{"lines": []}', '{"lines": [{"colour": 1}]}'])
def test_what_is_no_record_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / RECORD
    path.write_text(text)
    with pytest.raises(RunError, match=r"record\.json is no record of a reproduction"):
        Record.load(path)


def test_the_newest_record_of_a_kind_counts(tmp_path: Path) -> None:
    old, new = a_record(), a_record(finished="2026-05-01T00:00:00+00:00", seconds=1.0)
    old.save(tmp_path / "b")
    new.save(tmp_path / "a")
    other = a_record(protocol="paper")
    other.save(tmp_path / "c" / "deeper")
    assert find_records([tmp_path]) == [new, other]
    assert find_records([tmp_path / "nothing"]) == []


def an_element(*elements: str, **changes: object) -> Record:
    """A record of some elements."""
    return a_record(
        lines=tuple(Line(f"{one} (boxes), gan", "Dice", obtained=0.5) for one in elements),
        data=tuple(f"{one}: learnt from 9 pairs" for one in elements),
        findings=(
            *(f"{one} (boxes): it is good" for one in elements),
            *(f"{one}: not trained yet" for one in ("RBC", "WBC") if one not in elements),
        ),
        pages=tuple(f"{one.lower()}.png" for one in elements),
        **changes,
    )


def test_parts_that_a_record_lacks_stay_as_an_earlier_one_has_them() -> None:
    earlier = an_element("RBC", hardware="an old one", deviations=("short",))
    later = an_element("WBC", hardware="a new one", deviations=("shorter",))
    both = with_parts(later, earlier, ("RBC", "WBC"))
    assert [line.row for line in both.lines] == ["RBC (boxes), gan", "WBC (boxes), gan"]
    assert both.data == (
        "WBC: learnt from 9 pairs",
        "RBC: learnt from 9 pairs",
        "RBC: of an earlier run on an old one, finished 2026-01-02T03:04:05+00:00, "
        "`smearlab reproduce w_net`",
    )
    assert both.findings == ("WBC (boxes): it is good", "RBC (boxes): it is good")
    assert both.pages == ("wbc.png", "rbc.png")
    assert (both.hardware, both.deviations) == ("a new one", ("shorter", "RBC: short"))
    again = with_parts(later, both, ("RBC", "WBC"))
    assert again.deviations == both.deviations, "whose they are is said once"


def test_where_a_part_comes_from_is_said_once() -> None:
    first = with_parts(an_element("WBC"), an_element("RBC", hardware="the first"), ("RBC", "WBC"))
    again = with_parts(an_element("WBC"), first, ("RBC", "WBC"))
    notes = [said for said in again.data if "earlier run" in said]
    assert len(notes) == 1 and "the first" in notes[0]


def test_what_was_measured_anew_takes_the_place_of_what_was_there() -> None:
    earlier = an_element("RBC", "WBC")
    later = an_element("RBC", "WBC", hardware="a new one")
    assert with_parts(later, earlier, ("RBC", "WBC")) == later
    assert with_parts(later, earlier, ("RB", "PLT")) == later, "names are whole"


def test_the_table_shows_reported_beside_obtained() -> None:
    grid = record_grid(a_record())
    assert grid.rows[0] == (
        "w_net", "accuracy", "0.9700", "0.9812 (0.9700–0.9900)", "1\u202f600 pictures", "Table 4",
    )  # fmt: skip
    assert grid.rows[1] == ("w_net", "parameters", "–", "16806949", "–", "–")


def test_wide_tables_have_a_column_for_each_network() -> None:
    lines = (
        Line("WBC (masks), gan", "PCC", 0.998, "Table 2", 0.99, 0.98, 0.995, 106, "fields"),
        Line("WBC (masks), gan", "Dice", None, "", 0.91, n=106, of="fields"),
        Line("WBC (masks), u_net", "PCC", None, "", 0.97, n=106, of="fields"),
        Line("PLT (boxes), gan", "PCC", 0.999, "Table 2", 0.5),
    )
    white, platelets = wide_grids(a_record(lines=lines))
    assert white.title == "WBC (masks)"
    assert white.columns == ("figure", "reported", "gan", "u_net", "n")
    assert white.rows == (
        ("PCC", "0.9980", "0.9900 (0.9800–0.9950)", "0.9700", "106 fields"),
        ("Dice", "–", "0.9100", "–", "106 fields"),
    )
    assert white.note == "Reported: Table 2. 95 % intervals."
    assert platelets.rows == (("PCC", "0.9990", "0.5000", "–"),)
    # Figures of several papers: each beside what its own network obtained.
    rival = (*lines, Line("WBC (masks), u_net", "Dice", 0.95, "Table 2", 0.92))
    own = replace(rival[1], reported=0.97)
    (white,) = wide_grids(a_record(lines=(rival[0], own, rival[2], rival[4])))
    assert white.rows[1] == (
        "Dice", "–", "0.9100, reported 0.9700", "0.9200, reported 0.9500", "106 fields"
    )  # fmt: skip
    (bare,) = wide_grids(a_record())
    assert bare.title == "" and bare.columns[-2:] == ("w_net", "n")


def test_many_networks_with_few_figures_have_a_row_each() -> None:
    lines = [
        Line(f"Raabin, way {n}", "accuracy", 0.5 if n == 3 else None, "", n / 10, n=137 + n)
        for n in range(9)
    ]
    lines.append(Line("Raabin, way 0", "sensitivity", obtained=0.25, n=137))
    (grid,) = wide_grids(a_record(lines=tuple(lines)))
    assert grid.columns == ("of", "accuracy", "sensitivity", "n") and len(grid.rows) == 9
    assert grid.rows[0] == ("way 0", "0.0000", "0.2500", "137 pictures")
    assert grid.rows[3] == ("way 3", "0.3000, reported 0.5000", "–", "140 pictures")
    few = wide_grids(a_record(lines=tuple(lines[:6])))
    assert few[0].columns == ("figure", "reported", *(f"way {n}" for n in range(6)), "n")


def test_things_of_one_figure_have_one_table() -> None:
    types = ("basophil", "monocyte", "platelet")
    lines = [
        Line(f"gan, {kind}, {way}", "difference", None, "", place / 10, n=100)
        for place, kind in enumerate(types)
        for way in ("by pixels", "by features")
    ]
    (grid,) = wide_grids(a_record(lines=tuple(lines)))
    assert (grid.title, grid.columns) == ("difference", ("of", "by pixels", "by features", "n"))
    assert grid.rows[1] == ("gan, monocyte", "0.1000", "0.1000", "100 pictures")
    assert len(wide_grids(a_record(lines=tuple(lines[:4])))) == 2, "few stay apart"
    other = replace(lines[-1], row="gan, platelet, by hand")
    assert len(wide_grids(a_record(lines=(*lines[:-1], other)))) == 3, "as do unlike ones"


def test_facts_leave_out_what_is_not_known() -> None:
    assert facts_of(a_record())["Time"] == "13 min"
    assert facts_of(a_record(seed=7))["Seed"] == "7"
    assert facts_of(a_record())["Version"] == "smearlab 1.2, commit 0123456789ab"
    bare = facts_of(a_record(commit="", deviations=()))
    assert bare["Version"] == "smearlab 1.2"
    assert "Departs from the paper" not in bare


def test_lines_are_ranked_by_what_was_obtained() -> None:
    lines = [Line("a", "Dice", obtained=0.8), Line("b", "Dice", obtained=0.9), Line("c", "Dice"),
             Line("d", "Dice", obtained=math.nan), Line("e", "IoU", obtained=1.0)]  # fmt: skip
    assert [line.row for line in better_lines(lines, "Dice")] == ["b", "a"]
