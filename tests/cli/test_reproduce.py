"""``smearlab reproduce``: a table from training to page, and refusals."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from smearlab.cli.main import app
from smearlab.evaluation.reproductions import Line, Record


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


def test_the_page_holds_the_pictures_of_a_record(tmp_path: Path) -> None:
    folder = tmp_path / "rwp_gan" / "honest-smoke"
    Record(
        name="rwp_gan", title="Elements", paper="Khan et al. 2024", protocol="honest",
        scale="smoke", lines=(Line("WBC", "PCC", 0.998, "Table 2", 0.99),), data=(), deviations=(),
        hardware="x", command="x", commit="", version="1", finished="2026-01-01", seconds=1.0,
        pages=("wbc.png", "gone.png", "more.html"),
    ).save(folder)  # fmt: skip
    png = cv2.imencode(".png", np.full((9, 9, 3), 7, np.uint8))[1].tobytes()
    (folder / "wbc.png").write_bytes(png)
    assert run("report", "--out", tmp_path)[0] == 0
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    shown = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="wbc"', page)
    assert [base64.b64decode(one) for one in shown] == [png]
    assert "img-src data:" in page, "the page may show it"
    assert 'href="rwp_gan/honest-smoke/wbc.png"' in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lwcn", "--data", "simulated"), "did you mean 'lwcnn'"),
        (("lwcnn",), "say what to learn from and measure on"),
        (("lwcnn", "--data", "simulated", "--scale", "tiny"), "unknown scale 'tiny'"),
        (("lwcnn", "--data", "simulated", "--protocol", "pape"), "did you mean 'paper'"),
        (("rwp_gan", "--data", "simulated", "--only", "pix2px"), "did you mean 'pix2pix'"),
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
    for name in ("lwcnn", "w_net", "vgg19_wbc", "senet154_ge", "rwp_classify", "rwp_gan"):
        assert name in text
    assert "Say --data DIR to see which data are here." in text
