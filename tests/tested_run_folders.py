"""Folders of finished runs with made-up answers of a chosen accuracy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from smearlab.evaluation.runs import HeldOut, Predictions, RunSummary

TYPES = ("basophil", "eosinophil", "lymphocyte", "monocyte", "neutrophil")
SUMMARY = RunSummary(
    recipe="lwcnn",
    network="lwcnn",
    protocol="honest",
    classes=TYPES,
    n_train=1600,
    n_val=200,
    n_test=400,
    parameters=653_129,
    macs=60_100_000,
    input_px=128,
    epochs=12,
    best_epoch=9,
    train_seconds=754.0,
    images_per_s=321.5,
    hardware="2 cores",
    precision="32-true",
    seed=0,
    datasets=("pbc",),
    reported={"accuracy": 0.971, "precision": 0.97, "note": "Table 3"},
    deviations=("12 epochs instead of 100",),
)


def write_run(
    folder: Path,
    *,
    accuracy: float = 0.9,
    n: int = 400,
    seed: int = 0,
    sharpness: float = 1.0,
    classes: tuple[str, ...] = TYPES,
    val: bool = True,
    log: bool = True,
    first: int = 0,
    groups_of: int = 2,
    **summary: object,
) -> Path:
    """A finished run. ``first`` is the number of its first test picture."""
    facts = replace(SUMMARY, classes=classes, n_test=n, **summary)
    facts.save(folder)
    _answers(classes, n, accuracy, seed, sharpness, "test", first, groups_of).save(folder, "test")
    if val:
        part = _answers(classes, n // 2, accuracy, seed + 1, sharpness, "val", first, groups_of)
        part.save(folder, "val")
    if log:
        _write_log(folder, facts.epochs)
    return folder


def write_folds(folder: Path, k: int = 3, **options: object) -> Path:
    """A finished k-fold; every fold tests on pictures of its own."""
    n = int(options.pop("n", 400)) // k
    seed = int(options.pop("seed", 0))
    for fold in range(1, k + 1):
        place = {"fold": fold, "folds": k, "first": n * (fold - 1), "seed": seed + 10 * fold}
        write_run(folder / f"fold-{fold}", n=n, **place, **options)
    return folder


def _answers(
    classes: tuple[str, ...],
    n: int,
    accuracy: float,
    seed: int,
    sharpness: float,
    part: HeldOut,
    first: int,
    groups_of: int,
) -> Predictions:
    """Targets follow from the numbers of the pictures, answers from the seed."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(first, first + n)
    targets = (numbers // groups_of) % len(classes)
    right = rng.random(n) < accuracy
    wrong = (targets + rng.integers(1, len(classes), n)) % len(classes)
    logits = rng.normal(0, 1, (n, len(classes)))
    top = np.where(right, targets, wrong)
    logits[np.arange(n), top] = logits.max(axis=1) + rng.gamma(2, np.where(right, 1.2, 0.4), n)
    names = np.array([classes[target] for target in targets])
    return Predictions(
        classes,
        np.array([f"{part}/{names[place]}/{n:05d}.png" for place, n in enumerate(numbers)]),
        np.array([f"source-{number // groups_of}" for number in numbers]),
        np.where(numbers % 3 == 0, "raabin", "pbc"),
        targets.astype(np.int64),
        (logits * sharpness).astype(np.float32),
    )


def _write_log(folder: Path, epochs: int, steps: int = 4) -> None:
    lines, held = [], []
    for epoch in range(epochs):
        for step in range(steps):
            loss = 1.6 / (1 + epoch + step / steps)
            lines.append({"step": len(lines) + 1, "epoch": epoch, "lr": 1e-3, "loss": loss})
        figures = {"loss": 1.7 / (1 + epoch), "accuracy": 1 - 0.6 / (1 + epoch)}
        held.append({"step": len(lines), "epoch": epoch + 1, "best": True, **figures})
    for name, some in (("log", lines), ("validation", held)):
        text = "".join(json.dumps(line) + "\n" for line in some)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
