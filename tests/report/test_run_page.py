"""The pages of classifiers: whole, self-contained, escaped, and honest."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from smearlab.evaluation.comparison import compare_runs
from smearlab.evaluation.comparison_grids import comparison_grids
from smearlab.evaluation.run_figures import evaluate_run
from smearlab.evaluation.run_grids import origins_grid, page_grids
from smearlab.evaluation.tested_runs import open_runs
from smearlab.evaluation.training_log import training_curves
from smearlab.report.comparison_page import accuracy_chart, write_comparison_page
from smearlab.report.run_charts import (
    coverage_chart,
    learning_charts,
    matrix_chart,
    reliability_chart,
    training_charts,
)
from smearlab.report.run_page import RunOnPage, WrongPicture, cautions, write_run_page
from tested_run_folders import write_folds, write_run

_SHOUT = "<script>alert(1)</script>"
_VOID = {"meta", "link", "img", "br", "rect", "line", "path", "circle"}


class Balanced(HTMLParser):
    """Fails where an element is closed that is not open, and collects ids and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        values = dict(attributes)
        self.ids += [values["id"]] if values.get("id") else []
        self.hrefs += [values["href"]] if tag == "a" and values.get("href") else []
        assert not values.get("style"), "the policy of the page forbids style attributes"
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """An element without content."""

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        assert self.open.pop() == tag


def checked(path: Path) -> str:
    """The page, if it is sound."""
    text = path.read_text(encoding="utf-8")
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    assert all(href[1:] in parser.ids for href in parser.hrefs), parser.hrefs
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)
    assert "<script" not in text
    assert "Research use only" in text
    assert not re.search(r"\bnan\b|\bNone\b", re.sub(r"base64,[^\"]+", "", text))
    return text


def measured(folder: Path) -> Mapping[str, Any]:
    return evaluate_run(open_runs([folder])[0], resamples=20)


def test_a_page_of_two_runs_is_whole(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / "net", n=90), write_folds(tmp_path / "k", 3, n=90)]
    runs = open_runs(folders)
    results = [evaluate_run(run, resamples=20) for run in runs]
    picture = WrongPicture("x.png", "basophil", "monocyte", 0.9, 0.05, b"jpeg", b"map")
    bare = replace(picture, path=_SHOUT, jpeg=None, map_jpeg=None)
    pages = [
        RunOnPage(
            result,
            page_grids(result),
            [training_curves(folder) for folder in run.folders],
            [picture, bare],
            ["a note"],
        )
        for run, result in zip(runs, results, strict=True)
    ]
    path = tmp_path / "page.html"
    write_run_page(path, pages, origins_grid(results))
    text = checked(path)
    assert f"{100 * results[0]['accuracy']:.2f}" in text
    assert "Folds" in text and "on raabin" in text and "a note" in text
    assert "data:image/jpeg;base64,bWFw" in text  # "map"
    assert "cannot be shown" in text and "&lt;script&gt;" in text
    assert text.count('<svg class="curves"') == 2 * (2 + 2 + 1 + 2)
    assert "12 epochs instead of 100" in text and "653" in text


def test_a_page_of_a_poor_run_is_whole(tmp_path: Path) -> None:
    """No validation, no log, one type only, no picture, nothing reported."""
    folder = write_run(
        tmp_path / "poor", n=4, groups_of=4, val=False, log=False, reported={}, macs=None,
        train_seconds=None, images_per_s=None, accuracy=1.0, protocol="paper",
    )  # fmt: skip
    result = measured(folder)
    path = tmp_path / "page.html"
    write_run_page(path, [RunOnPage(result, page_grids(result), [training_curves(folder)])])
    text = checked(path)
    assert "no temperature was fitted" in text and "flatters" in text
    assert "No test picture was answered wrongly" in text
    assert "Training</h3>" not in text


def test_a_page_of_one_group_is_whole(tmp_path: Path) -> None:
    """A single group of right and wrong answers has no interval, nor has a bin of one."""
    folder = write_run(tmp_path / "few", n=40, groups_of=40, accuracy=0.5)
    result = measured(folder)
    bins = [one for one in result["reliability"]["raw"] if one["n"]]
    assert any(one["interval"] == [None, None] for one in bins)
    path = tmp_path / "page.html"
    write_run_page(path, [RunOnPage(result, page_grids(result))])
    checked(path)
    shown = reliability_chart(bins, "some", None)
    bare = [one["interval"][0] is None for one in bins]
    assert all(w.low_y == w.high_y for w, alone in zip(shown.whiskers, bare, strict=True) if alone)


def test_wrong_answers_are_listed_where_there_are_no_pictures(tmp_path: Path) -> None:
    result = measured(write_run(tmp_path / "net", n=60, accuracy=0.5))
    path = tmp_path / "page.html"
    write_run_page(path, [RunOnPage(result, page_grids(result))])
    assert result["most_wrong"][0]["path"] in checked(path)


def test_cautions_fit_the_run(tmp_path: Path) -> None:
    honest = measured(write_run(tmp_path / "a", n=300, groups_of=1))
    assert cautions(honest) == []
    said = " ".join(cautions(measured(write_run(tmp_path / "b", n=100, datasets=("simulated",)))))
    assert "Few groups of test pictures: basophil (10)" in said
    assert "say nothing about blood" in said


def test_all_that_is_reported_is_shown(tmp_path: Path) -> None:
    told = {"accuracy": 0.971, "folds": [0.97, 0.98], "accuracy on ALL-IDB1": 0.8888, "where": "T"}
    result = measured(write_run(tmp_path / "net", n=60, reported=told))
    path = tmp_path / "page.html"
    write_run_page(path, [RunOnPage(result, page_grids(result))])
    assert "folds 97.00, 98.00 %; accuracy on ALL-IDB1 88.88 %" in checked(path)


def test_the_comparison_is_whole(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / "a", n=90, seed=1), write_run(tmp_path / "b", n=90, seed=5)]
    result = compare_runs(open_runs(folders), resamples=20)
    path = tmp_path / "page.html"
    write_comparison_page(path, result, comparison_grids(result))
    text = checked(path)
    assert "97.10" in text and "McNemar" in text and "12 epochs instead of 100" in text
    sizes = [{**run, "n_train": n} for n in (50, 200, 800) for run in result["runs"][:1]]
    write_comparison_page(path, {**result, "runs": sizes}, comparison_grids(result))
    assert "Accuracy over the number of training pictures" in checked(path)
    alone = compare_runs(open_runs(folders), tests=False, resamples=20)
    write_comparison_page(path, alone, comparison_grids(alone))
    assert "not tested against each other" in checked(path)


def test_the_chart_of_accuracies_holds_intervals_and_reported(tmp_path: Path) -> None:
    runs = [
        {
            "run": name,
            "n": 100,
            "obtained": {"accuracy": 0.9},
            "intervals": {"accuracy": [0.82, 0.95]},
            "reported": told,
        }
        for name, told in (("a", {"accuracy": 0.5}), ("b", {}))
    ]
    chart = accuracy_chart(runs)
    first, second = chart.rows
    assert chart.left <= first.reported_x < first.low_x < first.x < first.high_x <= chart.right
    assert second.reported_x is None
    long = accuracy_chart([{**runs[0], "run": "senet154_ge_se_resnext50-honest"}])
    assert long.left > chart.left and long.right - long.left == chart.right - chart.left
    share = (first.x - first.reported_x) / (first.low_x - first.reported_x)
    assert share == pytest.approx(0.4 / 0.32, rel=1e-3)


def test_learning_curves_are_of_runs_that_differ_in_pictures_only() -> None:
    def row(recipe: str, n_train: int, accuracy: float) -> dict[str, Any]:
        ends = [accuracy - 0.01, accuracy + 0.01]
        return {
            "recipe": recipe, "protocol": "honest", "n_train": n_train,
            "obtained": {"accuracy": accuracy}, "intervals": {"accuracy": ends},
        }  # fmt: skip

    rows = [row("lwcnn", 4000, 0.97), row("lwcnn", 100, 0.8), row("lwcnn", 1000, 0.93)]
    other = [row("w_net", 100, 0.7), row("w_net", 4000, 0.9)]  # two points are no curve
    (chart,) = learning_charts([*rows, *other])
    assert chart.title == "lwcnn, honest protocol"
    assert chart.text == "100: 0.8000, 1000: 0.9300, 4000: 0.9700"
    assert len(chart.whiskers) == 3
    first, middle, last = (one.x for one in chart.whiskers)
    # Ten times as many pictures are as far as log 10, four times as log 4.
    assert (middle - first) / (last - middle) == pytest.approx(math.log(10) / math.log(4), rel=1e-3)
    assert [mark.label for mark in chart.x_marks] == ["100", "200", "500", "1000", "2000"]
    assert learning_charts(other) == []


def test_the_matrix_shows_shares_of_rows() -> None:
    chart = matrix_chart({"labels": ["a", "b"], "matrix": [[3, 1], [0, 0]]})
    assert [cell.n for cell in chart.cells] == [3, 1, 0, 0]
    assert [cell.share for cell in chart.cells] == [0.75, 0.25, 0, 0]
    assert [cell.right for cell in chart.cells] == [True, False, False, True]
    assert chart.cells[1].strength == 0.5  # the root, so that few are seen
    assert chart.totals == (4, 0)
    assert chart.cells[1].x > chart.cells[0].x and chart.cells[2].y > chart.cells[0].y


def test_the_coverage_chart_begins_below_its_curve() -> None:
    curve = {"coverage": [0.01, 0.5, 1.0], "accuracy": [0.0, 0.99, 0.953]}
    chart = coverage_chart({"coverage": {"curve": curve}, "accuracy": 0.953})
    assert chart.y_marks[0].label == "95 %"
    assert chart.paths[0][1].startswith(f"M{chart.frame.width * 0.01:.2f}".rstrip("0"))


def test_training_charts_take_what_was_logged() -> None:
    curve = {"epoch": [1.0, 2.0], "value": [1.0, 0.5]}
    assert [c.title for c in training_charts([{"loss": curve}])] == ["Loss"]
    both = training_charts([{"loss": curve, "val_loss": curve, "val_accuracy": curve}] * 2)
    assert [c.title for c in both] == ["Loss", "Accuracy"]
    assert len(both[0].paths) == 4
    assert both[0].legend == (("s0", "training"), ("s1", "validation"))
    assert training_charts([]) == []
    one = {"epoch": [1.0], "value": [0.0]}
    assert len(training_charts([{"loss": one}])) == 1
