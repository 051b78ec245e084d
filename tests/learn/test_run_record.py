"""What a finished classifier run says of itself."""

from __future__ import annotations

import numpy as np

from smearlab.evaluation.runs import Predictions
from smearlab.learn.run_record import said_accuracy


def answers(right: list[bool], groups: list[str]) -> Predictions:
    n = len(right)
    names = np.array([f"{k}" for k in range(n)])
    logits = np.array([[1.0, 0.0] if one else [0.0, 1.0] for one in right], np.float32)
    targets = np.zeros(n, np.int64)
    return Predictions(("a", "b"), names, np.array(groups), names, targets, logits)


def test_accuracy_is_said_with_n_and_interval() -> None:
    alone = said_accuracy([answers([True] * 8 + [False] * 2, [str(k) for k in range(10)])])
    # Clopper and Pearson's interval of 8 in 10.
    assert alone == (
        "test accuracy 80.00% (95 % interval 44.39% to 97.48%), n = 10 pictures in 10 groups"
    )
    # All right, but of two sources only: 2 of 2.
    assert "95 % interval 15.81% to 100.00%), n = 10 pictures in 2 groups" in said_accuracy(
        [answers([True] * 5, ["x"] * 5), answers([True] * 5, ["y"] * 5)]
    )
    # Sources are wholly right or wholly wrong: the interval is that of four, not of forty.
    tied = said_accuracy([answers([True] * 30 + [False] * 10, [str(k // 10) for k in range(40)])])
    assert "test accuracy 75.00% (95 % interval 25.00% to 100.00%)" in tied
