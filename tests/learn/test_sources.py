"""Where samples come from: the right picture, the right type, as often as asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from smearlab.datasets.cell_patches import PATCH_PX, Patches
from smearlab.datasets.simulator import SmearConfig, simulate_field
from smearlab.learn.sources import CellSamples, CentreSamples, ForegroundSamples
from smearlab.learn.training_data import as_boxed
from smearlab.learn.transforms.cell_views import CellViewConfig
from smearlab.learn.transforms.views import ViewConfig
from smearlab.learn.transforms.whole_views import WholeViewConfig

STILL = CellViewConfig(input_px=16, turn=0, shift=0, zoom=0, stretch=0, shear=0, colour=0)
CLASSES = ("neutrophil", "monocyte", "platelet")


def patches() -> Patches:
    """Ten patches; the grey level of patch n is 20 n."""
    pixels = np.zeros((10, PATCH_PX, PATCH_PX, 3), np.uint8)
    pixels += (np.arange(10) * 20).astype(np.uint8)[:, None, None, None]
    types = np.array(["monocyte"] * 4 + ["platelet"] * 6)
    origins = np.array(["a"] * 4 + ["b"] * 6)
    same = np.array(["train"] * 10)
    return Patches(pixels, types, origins, same, same)


def drawn(source: CellSamples, rounds: int = 20) -> Counter[int]:
    found: Counter[int] = Counter()
    for turn in range(rounds):
        rng = np.random.default_rng(turn)
        for index in range(len(source)):
            sample = source.sample(index, rng)
            n = int(sample["pixels"][8, 8, 0]) // 20
            found[n] += 1
            assert CLASSES[int(sample["target"])] == patches().types[n]
    return found


def test_every_patch_comes_once_an_epoch() -> None:
    source = CellSamples(patches(), CLASSES, STILL)
    assert len(source) == 10
    assert drawn(source) == dict.fromkeys(range(10), 20)


def test_origins_weigh_what_they_are_given() -> None:
    source = CellSamples(patches(), CLASSES, STILL, per_epoch=50, origin_weights={"a": 3.0, "c": 9})
    found = drawn(source)
    assert sum(found.values()) == 50 * 20
    # 4 patches of weight 3 and 6 of weight 1, drawn systematically: nearly exact.
    assert sum(found[n] for n in range(4)) == pytest.approx(1000 * 12 / 18, abs=25)
    assert max(found[n] for n in range(4, 10)) < min(found[n] for n in range(4))
    assert not drawn(CellSamples(patches(), CLASSES, STILL, origin_weights={"b": 0.0})).keys() & {
        *range(4, 10)
    }


def test_views_follow_from_the_generator() -> None:
    source = CellSamples(patches(), CLASSES, replace(STILL, colour=1.0), per_epoch=5)
    one, same, other = (source.sample(2, np.random.default_rng(s))["pixels"] for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_samples_of_fields_are_what_the_objectives_take() -> None:
    config = SmearConfig(height_px=96, width_px=128, rbc_diameter_px=24, n_wbc=1)
    fields = [as_boxed(simulate_field(seed, config)) for seed in (1, 2, 3)]
    centres = CentreSamples(fields, ViewConfig(size=64))
    assert len(centres) == 3
    sample = centres.sample(1, np.random.default_rng(0))
    assert {key: value.shape for key, value in sample.items()} == {
        "pixels": (64, 64, 3),
        "heat": (3, 16, 16),
        "heat_weight": (3, 16, 16),
        "sides": (4, 16, 16),
        "sides_weight": (16, 16),
        "classes": (32, 32),
    }
    whole = ForegroundSamples(fields, WholeViewConfig(size=64))
    assert len(whole) == 3
    sample = whole.sample(2, np.random.default_rng(0))
    assert {key: value.shape for key, value in sample.items()} == {
        "pixels": (64, 64, 3),
        "element_map": (64, 64),
    }
