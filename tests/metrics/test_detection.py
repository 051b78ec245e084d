"""Matching, precision, recall and count errors, against brute force and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.metrics.detection import (
    box_iou,
    count_errors,
    hits_by_field,
    match_boxes,
    pool_matches,
    precision_recall,
    select_fields,
)
from smearlab.metrics.resampling import draw_weights

box = st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 12)] * 2).map(
    lambda one: (one[0], one[1], one[0] + one[2], one[1] + one[3])
)


@given(st.lists(box, max_size=6), st.lists(box, max_size=6))
def test_iou_is_that_of_counted_pixels(first: list, second: list) -> None:
    def painted(one: tuple[int, int, int, int]) -> np.ndarray:
        canvas = np.zeros((45, 45), dtype=bool)
        canvas[one[1] : one[3], one[0] : one[2]] = True
        return canvas

    expected = [
        [(painted(a) & painted(b)).sum() / (painted(a) | painted(b)).sum() for b in second]
        for a in first
    ]
    assert box_iou(first, second) == pytest.approx(
        np.array(expected).reshape(len(first), len(second))
    )


def test_an_empty_box_overlaps_nothing() -> None:
    assert box_iou([(3, 3, 3, 3)], [(3, 3, 3, 3), (0, 0, 9, 9)]).tolist() == [[0.0, 0.0]]


def test_the_surest_candidate_takes_the_box_and_a_second_one_is_wrong() -> None:
    matches = match_boxes(
        [(0, 0, 10, 10), (0, 0, 10, 9), (50, 50, 60, 60)],
        [0.5, 0.9, 0.7],
        [(0, 0, 10, 10), (80, 80, 90, 90)],
        [0.5, 0.95],
    )
    assert matches.scores.tolist() == [0.9, 0.7, 0.5]
    assert matches.hits.tolist() == [[True, False, False], [False, False, True]]
    assert matches.n_true == 2


def test_a_candidate_takes_the_box_it_overlaps_most() -> None:
    true = [(0, 0, 10, 10), (2, 0, 12, 10)]
    matches = match_boxes([(1, 0, 12, 10), (0, 0, 10, 10)], [0.9, 0.8], true, [0.5])
    assert matches.hits.tolist() == [[True, True]]


@given(st.lists(st.tuples(box, st.integers(1, 9)), max_size=8), st.lists(box, max_size=6))
def test_matches_above_a_score_are_a_prefix(found: list, true: list) -> None:
    """Cutting the list at a score and then matching is matching and then cutting."""
    boxes = [one for one, _ in found]
    scores = np.array([score / 10 for _, score in found])
    whole = match_boxes(boxes, scores, true, [0.5])
    kept = scores >= 0.5
    cut = match_boxes([b for b, k in zip(boxes, kept, strict=True) if k], scores[kept], true, [0.5])
    assert (whole.hits[:, : kept.sum()] == cut.hits).all()


def test_pooling_keeps_fields_apart() -> None:
    first = match_boxes([(0, 0, 4, 4), (9, 9, 12, 12)], [0.6, 0.4], [(0, 0, 4, 4)], [0.5])
    second = match_boxes([(0, 0, 4, 4)], [0.5], [(0, 0, 4, 4), (7, 7, 9, 9)], [0.5])
    matches = pool_matches([first, match_boxes([], [], [], [0.5]), second])
    assert matches.scores.tolist() == [0.6, 0.5, 0.4]
    assert matches.field.tolist() == [0, 2, 0]
    assert matches.n_true.tolist() == [1, 0, 2]
    right, wrong = hits_by_field(matches, 0.4)
    assert right.tolist() == [1, 0, 1]
    assert wrong.tolist() == [1, 0, 0]
    precision, recall = precision_recall(matches, 0.4)
    assert precision.item() == pytest.approx(2 / 3)
    assert recall.item() == pytest.approx(2 / 3)
    assert precision_recall(matches, 0.45)[0].item() == 1.0
    later = select_fields(matches, [2, 1])
    assert later.n_true.tolist() == [2, 0]
    assert later.field.tolist() == [0]


def test_undefined_is_nan() -> None:
    nothing = pool_matches([match_boxes([], [], [])])
    precision, recall = precision_recall(nothing, 0.5)
    assert np.isnan(precision).all()
    assert np.isnan(recall).all()
    missed = pool_matches([match_boxes([], [], [(0, 0, 2, 2)])])
    assert np.isnan(precision_recall(missed, 0.5)[0]).all()
    assert precision_recall(missed, 0.5)[1].item() == 0.0


def test_count_errors_leave_fields_without_cells_out_of_the_percentage() -> None:
    errors = count_errors([8, 15, 3], [10, 10, 0])
    assert errors["count_mae"].item() == pytest.approx(10 / 3)
    assert errors["count_bias"].item() == pytest.approx(2.0)
    assert errors["count_mape"].item() == pytest.approx(35.0)
    empty = count_errors([1, 2], [0, 0])
    assert np.isnan(empty["count_mape"]).all()
    assert empty["count_mae"].item() == 1.5


def test_weighted_count_errors_are_those_of_repeated_fields() -> None:
    rng = np.random.default_rng(3)
    true = rng.integers(0, 5, 20)
    found = np.clip(true + rng.integers(-2, 3, 20), 0, None)
    weights = draw_weights(20, resamples=10)
    batch = count_errors(found, true, weights=weights)
    for row, taken in enumerate(weights):
        repeated = np.repeat(np.arange(20), taken)
        alone = count_errors(found[repeated], true[repeated])
        for name, value in alone.items():
            assert batch[name][row] == pytest.approx(value.item(), nan_ok=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: match_boxes([(0, 0, 1, 1)], [], []), "1 boxes"),
        (lambda: match_boxes([(0, 0, 1, 1)], [np.nan], []), "nan"),
        (lambda: match_boxes([(0, 0, 1)], [1.0], []), r"\(1, 3\)"),
        (lambda: pool_matches([]), "at least one field"),
        (lambda: count_errors([1, 2], [1]), r"\(2,\) and \(1,\)"),
    ],
)
def test_misuse_is_named(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call()
