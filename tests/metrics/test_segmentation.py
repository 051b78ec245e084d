"""Pixel and object figures, against scikit-learn, brute force and known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment
from skimage.measure import label
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, precision_score, recall_score

from smearlab.metrics.resampling import draw_weights
from smearlab.metrics.segmentation import (
    BORDER_MARGIN_PX,
    FieldOverlap,
    overlap,
    segmentation_figures,
    sums,
)

labels = arrays(np.int32, (9, 11), elements=st.integers(0, 5))


def figures(*overlaps: FieldOverlap) -> dict[str, float]:
    return {name: value.item() for name, value in segmentation_figures(sums(overlaps)).items()}


def field(*boxes: tuple[int, int, int, int], side: int = 60) -> np.ndarray:
    """Rectangles (x0, y0, x1, y1) painted 1, 2, 3 …."""
    canvas = np.zeros((side, side), dtype=np.int32)
    for value, (x0, y0, x1, y1) in enumerate(boxes, start=1):
        canvas[y0:y1, x0:x1] = value
    return canvas


def blobs(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.random((12, 16)).repeat(8, axis=0).repeat(8, axis=1)
    return label(noise > 0.6, connectivity=1).astype(np.int32)


@pytest.mark.parametrize("seed", range(4))
def test_pixels_equal_scikit_learn(seed: int) -> None:
    found, true = blobs(seed), np.roll(blobs(seed), 3, axis=1)
    ours = figures(overlap(found, true))
    f, t = (found > 0).ravel(), (true > 0).ravel()
    assert ours["pixel_accuracy"] == pytest.approx(accuracy_score(t, f))
    assert ours["precision"] == pytest.approx(precision_score(t, f))
    assert ours["sensitivity"] == pytest.approx(recall_score(t, f))
    assert ours["iou"] == pytest.approx(jaccard_score(t, f))
    assert ours["dice"] == pytest.approx(f1_score(t, f))


@given(labels, labels)
@settings(deadline=None)
def test_objects_equal_an_optimal_assignment(found: np.ndarray, true: np.ndarray) -> None:
    """Pairs above 0.5 are unique, so the best assignment finds as many as the greedy one."""
    t_values = [v for v in np.unique(true) if v]
    f_values = [v for v in np.unique(found) if v]
    iou = np.array(
        [
            [
                ((true == t) & (found == f)).sum() / ((true == t) | (found == f)).sum()
                for f in f_values
            ]
            for t in t_values
        ]
    ).reshape(len(t_values), len(f_values))
    one = overlap(found, true)
    for threshold, hits in ((0.5, one.hits_50), (0.75, one.hits_75)):
        rows, columns = linear_sum_assignment(np.where(iou >= threshold, -1.0, 0.0))
        assert hits == (iou[rows, columns] >= threshold).sum()
    assert one.hits_50 + one.missed_50 == one.n_true == len(t_values)
    assert one.hits_50 + one.wrong_50 == one.n_found == len(f_values)


@given(labels, st.permutations(range(1, 6)))
def test_the_names_of_labels_do_not_matter(true: np.ndarray, names: list[int]) -> None:
    renamed = np.array([0, *names])[true] * 1000
    assert overlap(renamed, true) == overlap(true, true)
    if true.any():
        assert figures(overlap(renamed, true))["panoptic_quality"] == pytest.approx(1.0)


@given(labels, labels)
def test_panoptic_quality_is_that_of_segmentation_times_recognition(
    found: np.ndarray, true: np.ndarray
) -> None:
    one = overlap(found, true)
    ours = figures(one)
    if one.hits_50:
        mean_iou = one.iou_sum / one.hits_50
        assert ours["panoptic_quality"] == pytest.approx(mean_iou * ours["object_f1_50"])


def test_known_field() -> None:
    true = field((10, 10, 20, 20), (30, 10, 40, 20), (10, 30, 20, 40))
    found = field((10, 10, 20, 20), (30, 10, 40, 16), (40, 40, 50, 50))
    one = overlap(found, true)
    ours = figures(one)
    assert (one.hits_50, one.wrong_50, one.missed_50) == (2, 1, 1)
    assert (one.hits_75, one.wrong_75, one.missed_75) == (1, 2, 2)
    assert ours["object_f1_50"] == pytest.approx(2 / 3)
    assert ours["object_f1_75"] == pytest.approx(1 / 3)
    assert ours["panoptic_quality"] == pytest.approx((1 + 0.6) / 3)
    assert ours["pixel_accuracy"] == pytest.approx(1 - 240 / 3600)


def test_splits_and_merges() -> None:
    cell = field((10, 10, 30, 30))
    halves = field((10, 10, 20, 30), (20, 10, 30, 30))
    assert overlap(halves, cell).splits == 1
    assert overlap(halves, cell).merges == 0
    assert overlap(cell, halves).merges == 1
    assert overlap(cell, halves).splits == 0
    chip = field((10, 10, 27, 30), (27, 10, 30, 30))  # 15 % of the cell: no split
    assert overlap(chip, cell).splits == 0


def test_a_misplaced_seam_is_no_split() -> None:
    """A neighbour that takes 30 % of a cell lies in its own cell, so nothing is split."""
    true = field((10, 10, 30, 30), (30, 10, 50, 30))
    found = field((10, 10, 24, 30), (24, 10, 50, 30))
    assert overlap(found, true).splits == 0
    assert overlap(found, true).merges == 0


def test_a_clump_taken_for_one_cell_is_one_merge() -> None:
    true = field(*[(10 + 6 * i, 10, 16 + 6 * i, 30) for i in range(6)])
    assert overlap((true > 0).astype(np.int32), true).merges == 1


def test_specks_count_on_neither_side() -> None:
    true = field((10, 10, 20, 20), (40, 40, 42, 42))
    found = field((10, 10, 20, 20), (50, 10, 52, 12))
    plain, ours = overlap(found, true), overlap(found, true, min_area_px=30)
    assert (plain.wrong_50, plain.missed_50) == (1, 1)
    assert (ours.hits_50, ours.wrong_50, ours.missed_50) == (1, 0, 0)
    assert figures(ours)["pixel_accuracy"] == 1.0
    assert ours.neither_px == 3600 - 100 - 8


def test_a_small_hit_on_a_judged_cell_is_a_hit() -> None:
    true, found = field((10, 10, 16, 16)), field((10, 10, 16, 14))
    one = overlap(found, true, min_area_px=30)
    assert (one.hits_50, one.wrong_50, one.missed_50) == (1, 0, 0)


def test_cells_cut_by_the_edge_can_be_left_out() -> None:
    true = field((0, 10, 10, 20), (30, 10, 40, 20))
    found = field((0, 10, 10, 20), (30, 10, 40, 20), (50, 50, 60, 60))
    plain, ours = overlap(found, true), overlap(found, true, ignore_border=True)
    assert (plain.hits_50, plain.wrong_50) == (2, 1)
    assert (ours.hits_50, ours.wrong_50, ours.missed_50) == (1, 0, 0)
    assert (ours.both_px, ours.found_only_px, ours.true_only_px) == (100, 0, 0)


def test_what_matches_a_cut_cell_is_left_out_with_it() -> None:
    """The found outline stops short of the edge; the pair is not judged, nor are its pixels."""
    short = BORDER_MARGIN_PX + 1
    true, found = field((0, 10, 20, 30)), field((short, 10, 21, 31))
    one = overlap(found, true, ignore_border=True)
    assert (one.n_true, one.n_found, one.found_only_px, one.both_px) == (0, 0, 0, 0)


def test_a_cell_missed_under_a_cut_object_is_missed() -> None:
    true, found = field((10, 10, 30, 30)), field((0, 0, 60, 60))
    one = overlap(found, true, ignore_border=True)
    assert (one.wrong_50, one.missed_50, one.true_only_px, one.both_px) == (0, 1, 0, 400)


def test_empty_fields_define_nothing_but_accuracy() -> None:
    empty = np.zeros((5, 5), dtype=np.int32)
    ours = figures(overlap(empty, empty))
    assert ours["pixel_accuracy"] == 1.0
    undefined = ("precision", "sensitivity", "iou", "dice", "object_f1_50", "panoptic_quality")
    assert all(math.isnan(ours[name]) for name in undefined)


def test_a_field_without_background_keeps_its_first_label() -> None:
    full = np.full((6, 6), 7, dtype=np.int32)
    assert overlap(full, full).n_true == 1


def test_resamples_equal_repeated_fields() -> None:
    rows = [overlap(blobs(s), np.roll(blobs(s), s, axis=0)) for s in range(1, 6)]
    weights = draw_weights(5, resamples=8)
    batch = segmentation_figures(sums(rows), weights)
    for row, taken in enumerate(weights):
        alone = figures(*[rows[i] for i in np.repeat(np.arange(5), taken)])
        for name, value in alone.items():
            assert batch[name][row] == pytest.approx(value)


def test_shapes_that_differ_are_named() -> None:
    with pytest.raises(ValueError, match=r"found \(5, 5\) and true \(5, 6\)"):
        overlap(np.zeros((5, 5), int), np.zeros((5, 6), int))
