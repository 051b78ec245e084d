"""Order, failures and partners of files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from smearlab.errors import ImageError
from smearlab.evaluation.files import over_files, partner
from smearlab.evaluation.results import intervals, plain


def work(number: int) -> int:
    if number % 3 == 0:
        raise ImageError(f"{number} is bad")
    return number * number


@pytest.mark.parametrize("jobs", [1, 4])
def test_order_and_failures(jobs: int) -> None:
    ticks: list[None] = []
    good, bad = over_files(
        range(7),
        work,
        path_of=lambda n: Path(f"{n}.png"),
        jobs=jobs,
        advance=lambda: ticks.append(None),
    )
    assert good == [1, 4, 16, 25]
    assert [(one.path, one.reason) for one in bad] == [
        ("0.png", "0 is bad"),
        ("3.png", "3 is bad"),
        ("6.png", "6 is bad"),
    ]
    assert len(ticks) == 7


@pytest.mark.parametrize("jobs", [1, 4])
def test_what_is_no_fault_of_a_file_is_not_hidden(jobs: int) -> None:
    def broken(_: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        over_files(range(3), broken, path_of=lambda n: Path(str(n)), jobs=jobs)
    with pytest.raises(ValueError, match="received 0"):
        over_files(range(3), work, path_of=lambda n: Path(str(n)), jobs=0)


def test_partner_prefers_the_same_place_then_the_plain_name(tmp_path: Path) -> None:
    images, boxes = tmp_path / "images", tmp_path / "boxes"
    (boxes / "day").mkdir(parents=True)
    for name in ("a.txt", "day/a.txt", "b_mask.txt", "b.txt"):
        (boxes / name).touch()

    def found(path: str) -> Path | None:
        return partner(images / path, images, boxes, (".txt",), ("", "_mask"))

    assert found("day/a.png") == boxes / "day" / "a.txt"
    assert found("a.png") == boxes / "a.txt"
    assert found("b.png") == boxes / "b.txt"
    assert found("day/b.png") == boxes / "b.txt"
    assert found("c.png") is None


def test_plain_numbers() -> None:
    value = plain({"a": np.float64(0.5), "b": (math.nan, np.int64(3)), "c": np.eye(2), "d": "x"})
    assert value == {"a": 0.5, "b": [None, 3], "c": [[1.0, 0.0], [0.0, 1.0]], "d": "x"}
    assert plain({"yes": True, "none": None}) == {"yes": True, "none": None}


def test_one_unit_has_no_interval() -> None:
    draws = {"f1": np.array([0.5, 0.5])}
    assert intervals(draws, 2)["f1"] == (0.5, 0.5)
    assert all(math.isnan(end) for end in intervals(draws, 1)["f1"])
