"""``smearlab compare``: tables in four forms, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from smearlab.cli.main import app
from tested_run_folders import write_folds, write_run


def run(*arguments: object) -> tuple[int, str]:
    """Exit status and everything that was printed."""
    words = ["compare", *(str(one) for one in arguments)]
    result = CliRunner().invoke(app, words, env={"COLUMNS": "160"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.split())


def test_the_table_in_all_forms(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / "a", n=60, seed=1), write_folds(tmp_path / "b", 2, n=60)]
    outs = [tmp_path / f"table.{kind}" for kind in ("md", "json", "html")]
    options = [word for out in outs for word in ("--out", out)]
    status, text = run(*folders, *options)
    assert status == 0, text
    markdown, figures, page = (out.read_text(encoding="utf-8") for out in outs)
    result = json.loads(figures)
    for row in result["runs"]:
        shown = f"{100 * row['obtained']['accuracy']:.2f}"
        assert all(shown in form for form in (text, markdown, page))
    assert "the most accurate, against the others" in text
    assert sum(line.startswith("| ---") for line in markdown.splitlines()) == 4
    assert page.startswith("<!DOCTYPE html>")


def test_without_tests_pictures_may_differ(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / "a", n=40), write_run(tmp_path / "b", n=40, first=20)]
    status, text = run(*folders)
    assert status == 2
    assert "and 20 are the same" in text
    status, text = run(*folders, "--no-tests")
    assert status == 0, text
    assert "McNemar" not in text


def test_wrong_calls_end_with_two_and_say_why(tmp_path: Path) -> None:
    good = write_run(tmp_path / "good", n=20)
    other = write_run(tmp_path / "other", n=20, classes=("a", "b"))
    folds = write_folds(tmp_path / "folds", 2, n=20)
    (folds / "fold-2" / "summary.json").unlink()
    calls = {
        (): "Missing argument",
        (tmp_path / "no",): "no is no folder",
        (good, other): "know different classes",
        (folds,): "fold-2 is no finished run",
        (good, "--out", tmp_path / "table.txt"): "choose one of .html, .json, .md",
        (good, "--out", tmp_path / "no" / "table.md"): "make it first",
    }
    for call, reason in calls.items():
        status, text = run(*call)
        assert status == 2, (call, text)
        assert reason in text, (call, text)
