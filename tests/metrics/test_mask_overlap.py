"""Dice, IoU and boundary F1 of masks, against scikit-learn, brute force and known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from smearlab.metrics.mask_overlap import (
    MaskOverlap,
    boundary,
    mask_overlap,
    overlap_figures,
    overlap_rows,
)
from smearlab.metrics.resampling import draw_weights

masks = arrays(np.bool_, (9, 11))


def figures(*fields: MaskOverlap) -> dict[str, float]:
    return {n: float(v[0]) for n, v in overlap_figures(overlap_rows(fields)).items()}


def square(x0: int, y0: int, x1: int, y1: int, side: int = 40) -> np.ndarray:
    canvas = np.zeros((side, side), bool)
    canvas[y0:y1, x0:x1] = True
    return canvas


def naive_boundary(mask: np.ndarray) -> set[tuple[int, int]]:
    edge = set()
    for y, x in zip(*np.nonzero(mask), strict=True):
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            v, u = y + dy, x + dx
            if 0 <= v < mask.shape[0] and 0 <= u < mask.shape[1] and not mask[v, u]:
                edge.add((int(y), int(x)))
    return edge


def naive_boundary_f1(found: np.ndarray, true: np.ndarray, tolerance: float) -> float:
    f, t = naive_boundary(found), naive_boundary(true)
    if not f and not t:
        return math.nan
    if not f or not t:
        return 0.0

    def share(ones: set[tuple[int, int]], others: set[tuple[int, int]]) -> float:
        near = [one for one in ones if min(math.dist(one, other) for other in others) <= tolerance]
        return len(near) / len(ones)

    precision, recall = share(f, t), share(t, f)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@given(masks, masks)
def test_pixels_equal_scikit_learn(found: np.ndarray, true: np.ndarray) -> None:
    ours = figures(mask_overlap(found, true))
    f, t = found.ravel(), true.ravel()
    if (found | true).any():
        assert ours["dice"] == pytest.approx(f1_score(t, f, zero_division=0))
        assert ours["iou"] == pytest.approx(jaccard_score(t, f, zero_division=0))
    else:
        assert math.isnan(ours["dice"])
    if found.any():
        assert ours["precision"] == pytest.approx(precision_score(t, f))
    if true.any():
        assert ours["sensitivity"] == pytest.approx(recall_score(t, f))


@given(masks, masks, st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0]))
def test_boundary_f1_equals_a_plain_loop(
    found: np.ndarray, true: np.ndarray, tolerance: float
) -> None:
    ours = figures(mask_overlap(found, true, tolerance_px=tolerance))["boundary_f1"]
    assert ours == pytest.approx(naive_boundary_f1(found, true, tolerance), nan_ok=True)


@given(masks)
def test_a_perfect_prediction(mask: np.ndarray) -> None:
    ours = figures(mask_overlap(mask, mask, tolerance_px=0))
    assert ours["dice"] == ours["iou"] == 1.0 or not mask.any()
    assert ours["boundary_f1"] == 1.0 or not boundary(mask).any()


@given(masks, masks)
def test_all_but_precision_and_sensitivity_are_symmetric(
    found: np.ndarray, true: np.ndarray
) -> None:
    one, other = figures(mask_overlap(found, true)), figures(mask_overlap(true, found))
    for name in ("dice", "iou", "boundary_f1"):
        assert one[name] == pytest.approx(other[name], nan_ok=True)
    assert one["precision"] == pytest.approx(other["sensitivity"], nan_ok=True)


def test_known_squares() -> None:
    """A square of 20 px shifted by 3: 17·20 shared; left and right sides are 3 px off."""
    one = mask_overlap(square(13, 10, 33, 30), square(10, 10, 30, 30), tolerance_px=2)
    ours = figures(one)
    assert ours["dice"] == pytest.approx(340 / 400)
    assert ours["iou"] == pytest.approx(340 / 460)
    assert one.found_edge_px == one.true_edge_px == 76
    # Top and bottom agree up to 2 px beyond the other square's corners: 19 of 20 px each.
    assert one.found_edge_near_px == 2 * 19 + 2 * 2
    assert ours["boundary_f1"] == pytest.approx(42 / 76)
    wider = mask_overlap(square(13, 10, 33, 30), square(10, 10, 30, 30), tolerance_px=3)
    assert figures(wider)["boundary_f1"] == 1.0


def test_the_edge_of_the_field_is_no_boundary() -> None:
    whole = np.ones((20, 20), bool)
    assert not boundary(whole).any()
    half = square(0, 0, 10, 20, side=20)
    assert boundary(half).sum() == 20


def test_unjudged_pixels_do_not_count() -> None:
    true = square(10, 10, 20, 20)
    found = true | square(26, 26, 34, 34)
    judged = ~square(25, 25, 35, 35)
    ours = figures(mask_overlap(found, true, judged))
    assert ours["dice"] == 1.0
    assert ours["boundary_f1"] == 1.0
    assert figures(mask_overlap(found, true))["dice"] < 1
    assert figures(mask_overlap(found, true))["boundary_f1"] < 1


def test_only_one_side_is_zero_and_none_is_undefined() -> None:
    none = np.zeros((40, 40), bool)
    ours = figures(mask_overlap(square(5, 5, 15, 15), none))
    assert (ours["dice"], ours["boundary_f1"]) == (0.0, 0.0)
    assert math.isnan(ours["sensitivity"])
    assert all(math.isnan(value) for value in figures(mask_overlap(none, none)).values())


def test_figures_are_pooled_over_fields_and_resamples() -> None:
    parts = [mask_overlap(square(8 + n, 10, 28, 30), square(10, 10 + n, 30, 30)) for n in range(4)]
    weights = draw_weights(4, resamples=5)
    drawn = overlap_figures(overlap_rows(parts), weights)
    for n, row in enumerate(weights):
        chosen = [parts[i] for i in np.repeat(np.arange(4), row)]
        for name, value in figures(*chosen).items():
            assert drawn[name][n] == pytest.approx(value)


def test_what_does_not_fit_is_refused() -> None:
    mask = square(5, 5, 15, 15)
    with pytest.raises(ValueError, match="must share one shape"):
        mask_overlap(mask[:10], mask)
    with pytest.raises(ValueError, match="tolerance_px must be at least 0; received -1"):
        mask_overlap(mask, mask, tolerance_px=-1)
