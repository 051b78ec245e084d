"""``smearlab evaluate RUN…``: figures, report, refusals, and how it lives beside the commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from smearlab.cli.evaluate import commands
from smearlab.evaluation.run_figures import evaluate_run
from smearlab.evaluation.runs import Predictions
from smearlab.evaluation.tested_runs import open_runs
from tested_run_folders import write_folds, write_run


def run(*arguments: object) -> tuple[int, str]:
    """Exit status and everything that was printed."""
    result = CliRunner().invoke(commands, [str(one) for one in arguments], env={"COLUMNS": "160"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.split())


def test_the_help_explains_both() -> None:
    status, text = run("--help")
    assert status == 0
    assert "smearlab evaluate RUN… is smearlab evaluate run RUN…" in text.replace("│ │ ", "")
    assert all(name in text for name in ("fields", "masks", "cells", "run"))
    status, text = run("run", "--help")
    assert status == 0
    assert "Example: smearlab evaluate runs/lwcnn" in text
    assert "Example: smearlab evaluate run runs/lwcnn" in text


@pytest.mark.parametrize("before", [(), ("run",)])
def test_figures_are_printed_and_written(tmp_path: Path, before: tuple[str, ...]) -> None:
    folder = write_run(tmp_path / "net", n=60)
    out = tmp_path / "net.json"
    status, text = run(*before, folder, "--json", out)
    assert status == 0, text
    written = json.loads(out.read_text())
    expected = evaluate_run(open_runs([folder])[0])
    assert written["runs"] == [expected]
    assert written["smearlab"]
    assert f"{100 * expected['accuracy']:.2f}" in text
    assert "calibration error at the temperature" in text


def test_options_may_come_first(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "net", n=40)
    out = tmp_path / "net.json"
    status, text = run("--json", out, folder)
    assert status == 0, text
    assert out.is_file()


def test_the_report_shows_pictures_where_they_lie(tmp_path: Path) -> None:
    folder = write_folds(tmp_path / "net", 2, n=40, accuracy=0.7)
    for path in Predictions.load(folder / "fold-1", "test").paths:
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 20, 3), 99, np.uint8)).save(tmp_path / "data" / path)
    page = tmp_path / "net.html"
    call = (folder, "--html", page, "--data", tmp_path / "data", "--no-grad-cam")
    status, text = run(*call, "--most-wrong", 5)
    assert status == 0, text
    assert f"report: {page}" in text
    shown = page.read_text(encoding="utf-8")
    assert shown.count('<div class="pair">') == 5
    assert "data:image/jpeg" in shown and "Grad-CAM map:" not in shown
    status, text = run(*call[:-1])  # the runs hold no weights
    assert status == 0, text
    assert "No Grad-CAM maps" in page.read_text(encoding="utf-8")


def test_pictures_are_found_where_the_run_found_them(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")
    from manifest_rows import manifest_of
    from smearlab.datasets.manifest.table import write_manifest

    folder = write_run(tmp_path / "net", n=40, accuracy=0.7)
    paths = [str(path) for path in Predictions.load(folder, "test").paths]
    manifest = manifest_of([{"path": path} for path in paths], tmp_path / "data")
    write_manifest(folder / "manifest.parquet", manifest)
    page = tmp_path / "net.html"
    status, text = run(folder, "--html", page, "--no-grad-cam")
    assert status == 0, text
    shown = page.read_text(encoding="utf-8")
    assert "not where the run found them" in shown and 'class="pair"' not in shown
    for path in paths:
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 20, 3), 99, np.uint8)).save(tmp_path / "data" / path)
    status, text = run(folder, "--html", page, "--no-grad-cam", "--most-wrong", 3)
    assert status == 0, text
    assert page.read_text(encoding="utf-8").count('<div class="pair">') == 3


def test_wrong_calls_end_with_two_and_say_why(tmp_path: Path) -> None:
    good = write_run(tmp_path / "good", n=40)
    other = write_run(tmp_path / "other", n=40, classes=("a", "b"))
    begun = tmp_path / "begun"
    begun.mkdir()
    page = ("--html", tmp_path / "page.html")
    calls = {
        (tmp_path / "nowhere",): "nowhere is no folder",
        (begun,): "is no finished run",
        (good, other): "know different classes",
        (good, good): "named twice",
        (good, "--json", tmp_path): "is a folder",
        (good, "--html", tmp_path / "no" / "page.html"): "make it first",
        (good, "--data", tmp_path): "name its file with --html",
        (good, *page, "--data", tmp_path / "no"): "is no folder",
        (good, *page, "--data", begun): "none of the pictures of good is in",
        (good, "--most-wrong", -1): "--most-wrong",
        ("fieldz", "--images", "x"): "No such command 'fieldz'",
        ("run",): "Missing argument",
    }
    for call, reason in calls.items():
        status, text = run(*call)
        assert status == 2, (call, text)
        assert reason in text, (call, text)


def test_a_run_called_like_a_command_is_asked_for_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(Path("cells"), n=30)
    write_run(Path("cell"), n=30)
    status, text = run("run", "cells")
    assert status == 0 and "cells: 30 test pictures" in text
    status, text = run("cell")  # close to a command, but it is there
    assert status == 0 and "cell: 30 test pictures" in text
