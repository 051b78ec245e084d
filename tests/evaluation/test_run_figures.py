"""Every figure of a run, against scikit-learn and figures worked out picture by picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from smearlab.evaluation import run_draws
from smearlab.evaluation.run_curves import MAX_POINTS
from smearlab.evaluation.run_figures import OVERALL, evaluate_run
from smearlab.evaluation.tested_runs import TestedRun, open_runs
from smearlab.metrics.calibration import calibration_error, negative_log_likelihood
from smearlab.metrics.intervals import bootstrap, clopper_pearson
from smearlab.metrics.roc import roc_auc
from tested_run_folders import TYPES, write_folds, write_run


@pytest.fixture
def run(tmp_path: Path) -> TestedRun:
    """One run of 300 pictures in groups of two."""
    return open_runs([write_run(tmp_path / "net", n=300, accuracy=0.85, sharpness=2)])[0]


def test_equals_scikit_learn(run: TestedRun) -> None:
    result = evaluate_run(run, resamples=10)
    true, given, scores = run.test.targets, run.answers, run.probabilities
    assert result["n"] == 300 and result["n_groups"] == 150
    assert result["accuracy"] == pytest.approx(metrics.accuracy_score(true, given))
    assert result["balanced_accuracy"] == pytest.approx(
        metrics.balanced_accuracy_score(true, given)
    )
    for kind in ("macro", "weighted"):
        expected = metrics.precision_recall_fscore_support(true, given, average=kind)
        for name, value in zip(("precision", "recall", "f1"), expected, strict=False):
            assert result[f"{kind}_{name}"] == pytest.approx(value)
    for kind in ("macro", "micro"):
        area = metrics.roc_auc_score(true, scores, multi_class="ovr", average=kind)
        assert result[f"auc_{kind}"] == pytest.approx(area)
    assert result["nll"] == pytest.approx(metrics.log_loss(true, scores))
    assert result["nll_calibrated"] == pytest.approx(metrics.log_loss(true, run.calibrated))
    assert result["confusion"]["matrix"] == metrics.confusion_matrix(true, given).tolist()
    assert result["ece"] == pytest.approx(calibration_error(scores.max(1), run.right))
    recalls = metrics.recall_score(true, given, average=None)
    assert [one["recall"] for one in result["types"].values()] == pytest.approx(recalls)
    assert list(result["types"]) == list(TYPES)


def test_every_figure_has_an_interval_that_holds_it(run: TestedRun) -> None:
    result = evaluate_run(run, resamples=200)
    ends = result["intervals"]
    names = (*OVERALL, "auc_macro", "auc_micro", "nll", "nll_calibrated")
    for name in names:
        low, high = ends[name]
        assert low <= result[name] <= high, name
    for kind, one in result["types"].items():
        for name in ("precision", "recall", "specificity", "f1", "auc"):
            low, high = ends["types"][kind][name]
            assert low <= one[name] <= high, (kind, name)
    for one in result["origins"].values():
        for name, (low, high) in one["intervals"].items():
            assert low <= one[name] <= high, name


def test_pictures_that_share_nothing_have_exact_intervals(tmp_path: Path) -> None:
    (run,) = open_runs([write_run(tmp_path / "net", n=300, groups_of=1, accuracy=0.8)])
    result = evaluate_run(run, resamples=10)
    ends, matrix = result["intervals"], np.array(result["confusion"]["matrix"])
    assert ends["accuracy"] == pytest.approx(clopper_pearson(int(run.right.sum()), 300))
    for place, name in enumerate(TYPES):
        right, true, given = matrix[place, place], matrix[place].sum(), matrix[:, place].sum()
        assert result["types"][name]["n_groups"] == result["types"][name]["n"] == true
        for figure, hits, trials in (
            ("precision", right, given),
            ("recall", right, true),
            ("specificity", 300 - true - given + right, 300 - true),
        ):
            expected = clopper_pearson(int(hits), int(trials))
            assert ends["types"][name][figure] == pytest.approx(expected)
        low, high = clopper_pearson(int(right), int(true + given - right))  # Jaccard's share
        assert ends["types"][name]["f1"] == pytest.approx(
            (2 * low / (1 + low), 2 * high / (1 + high))
        )
    for one in result["reliability"]["raw"]:
        if one["n"]:
            expected = clopper_pearson(round(one["accuracy"] * one["n"]), one["n"])
            assert one["interval"] == pytest.approx(expected)


def test_shares_of_grouped_pictures_are_resampled_by_group(run: TestedRun) -> None:
    """The intervals of a type are those of a loop that draws its groups."""
    ends = evaluate_run(run, resamples=100)["intervals"]["types"]["basophil"]
    units, n = run.units
    true, given = run.test.targets == 0, run.answers == 0
    for name, rows, hits in (
        ("precision", given, true),
        ("recall", true, given),
        ("specificity", ~true, ~given),
    ):
        of = np.bincount(units, weights=rows, minlength=n)
        right = np.bincount(units, weights=rows & hits, minlength=n)

        def share(drawn: np.ndarray, right: np.ndarray = right, of: np.ndarray = of) -> float:
            return right[drawn].sum() / of[drawn].sum()

        assert ends[name] == pytest.approx(bootstrap(share, n, resamples=100))
    true_n, given_n, both = (
        np.bincount(units, weights=rows, minlength=n) for rows in (true, given, true & given)
    )
    expected = bootstrap(
        lambda drawn: 2 * both[drawn].sum() / (true_n[drawn].sum() + given_n[drawn].sum()),
        n,
        resamples=100,
    )
    assert ends["f1"] == pytest.approx(expected, abs=2e-3)  # quantiles between two draws


def test_resamples_are_of_groups(run: TestedRun) -> None:
    """The sums over groups give what drawing the groups' pictures one by one gives."""
    units, n = run.units
    weights = run.draws(12, 4)
    members = [np.flatnonzero(units == unit) for unit in range(n)]
    figures = run_draws.figure_draws(run, weights)
    areas = run_draws.auc_draws(run, weights)
    errors = run_draws.calibration_draws(run, run.probabilities, weights)
    ones = np.ones(len(run.right))
    losses = run_draws.likelihood_draws(run, ones, weights)
    for place, row in enumerate(weights.astype(int)):
        drawn = np.concatenate([np.tile(members[unit], row[unit]) for unit in range(n)])
        true, given = run.test.targets[drawn], run.answers[drawn]
        assert figures["accuracy"][place] == pytest.approx((true == given).mean())
        assert figures["macro_f1"][place] == pytest.approx(
            metrics.f1_score(true, given, average="macro")
        )
        scores = run.probabilities[drawn]
        for kind in range(5):
            expected = roc_auc(scores[:, kind], true == kind)
            assert areas["types"][place, kind] == pytest.approx(expected)
        assert areas["macro"][place] == pytest.approx(areas["types"][place].mean())
        expected = metrics.roc_auc_score(true, scores, multi_class="ovr", average="micro")
        assert areas["micro"][place] == pytest.approx(expected)
        sure = scores.max(1)
        assert errors[place] == pytest.approx(calibration_error(sure, run.right[drawn]))
        expected = negative_log_likelihood(run.test.logits[drawn], true).mean()
        assert losses[place] == pytest.approx(expected)


def test_the_interval_by_group_is_that_of_the_loop(run: TestedRun) -> None:
    units, n = run.units
    hits = np.bincount(units, weights=run.right, minlength=n)
    sizes = np.bincount(units, minlength=n)
    expected = bootstrap(lambda rows: hits[rows].sum() / sizes[rows].sum(), n, resamples=100)
    assert evaluate_run(run, resamples=100)["intervals"]["accuracy"] == pytest.approx(expected)


def test_folds_have_means_with_intervals(tmp_path: Path) -> None:
    (run,) = open_runs([write_folds(tmp_path / "k", 3, n=300)])
    folds = evaluate_run(run, resamples=10)["folds"]
    shares = [float(run.right[run.folds == place].mean()) for place in range(3)]
    assert [one["accuracy"] for one in folds["each"]] == pytest.approx(shares)
    assert [one["fold"] for one in folds["each"]] == [1, 2, 3]
    assert folds["mean"]["accuracy"] == pytest.approx(np.mean(shares))
    for one in folds["each"]:
        assert one["n"] == 100 and one["n_groups"] == 50
        for name, (low, high) in one["intervals"].items():
            assert low <= one[name] <= high, name
    low, high = folds["intervals"]["accuracy"]
    reach = 4.302652729911275 * np.std(shares, ddof=1) / np.sqrt(3)  # Student, 2 degrees
    assert low == pytest.approx(np.mean(shares) - reach)
    assert high == pytest.approx(min(1.0, np.mean(shares) + reach))
    # Two folds say so little that Student's interval reaches beyond 0 and 1.
    (two,) = open_runs([write_folds(tmp_path / "two", 2, n=16, accuracy=0.6)])
    ends = evaluate_run(two, resamples=10)["folds"]["intervals"].values()
    assert all(0 <= low <= high <= 1 for low, high in ends)


def test_origins_are_measured_apart(run: TestedRun) -> None:
    origins = evaluate_run(run, resamples=10)["origins"]
    assert set(origins) == {"pbc", "raabin"}
    for name, one in origins.items():
        rows = run.test.origins == name
        assert one["n"] == rows.sum()
        assert one["accuracy"] == pytest.approx(run.right[rows].mean())
        assert one["n_groups"] == len(set(run.test.groups[rows]))
        expected = metrics.f1_score(run.test.targets[rows], run.answers[rows], average="macro")
        assert one["macro_f1"] == pytest.approx(expected)


def test_the_worst_answers_come_first(run: TestedRun) -> None:
    worst = evaluate_run(run, resamples=10, most_wrong=5)["most_wrong"]
    assert len(worst) == 5
    chances = [one["true_probability"] for one in worst]
    assert chances == sorted(chances)
    truth = run.probabilities[np.arange(300), run.test.targets]
    assert chances[0] == pytest.approx(truth[~run.right].min())
    assert all(one["true"] != one["answer"] for one in worst)
    assert worst[0]["true"] in worst[0]["path"]
    everything = evaluate_run(run, resamples=10, most_wrong=999)["most_wrong"]
    assert len(everything) == (~run.right).sum()


def test_curves_are_whole_but_short(tmp_path: Path) -> None:
    (run,) = open_runs([write_run(tmp_path / "large", n=3000, accuracy=0.7)])
    result = evaluate_run(run, resamples=10)
    for curve in (*result["roc"]["types"].values(), result["roc"]["macro"], result["roc"]["micro"]):
        assert len(curve["false_rate"]) <= MAX_POINTS
        assert (curve["false_rate"][0], curve["true_rate"][0]) == (0, 0)
        assert (curve["false_rate"][-1], curve["true_rate"][-1]) == (1, 1)
    coverage = result["coverage"]
    assert coverage["curve"]["accuracy"][-1] == pytest.approx(result["accuracy"])
    for row in coverage["at"]:
        answered = run.calibrated.max(1) >= row["threshold"]
        assert row["n"] == answered.sum()
        assert row["coverage"] >= row["wanted"] - 1e-9
        assert row["accuracy"] == pytest.approx(run.right[answered].mean())
    bins = result["reliability"]["raw"]
    assert sum(one["n"] for one in bins) == 3000
    for one in bins:
        if one["n"]:
            low, high = one["interval"]
            assert low <= one["accuracy"] <= high


def test_what_cannot_be_said_is_undefined(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "a", n=4, val=False, groups_of=4)  # one type, one group
    result = evaluate_run(open_runs([folder])[0], resamples=10)
    assert result["ece_calibrated"] is None and result["nll_calibrated"] is None
    assert result["reliability"]["calibrated"] is None
    assert result["temperatures"] == [None]
    assert result["auc_macro"] is None
    assert result["types"]["monocyte"]["recall"] is None
    assert result["types"]["basophil"]["specificity"] is None
    assert result["roc"]["types"]["basophil"]["false_rate"] == []
    assert result["intervals"]["macro_f1"] == [None, None]  # one group has no spread
    assert result["folds"] is None
    json.dumps(result, allow_nan=False)
