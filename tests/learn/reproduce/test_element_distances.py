"""Distances of what networks drew of an element to its targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.datasets.element_pairs import simulated_pairs
from smearlab.evaluation.picture_features import BundleFeatures
from smearlab.learn.recipes import SEGMENTATION_RECIPES
from smearlab.learn.reproduce.element_distances import (
    FIGURES,
    Drawn,
    drawn_distances,
    mean_lines,
)
from smearlab.learn.reproduce.element_figures import Measured, Measurement


class DrawsTargets(Measured):
    """In the place of a network: it draws the targets themselves, ``shift`` brighter."""

    shift = 0

    def drawn(self, pairs: Any) -> Any:
        for pair in pairs:
            grown = pair.picture.astype(int) + self.shift * pair.target[..., None]
            yield np.clip(grown, 0, 255).astype(np.uint8)


def test_what_is_drawn_like_its_target_is_at_no_distance(tmp_path: Path) -> None:
    files = simulated_pairs(4, "WBC")
    sources = {"simulated": {"pictures": "generated", "n": 4}}
    features = BundleFeatures()

    def drawn(name: str, shift: int) -> Drawn:
        one = DrawsTargets(sources, 0.0, Measurement(name, "default", "WBC", tmp_path))
        one.__dict__["shift"] = shift
        return drawn_distances({name: one}, files, features, resamples=20)[name]

    same, brighter = drawn("same", 0), drawn("brighter", 60)
    assert (same.n, same.n_groups, same.source) == (4, 4, "simulated")
    assert same.figures["FID"][0] == pytest.approx(0, abs=1e-6)
    assert same.figures["PSI"] == [0, 0, 0]
    assert same.figures["WD"][0] == 0
    for figure in ("FID", "PSI", "KID", "WD"):
        assert brighter.figures[figure][0] > same.figures[figure][0] + 1e-3
    kept = drawn("same", 99)  # read again, not drawn again
    assert kept == same
    assert 1 <= same.figures["IS"][0] <= len(features.classes)


def test_networks_that_draw_nothing_have_no_distances(tmp_path: Path) -> None:
    one = Measured(
        {"simulated": {"pictures": "cut out", "n": 4}},
        0.0,
        Measurement("plain", "default", "WBC", tmp_path),
    )
    assert not drawn_distances({"plain": one}, simulated_pairs(4, "WBC"), BundleFeatures())


def test_a_mean_is_of_all_elements_or_none() -> None:
    known = Drawn(dict.fromkeys(FIGURES, (1.0, 0.5, 2.0)), "simulated", 4, 4)
    other = Drawn(dict.fromkeys(FIGURES, (3.0, 1.5, None)), "simulated", 6, 6)
    reported = SEGMENTATION_RECIPES["rwp_gan"].reported
    lines = list(mean_lines([{"a": known, "b": known}, {"a": other}], reported, "b"))
    assert {line.row for line in lines} == {"mean of 2 elements, a, drawn beside targets"}
    for line in lines:
        assert (line.obtained, line.low, line.high, line.n) == (2.0, 1.0, None, 10)
        assert line.reported is None
