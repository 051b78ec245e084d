"""``smearlab verify``: refusals, and the score of a blind test."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from smearlab.cli.main import app
from smearlab.cli.verify import verify
from smearlab.evaluation.blind_test import Drawn, draw_blind_test


def run(*arguments: object) -> tuple[int, str]:
    """Exit status and everything that was printed."""
    words = ["verify", *(str(one) for one in arguments)]
    result = CliRunner().invoke(app, words, env={"COLUMNS": "160"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture
def drawn() -> Drawn:
    paths = np.array([f"{n}.png" for n in range(8)])
    told = {"types": np.array(["basophil", "monocyte"] * 4), "paths": paths, "groups": paths}
    return draw_blind_test(told, told, 2, 0)


def test_defaults_are_those_of_the_checks() -> None:
    pytest.importorskip("torch", reason="torch is not installed: the train extra is missing")
    from smearlab.learn.verification.config import VerifyConfig

    said = {name: one.default for name, one in inspect.signature(verify).parameters.items()}
    config = vars(VerifyConfig())
    same = {"epochs", "seeds", "network", "crop_px", "features", "seed"}
    assert {name: said[name] for name in same} == {name: config[name] for name in same}


def test_answers_are_scored(drawn: Drawn, tmp_path: Path) -> None:
    folder = tmp_path / "blind-test-key"
    folder.mkdir()
    drawn.key.save(folder / "key.json")
    answers = {str(c.number): {"type": c.type, "origin": "real"} for c in drawn.key.cells}
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"test": drawn.key.test, "answers": answers}))
    status, text = run("--score", path, "--out", tmp_path, "--json", tmp_path / "score.json")
    assert status == 0, text
    assert "type of all cells 8 100.00 (63.06–100.00)" in text
    assert "synthetic cells held for real 4 100.00" in text
    found = json.loads((tmp_path / "score.json").read_text())
    assert found["origin"]["accuracy"] == 0.5
    assert found["smearlab"]


def test_answers_of_another_test_end_with_one(drawn: Drawn, tmp_path: Path) -> None:
    drawn.key.save(tmp_path / "key.json")
    (tmp_path / "answers.json").write_text(json.dumps({"test": "other", "answers": {}}))
    status, text = run("--score", tmp_path / "answers.json", "--key", tmp_path / "key.json")
    assert status == 1
    assert "answers the test 'other'" in text


def test_wrong_calls_end_with_two_and_say_why(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: the train extra is missing")
    for words, said in (
        ((), "name the synthetic pictures and, with --real, the real ones"),
        ((tmp_path, "--real", tmp_path, "--json", tmp_path / "x.json"), "--json and --key go with"),
        ((tmp_path, "--real", tmp_path, "--only", "figure"), "did you mean 'figures'"),
        ((tmp_path, "--real", tmp_path, "--network", "w_nett"), "did you mean 'w_net'"),
        ((tmp_path, "--real", tmp_path, "--share", "-3"), "shares must lie within 0 to 10"),
        ((tmp_path, "--real", tmp_path), "holds no manifest.parquet or manifest.csv"),
    ):
        status, text = run(*words, "--out", tmp_path / "out")
        assert status == 2, text
        assert said in text
