"""Average precision equals pycocotools', and its resamples equal repeated fields."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from smearlab.metrics.average_precision import average_precision
from smearlab.metrics.detection import Matches, match_boxes, pool_matches
from smearlab.metrics.resampling import draw_weights

Boxes = NDArray[np.float64]
#: Found boxes (D, 4), scores (D,), true boxes (G, 4) of one field.
FieldOfBoxes = tuple[Boxes, NDArray[np.float64], Boxes]


def _xywh(box: Boxes) -> list[float]:
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]


def coco_precision(fields: Sequence[FieldOfBoxes], *, limit: int = 10_000) -> NDArray[np.float64]:
    """AP at the ten IoU thresholds; NaN where pycocotools says -1."""
    annotations, results = [], []
    for image, (found, scores, true) in enumerate(fields, start=1):
        for box in true:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": 1,
                    "bbox": _xywh(box),
                    "area": float((box[2] - box[0]) * (box[3] - box[1])),
                    "iscrowd": 0,
                }
            )
        for box, score in zip(found, scores, strict=True):
            results.append(
                {
                    "image_id": image,
                    "category_id": 1,
                    "bbox": _xywh(box),
                    "score": float(score),
                }
            )
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": image} for image in range(1, len(fields) + 1)],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "cell"}],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results) if results else COCO(), "bbox")
        evaluation.params.maxDets = [limit]
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, 0, 0, 0]  # (T, 101)
    means = precision.mean(axis=1)
    return np.where(means < 0, np.nan, means)


def random_field(
    rng: np.random.Generator, n_true: int, n_extra: int, *, side: int = 200, levels: int = 0
) -> FieldOfBoxes:
    """True boxes, found ones jittered around them, and found ones anywhere.

    ``levels`` > 0 rounds scores to that many values, so that many are equal, and boxes to whole
    pixels, so that overlaps are equal too.
    """
    corner = rng.uniform(0, side, (n_true, 2))
    true = np.hstack([corner, corner + rng.uniform(15, 40, (n_true, 2))])
    kept = true[rng.random(n_true) < 0.9]
    near = kept + rng.normal(0, 3, kept.shape)
    start = rng.uniform(0, side, (n_extra, 2))
    extra = np.hstack([start, start + rng.uniform(10, 40, (n_extra, 2))])
    found = np.vstack([near, extra])
    scores = np.concatenate([rng.beta(5, 2, len(near)), rng.beta(2, 4, n_extra)])
    if levels:
        scores = np.ceil(scores * levels) / levels
        true, found = true.round(), found.round()
    return found, scores, true


def pooled(fields: list[FieldOfBoxes]) -> Matches:
    return pool_matches([match_boxes(*field) for field in fields])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("levels", [0, 4], ids=["distinct", "ties"])
def test_equals_pycocotools(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    fields = [
        random_field(rng, int(rng.integers(0, 30)), int(rng.integers(0, 15)), levels=levels)
        for _ in range(12)
    ]
    fields.append((np.zeros((0, 4)), np.zeros(0), np.zeros((0, 4))))  # an empty field
    fields.append((*random_field(rng, 5, 0)[:2], np.zeros((0, 4))))  # nothing true
    fields.append((np.zeros((0, 4)), np.zeros(0), random_field(rng, 5, 0)[2]))  # nothing found
    ours = average_precision(pooled(fields))[0]
    assert ours == pytest.approx(coco_precision(fields), abs=1e-9)
    assert 0 < ours[0] < 1


def test_dense_fields_are_not_cut_at_a_hundred_candidates() -> None:
    rng = np.random.default_rng(0)
    fields = [random_field(rng, 260, 80, side=900)]
    ours = average_precision(pooled(fields))[0]
    assert ours == pytest.approx(coco_precision(fields), abs=1e-9)
    assert (ours[:5] > coco_precision(fields, limit=100)[:5]).all()


def test_crowded_fields_of_equal_boxes() -> None:
    """Doubled true boxes and doubled candidates: the order of ties decides."""
    rng = np.random.default_rng(8)
    found, scores, true = random_field(rng, 25, 10, side=60, levels=5)
    fields = [(np.vstack([found, found]), np.tile(scores, 2), np.vstack([true, true]))]
    assert average_precision(pooled(fields))[0] == pytest.approx(coco_precision(fields), abs=1e-9)


def test_a_class_without_true_boxes_is_undefined() -> None:
    field = (np.array([[0.0, 0, 5, 5]]), np.array([0.5]), np.zeros((0, 4)))
    assert np.isnan(average_precision(pooled([field]))).all()
    assert np.isnan(coco_precision([field])).all()


def test_a_class_never_found_has_no_precision() -> None:
    field = (np.zeros((0, 4)), np.zeros(0), np.array([[0.0, 0, 5, 5]]))
    assert (average_precision(pooled([field])) == 0).all()


def test_all_points_is_the_area_by_hand() -> None:
    """Hit, miss, hit of 4 true boxes: 1/4·1 + 1/4·2/3 = 5/12."""
    true = np.array([[i * 20.0, 0, i * 20.0 + 10, 10] for i in range(4)])
    found = np.array([true[0], [500.0, 0, 510, 10], true[1]])
    matches = pooled([(found, np.array([0.9, 0.8, 0.7]), true)])
    area = average_precision(matches, interpolation="all-points")[0]
    assert area == pytest.approx(np.full(10, 5 / 12))
    assert average_precision(matches)[0, 0] == pytest.approx((26 + 25 * 2 / 3) / 101)


@pytest.mark.parametrize("interpolation", ["coco", "all-points"])
def test_resamples_equal_repeated_fields(interpolation) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(4)
    fields = [random_field(rng, int(rng.integers(0, 12)), 6) for _ in range(9)]
    weights = draw_weights(9, resamples=70)
    batch = average_precision(pooled(fields), weights=weights, interpolation=interpolation)
    for row in (0, 1, 63, 64, 69):  # both sides of a chunk
        repeated = [fields[i] for i in np.repeat(np.arange(9), weights[row])]
        alone = average_precision(pooled(repeated), interpolation=interpolation)[0]
        assert batch[row] == pytest.approx(alone, abs=1e-12)


def test_a_resample_without_true_boxes_is_undefined() -> None:
    rng = np.random.default_rng(4)
    fields = [random_field(rng, 5, 2), (np.zeros((0, 4)), np.zeros(0), np.zeros((0, 4)))]
    area = average_precision(pooled(fields), weights=np.array([[2, 0], [0, 2]]))
    assert not np.isnan(area[0]).any()
    assert np.isnan(area[1]).all()
