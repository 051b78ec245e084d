"""Balance: the thesis's plan, weights with known values, a sampler that is even."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_rows import manifest_of
from smearlab.datasets.manifest.balance import (
    BalancedSampler,
    BalanceRules,
    balance_plan,
    class_weights,
    with_synthetic,
)
from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.errors import ManifestError, UsageError


def rows_of(counts: dict[str, int], **columns: Any) -> list[dict[str, Any]]:
    return [
        {"path": f"{name} {n} {sorted(columns.items())}".replace("/", "."), "type": name, **columns}
        for name, count in counts.items()
        for n in range(count)
    ]


def test_the_thesis_plan() -> None:
    """Table 6: few-shot for three types, nothing for neutrophils, C-WGAN-GP for the other eight."""
    table_6 = {
        "basophil": 1224,
        "eosinophil": 3538,
        "erythroblast": 1547,
        "lymphocyte": 5038,
        "immature granulocyte": 2933,
        "monoblast": 26,
        "monocyte": 2583,
        "myeloblast": 3104,
        "neutrophil": 10744,
        "platelet": 2339,
        "promyelocyte": 87,
        "smudge cell": 15,
    }
    one_each = manifest_of(rows_of(dict.fromkeys(table_6, 1), split="train"))
    plans = balance_plan(one_each.take(np.repeat(np.arange(12), list(table_6.values()))))
    generators = {plan.type: plan.generator for plan in plans}
    assert [t for t, g in generators.items() if g == "none"] == ["neutrophil"]
    assert {t for t, g in generators.items() if g == "few_shot_gan"} == {
        *("monoblast", "promyelocyte", "smudge cell")
    }
    assert sum(g == "c_wgan_gp" for g in generators.values()) == 8
    assert all(plan.real + plan.to_make == 10744 for plan in plans)


def test_only_real_training_pictures_count() -> None:
    rows = [
        *rows_of({"a": 50, "b": 10}, split="train"),
        *rows_of({"a": 5, "b": 900}, split="test"),
        *rows_of({"b": 15}, split="train", synthetic=True),
    ]
    a, b = balance_plan(manifest_of(rows), BalanceRules(few_shot_below=11))
    assert (a.real, a.synthetic, a.to_make, a.generator) == (50, 0, 0, "none")
    assert (b.real, b.synthetic, b.to_make, b.generator) == (10, 15, 25, "few_shot_gan")
    a, b = balance_plan(manifest_of(rows), BalanceRules(few_shot_below=10, target=60))
    assert (a.to_make, b.to_make, b.generator) == (10, 35, "c_wgan_gp")


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([{"split": "train"}], "no types; give them"),
        ([{"type": "a"}], "no splits; make them"),
        ([{"type": "a", "split": "test"}], "no real training picture of a"),
        (
            [{"type": "a", "split": "train"}, {"type": "a", "split": "test", "synthetic": True}],
            r"row 2 \(1\.png\) is synthetic but not in train",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(rows: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(ManifestError, match=complaint):
        balance_plan(manifest_of(rows))


def test_weights_have_their_known_values() -> None:
    counts = np.array([1, 2, 100])
    assert class_weights(counts, "inverse") == pytest.approx(np.array([1, 0.5, 0.01]) / (1.51 / 3))
    plain = np.array([(1 - 0.9) / (1 - 0.9**n) for n in (1, 2, 100)])
    assert class_weights(counts, "effective", 0.9) == pytest.approx(plain / plain.mean())
    assert class_weights(counts, "effective", 0).tolist() == [1, 1, 1]
    nearly = class_weights(counts, "effective", 1 - 1e-12)
    assert nearly == pytest.approx(class_weights(counts, "inverse"), rel=1e-6)


@pytest.mark.parametrize(
    ("counts", "method", "beta"),
    [([0, 1], "inverse", 0.9), ([], "inverse", 0.9), ([1], "x", 0.9), ([1], "effective", 1.0)],
)
def test_bad_weights_are_refused(counts: list[int], method: Any, beta: float) -> None:
    with pytest.raises(UsageError):
        class_weights(np.array(counts), method, beta)


@given(
    classes=st.lists(st.integers(-1, 4), min_size=1, max_size=60).filter(lambda c: max(c) >= 0),
    n=st.none() | st.integers(0, 100),
    epoch=st.integers(0, 5),
)
def test_classes_and_their_pictures_are_drawn_evenly(
    classes: list[int], n: int | None, epoch: int
) -> None:
    labels = np.array(classes)
    sampler = BalancedSampler(labels, seed=1)
    drawn = sampler.indices(epoch, n)
    assert drawn.size == (int((labels >= 0).sum()) if n is None else n)
    often = np.bincount(drawn, minlength=labels.size)
    assert (often[labels < 0] == 0).all()
    totals = []
    for name in np.unique(labels[labels >= 0]):
        assert np.ptp(often[labels == name]) <= 1
        totals.append(often[labels == name].sum())
    assert np.ptp(totals) <= 1
    assert (drawn == BalancedSampler(labels, seed=1).indices(epoch, n)).all()


def test_epochs_differ_and_nothing_to_draw_is_refused() -> None:
    sampler = BalancedSampler(np.arange(50) % 3, seed=0)
    assert (sampler.indices(0) != sampler.indices(1)).any()
    with pytest.raises(UsageError, match="nothing to draw"):
        BalancedSampler(np.array([-1]), seed=0)


def test_synthetic_rows_are_added_to_train_only() -> None:
    real = manifest_of([*rows_of({"a": 3}, split="train"), *rows_of({"a": 2}, split="test")])
    made = manifest_of([{"path": f"gan {n}.png", "type": "a", "split": "test"} for n in range(4)])
    done = with_synthetic(real, made)
    assert done.column("split").tolist() == ["train"] * 3 + ["test"] * 2 + ["train"] * 4
    assert done.column("synthetic").tolist() == [False] * 5 + [True] * 4
    assert find_leaks(done) == ()
    assert [line["operation"] for line in done.provenance] == ["merge", "with_synthetic"]
    assert done.provenance[-1]["changed"] == {"added_rows": 4}
    wrong = manifest_of([{"path": "gan.png", "type": "b"}])
    with pytest.raises(ManifestError, match=r"row 1 \(gan\.png\) is of the type 'b', which no"):
        with_synthetic(real, wrong)
