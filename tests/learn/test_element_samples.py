"""Samples of pairs, and the tiles that a training is judged on."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from smearlab.datasets.element_pairs import load_pair, simulated_pairs
from smearlab.datasets.pair_files import ElementPair
from smearlab.errors import DataError
from smearlab.learn.element_samples import ElementSamples, scaled_pairs, tiles_of
from smearlab.learn.train.sampling import name_samples
from smearlab.learn.transforms.pair_views import PairViewConfig

sys.path.append(str(Path(__file__).resolve().parent / "transforms"))
from test_pair_views import painted_pair

CONFIG = PairViewConfig(size=64, cell_px=32)


def readers(*pairs: ElementPair) -> list[partial[ElementPair]]:
    return [partial(replace, pair) for pair in pairs]


def test_every_picture_is_drawn_as_often_as_asked_for() -> None:
    pairs = [replace(painted_pair(), name=f"p{n}") for n in range(3)]
    names, scaled = scaled_pairs(readers(*pairs), 32)
    samples = ElementSamples(names, scaled, CONFIG, per_picture=8)
    assert len(samples) == 24
    assert name_samples(samples, [0, 7, 8, 23]) == "p0, p0, p1, p2"
    sample = samples.sample(23, np.random.default_rng(0))
    assert {key: value.shape for key, value in sample.items()} == {
        "pixels": (64, 64, 3), "target": (64, 64, 3), "mask": (64, 64), "known": (64, 64),
    }  # fmt: skip


def test_fields_of_unknown_scale_get_the_usual_one() -> None:
    pairs = [painted_pair(), painted_pair(diameter_px=64.0), painted_pair(diameter_px=float("nan"))]
    _, scaled = scaled_pairs(readers(*pairs), 32)
    assert [pair.shown.shape[0] for pair in scaled] == [240, 120, 160]  # 48 px is their median
    with pytest.raises(DataError, match="nothing tells how large the red cells"):
        scaled_pairs(readers(pairs[2]), 32)


def test_tiles_cover_a_field() -> None:
    """Every pixel of the element is in some tile, as often as tiles overlap there."""
    _, scaled = scaled_pairs(readers(painted_pair()), 32)
    tiles = tiles_of(scaled, 64, 24, most=1000)
    assert tiles.pixels.shape == (len(tiles), 64, 64, 3)
    assert np.count_nonzero(tiles.mask) >= 30 * 20
    assert np.array_equal(tiles.target[tiles.mask], tiles.pixels[tiles.mask])
    assert not tiles.target[~tiles.mask].any()
    few = tiles_of(scaled, 64, 24, most=5)
    assert len(few) == 5
    assert np.array_equal(few.pixels[0], tiles.pixels[0])
    assert np.array_equal(few.pixels[-1], tiles.pixels[-1])
    with pytest.raises(DataError, match="there is no picture to judge the training on"):
        tiles_of([], 64, 24, 5)


@pytest.mark.parametrize("element", ["RBC", "WBC", "PLT"])
def test_simulated_pairs_are_samples(element: str) -> None:
    files = simulated_pairs(1, element)
    names, scaled = scaled_pairs([partial(load_pair, file) for file in files], 64)
    config = PairViewConfig(on_element=1.0)
    sample = ElementSamples(names, scaled, config).sample(0, np.random.default_rng(0))
    assert sample["pixels"].shape == (256, 256, 3)
    assert sample["mask"].any()
    assert sample["target"].any()
