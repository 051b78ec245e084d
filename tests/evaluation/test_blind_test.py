"""The blind test: what is drawn, what the key keeps, how answers are scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.errors import DataError, UnknownNameError
from smearlab.evaluation.blind_test import (
    NO_ANSWER,
    BlindKey,
    Drawn,
    draw_blind_test,
    read_answers,
    score,
)
from smearlab.metrics.intervals import clopper_pearson

TYPES = np.array(["basophil"] * 12 + ["monocyte"] * 12)


def told(origin: str, groups: np.ndarray | None = None) -> dict[str, np.ndarray]:
    paths = np.array([f"{origin}/{n}.png" for n in range(len(TYPES))])
    return {"types": TYPES, "paths": paths, "groups": paths if groups is None else groups}


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return draw_blind_test(told("real"), told("made"), 10, 3)


def write(folder: Path, test: str, answers: dict[str, Any]) -> Path:
    path = folder / "answers.json"
    path.write_text(json.dumps({"test": test, "answers": answers}))
    return path


def test_as_many_of_each_type_and_origin_in_mixed_order(drawn: Drawn) -> None:
    cells = drawn.key.cells
    assert [cell.number for cell in cells] == list(range(1, 41))
    for kind in ("basophil", "monocyte"):
        for origin in ("real", "synthetic"):
            assert sum((c.type, c.origin) == (kind, origin) for c in cells) == 10
    origins = [cell.origin for cell in cells]
    assert origins != sorted(origins)
    for (origin, row), cell in zip(drawn.rows, cells, strict=True):
        assert cell.path == f"{'real' if origin == 'real' else 'made'}/{row}.png"


def test_the_draw_follows_the_seed(drawn: Drawn) -> None:
    assert draw_blind_test(told("real"), told("made"), 10, 3).key == drawn.key
    assert draw_blind_test(told("real"), told("made"), 10, 4).key.test != drawn.key.test


def test_one_picture_of_a_group_as_long_as_there_are_others() -> None:
    groups = np.repeat([f"g{n}" for n in range(8)], 3)
    found = draw_blind_test(told("real", groups), told("made"), 4, 0).key
    for kind in ("basophil", "monocyte"):
        chosen = [c.group for c in found.cells if (c.type, c.origin) == (kind, "real")]
        assert len(set(chosen)) == len(chosen) == 4


def test_fewer_where_there_are_fewer() -> None:
    assert len(draw_blind_test(told("real"), told("made"), 99, 0).key.cells) == 48


def test_a_key_is_read_as_it_was_written(drawn: Drawn, tmp_path: Path) -> None:
    drawn.key.save(tmp_path / "key.json")
    assert BlindKey.load(tmp_path / "key.json") == drawn.key
    with pytest.raises(DataError, match="does not exist"):
        BlindKey.load(tmp_path / "other.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(DataError, match="no key"):
        BlindKey.load(tmp_path / "bad.json")


def test_score_by_hand(drawn: Drawn, tmp_path: Path) -> None:
    """All types right but one, which is left open; every synthetic basophil is held for real."""
    answers = {}
    for cell in drawn.key.cells:
        real = cell.origin == "real" or cell.type == "basophil"
        answers[str(cell.number)] = {"type": cell.type, "origin": "real" if real else "synthetic"}
    left = next(c for c in drawn.key.cells if c.origin == "real" and c.type == "monocyte")
    answers[str(left.number)] = {"type": None, "origin": "real"}
    found = score(drawn.key, read_answers(write(tmp_path, drawn.key.test, answers), drawn.key))
    assert (found["n"], found["n_answered"]) == (40, 39)
    assert found["types"]["all"]["accuracy"] == pytest.approx(39 / 40)
    assert found["types"]["all"]["intervals"]["accuracy"] == clopper_pearson(39, 40)
    assert found["types"]["synthetic"]["accuracy"] == 1
    assert found["types"]["real"]["confusion"]["matrix"].tolist() == [[10, 0, 0], [0, 9, 1]]
    assert found["origin"]["accuracy"] == pytest.approx(30 / 40)
    assert found["taken_for_real"]["value"] == 0.5
    assert found["taken_for_real"]["interval"] == clopper_pearson(10, 20)


def test_cells_that_are_not_named_count_as_wrong(drawn: Drawn, tmp_path: Path) -> None:
    path = write(tmp_path, drawn.key.test, {"1": {"type": drawn.key.cells[0].type}})
    answers = read_answers(path, drawn.key)
    assert answers == {1: (drawn.key.cells[0].type, NO_ANSWER)}
    found = score(drawn.key, answers)
    assert found["types"]["all"]["accuracy"] == pytest.approx(1 / 40)
    assert found["origin"]["accuracy"] == 0
    assert found["taken_for_real"]["value"] == 0


@pytest.mark.parametrize(
    ("answers", "error", "message"),
    [
        ({"41": {"type": "basophil"}}, DataError, "answers cell 41; there are 40"),
        ({"1": {"type": "basophile"}}, UnknownNameError, "did you mean 'basophil'"),
        ({"1": {"origin": "fake"}}, UnknownNameError, "origin of cell 1"),
        ({"one": {}}, DataError, "no answers"),
        ([], DataError, "no answers"),
    ],
)
def test_answers_that_do_not_fit_are_refused(
    drawn: Drawn, tmp_path: Path, answers: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_answers(write(tmp_path, drawn.key.test, answers), drawn.key)


def test_answers_of_another_test_are_refused(drawn: Drawn, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="answers the test 'other'"):
        read_answers(write(tmp_path, "other", {}), drawn.key)
    with pytest.raises(DataError, match="does not exist"):
        read_answers(tmp_path / "none.json", drawn.key)
