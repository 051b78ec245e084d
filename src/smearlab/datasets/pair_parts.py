"""Which pairs are learnt from, which choose, which are reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from smearlab.datasets.box_fields import TUNE_SHARE
from smearlab.datasets.pair_files import PairFile, PairPart

#: ``honest``: by place of the smear over all sets; ``paper``: by picture, as paper B does.
PairProtocol = Literal["honest", "paper"]
#: Share of the pictures that are tested, in both protocols, where no set says which.
TEST_SHARE = 0.2


def part_by_picture(pairs: Sequence[PairFile], seed: int) -> list[PairFile]:
    """Paper B's protocol: 80 % of the pictures train, 20 % are tested; none chooses.

    Pictures of one place may lie on both sides: this is what the paper does, not what is honest.

    Parameters
    ----------
    pairs : sequence of PairFile
    seed : int
        The same seed and pairs give the same parts.
    """
    parts = _drawn(len(pairs), 0.0, seed)
    return [replace(pair, part=part) for pair, part in zip(pairs, parts, strict=True)]


def part_by_group(pairs: Sequence[PairFile], seed: int) -> list[PairFile]:
    """20 % of the groups are tested, 6 % choose, the rest train.

    Parameters
    ----------
    pairs : sequence of PairFile
    seed : int
        The same seed and groups give the same parts.
    """
    groups = sorted({pair.group for pair in pairs})
    part = dict(zip(groups, _drawn(len(groups), TUNE_SHARE, seed), strict=True))
    return [replace(pair, part=part[pair.group]) for pair in pairs]


def _drawn(n: int, val_share: float, seed: int) -> list[PairPart]:
    """A part for each of n; at least one of two or more is tested, and one trains."""
    tested = min(max(1, round(TEST_SHARE * n)), n - 1) if n > 1 else 0
    chosen = round(val_share * n)
    parts: list[PairPart] = ["train"] * n
    for place, item in enumerate(np.random.default_rng(seed).permutation(n).tolist()):
        if place < tested:
            parts[item] = "test"
        elif place < tested + chosen:
            parts[item] = "val"
    return parts
