"""Types from crops, and from what the segmenter says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.classify.types_of_cells import BATCH, Classifier, from_shares
from smearlab.errors import BundleError
from smearlab.io.bundles import Bundle
from smearlab.types import CELL_TYPES, UNIDENTIFIED, Element
from tiny_bundles import (
    BETWEEN,
    CLASSIFIER_CARD,
    DISC_PX,
    PALE,
    classifier_model,
    draw_discs,
    write_bundle,
    write_classifier,
)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    folder = write_classifier(tmp_path_factory.mktemp("bundles") / "types")
    return Classifier(Bundle(folder, "classifier"))


def box_at(x: float, y: float) -> tuple[float, float, float, float]:
    half = DISC_PX / 2
    return x - half, y - half, x + half, y + half


def test_cells_are_typed_by_their_crops(classifier: Classifier) -> None:
    pixels = draw_discs([(30, 40, "RBC"), (80, 40, "WBC"), (130, 40, PALE)])
    rows = classifier.probabilities(pixels, [box_at(x, 40) for x in (130, 30, 80)])
    assert [classifier.classes[k] for k in rows.argmax(axis=1)] == [
        "lymphocyte",
        "erythrocyte",
        "neutrophil",
    ]
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("n", [0, 1, BATCH, BATCH + 1, 3 * BATCH])
def test_many_cells_go_in_batches(classifier: Classifier, n: int) -> None:
    pixels = draw_discs([(30, 40, "RBC"), (80, 40, "WBC")])
    boxes = [box_at(30 + 50 * (k % 2), 40) for k in range(n)]
    rows = classifier.probabilities(pixels, boxes)
    assert rows.shape == (n, 3)
    assert rows.argmax(axis=1).tolist() == [k % 2 for k in range(n)]


@given(shares=st.lists(st.floats(0.01, 1), min_size=3, max_size=3), threshold=st.floats(0, 1))
def test_below_the_threshold_a_cell_is_unidentified(
    classifier: Classifier, shares: list[float], threshold: float
) -> None:
    probabilities = np.array(shares, np.float32) / np.float32(sum(shares))
    judge = Classifier(classifier.bundle)
    judge.threshold = threshold
    kind, confidence, by_type = judge.decide(probabilities)
    best = int(probabilities.argmax())
    assert confidence == probabilities[best]
    assert kind == (judge.classes[best] if confidence >= threshold else UNIDENTIFIED)
    assert list(by_type) == list(judge.classes)
    np.testing.assert_allclose(list(by_type.values()), probabilities)


def test_a_cell_between_two_types_is_unidentified_to_a_strict_card(tmp_path: Path) -> None:
    pixels = draw_discs([(80, 40, BETWEEN)])
    answers = {}
    for threshold in (0.0, 0.95):
        folder = write_classifier(tmp_path / str(threshold), threshold=threshold)
        judge = Classifier(Bundle(folder, "classifier"))
        answers[threshold] = judge.decide(judge.probabilities(pixels, [box_at(80, 40)])[0])
    assert answers[0.0][0] == "neutrophil"
    assert answers[0.95][0] == UNIDENTIFIED
    assert answers[0.0][1:] == answers[0.95][1:]


@given(
    shares=st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda s: sum(s) > 0.1),
    element=st.sampled_from(("RBC", "PLT")),
)
def test_what_the_segmenter_says_becomes_probabilities(
    shares: list[float], element: Element
) -> None:
    red, white, platelet = (value / sum(shares) for value in shares)
    kind, confidence, by_type = from_shares(element, {"RBC": red, "WBC": white, "PLT": platelet})
    assert kind == ("erythrocyte" if element == "RBC" else "platelet")
    assert confidence == by_type[kind] == (red if element == "RBC" else platelet)
    assert sum(by_type.values()) == pytest.approx(1)
    assert set(by_type) == set(CELL_TYPES) - {UNIDENTIFIED}


def test_an_answer_of_another_shape_is_refused(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "a", classifier_model(), CLASSIFIER_CARD)
    judge = Classifier(Bundle(folder, "classifier"))
    judge.classes = judge.classes[:2]
    with pytest.raises(BundleError, match=r"shape \(1, 3\) for 1 cells; its card promises 2"):
        judge.probabilities(draw_discs([]), [box_at(80, 40)])
