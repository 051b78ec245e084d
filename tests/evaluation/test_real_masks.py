"""The masks of the public sets, when they are at hand."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from smearlab.evaluation.reference_masks import guess_kind, mask_instances, read_mask
from smearlab.metrics.segmentation import overlap, segmentation_figures, sums

DATA = Path(
    os.environ.get("SMEARLAB_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data")
)


def folder(name: str) -> Path:
    path = DATA / name
    if not path.is_dir():
        pytest.skip(f"{name} is not at hand; set SMEARLAB_DATA to the folder of real images")
    return path


@pytest.mark.parametrize("name", ["fields/bccd/wbc_masks", "cells/zheng1/masks"])
def test_cytoplasm_and_nucleus_are_recognised(name: str) -> None:
    masks = sorted(folder(name).iterdir())[:40]
    assert Counter(guess_kind(read_mask(path)) for path in masks) == {"nucleus": len(masks)}


def test_touching_cells_stay_apart_only_when_corners_do_not_join() -> None:
    fields = [read_mask(path) for path in sorted(folder("fields/bbbc041seg/masks").iterdir())]
    true = [mask_instances(values, guess_kind(values)) for values in fields]
    same = [overlap(labels, labels, min_area_px=30) for labels in true]
    inner = [overlap(labels, labels, min_area_px=30, ignore_border=True) for labels in true]
    assert sum(one.n_true for one in same) == 1433
    assert sum(one.n_true for one in inner) == 1244
    joined = [
        overlap(ndimage.label(labels > 0, np.ones((3, 3)))[0], labels, min_area_px=30)
        for labels in true
    ]
    assert segmentation_figures(sums(same))["panoptic_quality"].item() == 1.0
    assert segmentation_figures(sums(joined))["merges"].item() == 40
