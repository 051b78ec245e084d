"""``smearlab reproduce``: a table from training to page, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smearlab.cli.main import app


def run(*words: object) -> tuple[int, str]:
    """Exit status and everything that was printed."""
    given = ["reproduce", *(str(one) for one in words)]
    result = CliRunner().invoke(app, given, env={"COLUMNS": "200", "SMEARLAB_DATA": ""})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.split())


def test_a_table_from_training_to_page(tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, text = run(
        "lwcnn", "--data", "simulated", "--scale", "smoke", "--out", out, "--quiet"
    )  # fmt: skip
    assert status == 0, text
    record = json.loads((out / "lwcnn" / "honest-smoke" / "record.json").read_text())
    reported = {line["figure"]: line["reported"] for line in record["lines"]}
    assert reported["accuracy"] == 0.971
    assert all(0 <= line["obtained"] <= 1 for line in record["lines"][:5])
    assert record["hardware"]
    assert "0.9710" in text
    assert "653129" in text
    status, text = run("report", "--out", out)
    assert status == 0, text
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "Types of single cells by LWCNN" in page
    assert 'href="lwcnn/honest-smoke/comparison.html"' in page
    assert "shows that all runs and nothing of what the networks can do" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lwcn", "--data", "simulated"), "did you mean 'lwcnn'"),
        (("lwcnn",), "say what to learn from and measure on"),
        (("lwcnn", "--data", "simulated", "--scale", "tiny"), "unknown scale 'tiny'"),
        (("lwcnn", "--data", "simulated", "--protocol", "pape"), "did you mean 'paper'"),
    ],
)
def test_wrong_calls_end_with_two_and_say_why(words: tuple[str, ...], said: str) -> None:
    status, text = run(*words)
    assert status == 2
    assert said in text


def test_no_page_without_a_record(tmp_path: Path) -> None:
    status, text = run("report", "--out", tmp_path)
    assert status == 2
    assert "holds no record" in text
    assert not list(tmp_path.iterdir())


def test_the_list_names_every_experiment() -> None:
    status, text = run("list")
    assert status == 0
    for name in ("lwcnn", "w_net", "vgg19_wbc", "senet154_ge", "rwp_classify"):
        assert name in text
    assert "Say --data DIR to see which data are here." in text
