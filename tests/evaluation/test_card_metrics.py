"""Figures on cards, and the command that shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from smearlab.cli import card as card_command
from smearlab.errors import UsageError
from smearlab.evaluation.card_metrics import add_metrics, summarise_result

CARD = {
    "kind": "classifier",
    "name": "tiny",
    "sha256": "ab" * 32,
    "classes": ["platelet"],
    "input_px": 8,
    "context": 1.2,
    "threshold": 0.5,
}
RESULT = {
    "accuracy": 0.75,
    "RBC": {"ap50": 0.5, "n": 7},
    "confusion": {"matrix": [[1]]},
    "n": 8,
    "intervals": {"accuracy": [0.5, 0.875], "RBC": {"ap50": [None, None]}, "ghost": [0, 1]},
    "models": {"classifier": {"name": "tiny", "sha256": "ab" * 32}},
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "card.json").write_text(json.dumps(CARD))
    return tmp_path


def call(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    card_command.register(app)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_a_summary_keeps_figures_with_intervals_and_drops_the_bulk() -> None:
    assert summarise_result(RESULT) == {
        "n": 8,
        "accuracy": {"value": 0.75, "low": 0.5, "high": 0.875},
        "RBC.ap50": {"value": 0.5, "low": None, "high": None},
    }


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(UsageError, match="intervals"):
        summarise_result({"accuracy": 1.0})


def test_figures_are_added_beside_those_that_are_there(bundle: Path) -> None:
    add_metrics(bundle, "classifier", "first", RESULT)
    add_metrics(bundle, "classifier", "second", {**RESULT, "accuracy": 0.8})
    metrics = json.loads((bundle / "card.json").read_text())["metrics"]
    assert [metrics[name]["accuracy"]["value"] for name in ("first", "second")] == [0.75, 0.8]


def test_figures_of_another_model_are_refused(bundle: Path) -> None:
    other = {**RESULT, "models": {"classifier": {"sha256": "cd" * 32}}}
    with pytest.raises(UsageError, match="measured with classifier cdcd"):
        add_metrics(bundle, "classifier", "first", other)
    assert "metrics" not in json.loads((bundle / "card.json").read_text())


def test_the_command_shows_and_adds(bundle: Path, tmp_path: Path) -> None:
    result = tmp_path / "cells.json"
    result.write_text(json.dumps(RESULT))
    code, output = call(str(bundle), "--kind", "classifier", "--add", f"val={result}")
    assert code == 0, output
    assert json.loads(output)["metrics"]["val"]["accuracy"]["high"] == 0.875


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--kind", "segmentor"], "did you mean 'segmenter'"),
        (["nonesuch"], "unknown segmenter bundle 'nonesuch'"),
    ],
)
def test_wrong_calls_are_named(arguments: list[str], says: str) -> None:
    code, output = call(*arguments)
    assert code == 2
    assert says in output


def test_a_bad_addition_is_named(bundle: Path) -> None:
    code, output = call(str(bundle), "--kind", "classifier", "--add", "val")
    assert code == 2
    assert "NAME=FILE" in output
