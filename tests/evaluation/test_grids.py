"""Tables of words, wide and narrow."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from smearlab.evaluation.grids import Grid, chance, count, magnitude
from smearlab.evaluation.run_figures import evaluate_run
from smearlab.evaluation.run_grids import confusion_grid, origins_grid, text_grids
from smearlab.evaluation.runs import Predictions
from smearlab.evaluation.tested_runs import open_runs
from smearlab.metrics.intervals import clopper_pearson
from tested_run_folders import write_folds, write_run

GRID = Grid("Nets", ("run", "accuracy %", "n"), (("a|b", "97.10 (96.00–98.00)", "12"),), "Why.")


def shown(grid: Grid, width: int) -> str:
    stream = StringIO()
    grid.show(Console(file=stream, width=width))
    return stream.getvalue()


def test_a_terminal_loses_no_figure() -> None:
    wide, narrow = shown(GRID, 80), shown(GRID, 18)
    assert "97.10 (96.00–98.00)" in wide and "Why." in wide
    assert "accuracy %: 97.10" in " ".join(narrow.split()) and "(96.00–98.00)" in narrow
    assert "…" not in narrow


def test_markdown_keeps_its_columns() -> None:
    lines = GRID.markdown().splitlines()
    assert lines[0] == "**Nets**"
    assert lines[3] == "| --- | ---: | ---: |"
    assert lines[4] == "| a\\|b | 97.10 (96.00–98.00) | 12 |"
    assert lines[-1] == "Why."


def test_small_chances_are_never_zero() -> None:
    assert chance(0.0) == chance(1e-30) == "< 0.001"
    assert chance(0.5) == "0.50"
    assert chance(float("nan")) == "–"
    assert count(float("nan")) == "–" and magnitude(1.5e9) == "1.5 G"


@pytest.mark.parametrize("folds", [False, True])
def test_the_tables_of_a_run_hold_its_figures(tmp_path: Path, folds: bool) -> None:
    write = write_folds if folds else write_run
    result = evaluate_run(open_runs([write(tmp_path / "net", n=120)])[0], resamples=20)
    text = "\n".join(grid.markdown() for grid in text_grids(result))
    assert f"{100 * result['accuracy']:.2f}" in text
    assert "97.10" in text  # reported
    assert f"{result['ece_calibrated']:.4f}" in text
    assert all(name in text for name in result["types"])
    assert ("| mean |" in text) is folds


def test_a_confusion_matrix_of_nine_types_fits_a_terminal() -> None:
    labels = [
        *("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte", "erythroblast"),
        *("platelet", "immature granulocyte", "erythrocyte"),
    ]
    result = {"confusion": {"labels": labels, "matrix": [[800] * 9] * 9}}
    grid = confusion_grid(result)
    assert len(set(grid.columns)) == 10
    lines = shown(grid, 80).splitlines()
    assert sum(line.count("800") == 9 for line in lines) == 9  # a row each, none as a list
    # Blasts differ from their ripe cells in what comes after four letters.
    two = {"labels": ["monocyte", "monoblast"], "matrix": [[1, 0]] * 2}
    assert confusion_grid({"confusion": two}).columns == ("", "monoc", "monob")


def test_one_origin_needs_no_table(tmp_path: Path) -> None:
    result = evaluate_run(open_runs([write_run(tmp_path / "net", n=60)])[0], resamples=5)
    grid = origins_grid([result])
    assert grid is not None and grid.columns == ("run", "trained on", "on pbc", "on raabin")
    assert result["home"] is None
    alone = {**result, "origins": {"pbc": result["origins"]["pbc"]}}
    assert origins_grid([alone]) is None
    both = origins_grid([alone, result])
    assert both is not None and both.rows[0][3] == "–"


def test_a_run_of_another_stain_is_shown_at_home_and_away(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "net", n=60, groups_of=1)
    (folder / "config.json").write_text('{"asked": {"data": {"train_on": ["PBC"]}}}')
    (run,) = open_runs([folder])
    result = evaluate_run(run, resamples=5)
    held = Predictions.load(folder, "val")
    right = int((held.logits.argmax(1) == held.targets).sum())
    home = result["home"]
    assert (home["n"], home["n_groups"]) == (30, 30)
    assert home["accuracy"] == pytest.approx(right / 30)
    assert home["intervals"]["accuracy"] == pytest.approx(clopper_pearson(right, 30))
    away = {**result, "origins": {"raabin": result["origins"]["raabin"]}}
    grid = origins_grid([away, {**away, "home": None, "trained_on": ["pbc"]}])
    assert grid is not None
    assert grid.columns == ("run", "trained on", "at home", "on raabin")
    assert grid.rows[0][1] == "PBC" and f"{100 * right / 30:.2f}" in grid.rows[0][2]
    assert grid.rows[1][2] == "–"
