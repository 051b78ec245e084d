"""Runs side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from smearlab.errors import UsageError
from smearlab.evaluation.comparison import compare_runs
from smearlab.evaluation.comparison_grids import comparison_grids, results_grid, tests_grid
from smearlab.evaluation.tested_runs import open_runs
from smearlab.metrics.significance import holm
from tested_run_folders import write_folds, write_run

tests_grid.__test__ = False  # a table, no test


def three(folder: Path) -> list[Path]:
    """A good run, a worse one, and one as good as the first; all of the same pictures."""
    return [
        write_run(folder / "worse", n=300, accuracy=0.8, seed=1, train_seconds=None),
        write_run(folder / "good", n=300, accuracy=0.95, seed=2),
        write_folds(folder / "folds", 3, n=300, accuracy=0.94, seed=3, reported={}),
    ]


def test_the_best_is_tested_against_every_other(tmp_path: Path) -> None:
    runs = open_runs(three(tmp_path))
    result = compare_runs(runs, resamples=400)
    best = max(runs, key=lambda run: run.right.mean())
    assert result["tests"]["best"] == best.name
    against = result["tests"]["against"]
    assert [one["run"] for one in against] == [run.name for run in runs if run is not best]
    by_path = dict(zip(best.test.paths, best.right, strict=True))
    for one in against:
        other = next(run for run in runs if run.name == one["run"])
        ours = np.array([by_path[path] for path in other.test.paths])
        assert one["accuracy"]["value"] == pytest.approx(ours.mean() - other.right.mean())
        low, high = one["accuracy"]["interval"]
        assert low <= one["accuracy"]["value"] <= high
        first, second = (ours & ~other.right).sum(), (other.right & ~ours).sum()
        assert one["mcnemar"]["p"] == pytest.approx(
            binomtest(int(first), int(first + second)).pvalue
        )
    raised = holm([one["mcnemar"]["p"] for one in against])
    assert [one["mcnemar"]["p_holm"] for one in against] == pytest.approx(raised)
    worse = next(one for one in against if one["run"] == "worse")
    assert worse["accuracy"]["p"] < 0.05 and worse["mcnemar"]["p"] < 0.001


def test_pairing_makes_the_interval_narrow(tmp_path: Path) -> None:
    """Two runs that differ on two pictures only differ little in every resample."""
    folder = write_run(tmp_path / "a", n=300, accuracy=0.8)
    one = open_runs([folder])[0]
    logits = one.test.logits.copy()
    wrong = np.flatnonzero(~one.right)[:2]
    logits[wrong, one.test.targets[wrong]] = 99
    better = replace(one, name="better", test=replace(one.test, logits=logits))
    (against,) = compare_runs([one, better], resamples=300)["tests"]["against"]
    assert against["accuracy"]["value"] == pytest.approx(2 / 300)
    low, high = against["accuracy"]["interval"]
    assert low >= 0 and high < 0.03


def test_groups_are_drawn_whole(tmp_path: Path) -> None:
    """Where ten pictures of a group are answered alike, the interval is about √10 as wide."""
    widths = []
    for size in (1, 10):
        runs = []
        for name, share in (("a", 0.9), ("b", 0.6)):
            run = open_runs([write_run(tmp_path / f"{name}{size}", n=500)])[0]
            right = np.repeat(np.random.default_rng(len(name)).random(50) < share, 10)
            logits = np.full((500, 5), 0.0, np.float32)
            answers = np.where(right, run.test.targets, (run.test.targets + 1) % 5)
            logits[np.arange(500), answers] = 1
            groups = np.array([str(n // size) for n in range(500)])
            runs.append(replace(run, test=replace(run.test, logits=logits, groups=groups)))
        (against,) = compare_runs(runs, resamples=1000)["tests"]["against"]
        low, high = against["accuracy"]["interval"]
        widths.append(high - low)
    assert widths[1] / widths[0] == pytest.approx(np.sqrt(10), rel=0.2)


def test_a_row_says_what_was_trained_and_what_it_cost(tmp_path: Path) -> None:
    folders = three(tmp_path)
    bundle = folders[1] / "bundle"
    bundle.mkdir()
    (bundle / "model.onnx").write_bytes(b"x" * 1234)
    (folders[1] / "bundle-int8-beside").mkdir()
    (folders[1] / "bundle-int8-beside" / "model.onnx").write_bytes(b"x")
    worse, good, folds = compare_runs(open_runs(folders), resamples=20)["runs"]
    assert good["bundle_bytes"] == 1234 and worse["bundle_bytes"] is None
    assert worse["train_seconds"] is None and good["train_seconds"] == 754
    assert good["reported"] == {"accuracy": 0.971, "precision": 0.97}
    assert folds["reported"] == {} and folds["folds"] == 3 and good["folds"] is None
    assert good["parameters"] == 653_129 and good["macs"] == 60_100_000
    low, high = good["intervals"]["f1"]
    assert low <= good["obtained"]["f1"] <= high


def test_tables_put_reported_beside_obtained(tmp_path: Path) -> None:
    result = compare_runs(open_runs(three(tmp_path)), resamples=50)
    grids = comparison_grids(result)
    heads = results_grid(result).columns
    assert heads[4:8] == ("accuracy %", "reported", "precision %", "reported")
    assert heads[8:] == ("recall %", "F1 %")  # nothing is reported of these
    text = "\n".join(grid.markdown() for grid in grids)
    assert "97.10" in text and "honest, 3 folds" in text and "13 min" in text
    assert "good, the most accurate" in text or "folds, the most accurate" in text
    assert "on raabin" in text
    rows = {row[0]: row for row in results_grid(result).rows}
    assert rows["folds"][5] == "–"


def test_specificity_stands_where_a_paper_reports_it(tmp_path: Path) -> None:
    told = {"accuracy": 0.984, "specificity": 0.9821, "train_seconds": 28_980, "parameters": 5}
    folders = [write_run(tmp_path / "a", n=60, reported=told), write_run(tmp_path / "b", n=60)]
    result = compare_runs(open_runs(folders), resamples=20)
    grid, costs, *_ = comparison_grids(result)
    place = grid.columns.index("specificity %")
    assert grid.columns[place + 1] == "reported"
    assert [row[place + 1] for row in grid.rows] == ["98.21", "–"]
    shown = f"{100 * result['runs'][0]['obtained']['specificity']:.2f}"
    assert grid.rows[0][place].startswith(shown)
    assert "13 min (8 h 3 min)" in costs.rows[0] and "653\u202f129 (5)" in costs.rows[0]


def test_different_pictures_are_refused_unless_nothing_is_tested(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / "a", n=40), write_run(tmp_path / "b", n=40, first=20)]
    runs = open_runs(folders)
    with pytest.raises(UsageError, match="and 20 are the same"):
        compare_runs(runs)
    result = compare_runs(runs, tests=False, resamples=20)
    assert result["tests"] is None and len(result["runs"]) == 2
    alone = compare_runs(runs[:1], resamples=20)
    assert alone["tests"] is None
    with pytest.raises(UsageError, match="no run to compare"):
        compare_runs([])
