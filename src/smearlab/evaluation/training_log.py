"""The log of a training as curves over its epochs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

#: File → prefix of the figures' names, and the number of its first epoch.
_LOGS = {"log.jsonl": ("", 0), "validation.jsonl": ("val_", 1)}
_NO_FIGURES = frozenset({"step", "epoch", "seconds", "best"})


def training_curves(run: Path) -> dict[str, dict[str, list[float]]]:
    """Mean of every logged figure in each epoch.

    Parameters
    ----------
    run : Path
        Folder with ``log.jsonl``, a JSON object a step, and perhaps ``validation.jsonl``, one an
        epoch, whose figures are called ``val_…`` here.

    Returns
    -------
    dict
        Figure → ``epoch`` (from 1) and ``value``. Empty if there is no log; a line that was cut
        off is passed over.
    """
    values: defaultdict[str, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for name, (prefix, first) in _LOGS.items():
        for line in _lines(run / name):
            for figure, value in line.items():
                number = isinstance(value, int | float) and not isinstance(value, bool)
                if figure not in _NO_FIGURES and number:
                    values[prefix + figure][line["epoch"] + 1 - first].append(float(value))
    return {name: _means(by_epoch) for name, by_epoch in values.items()}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a log."""
    if not path.is_file():
        return
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("epoch"), int):
            yield line


def _means(by_epoch: Mapping[int, list[float]]) -> dict[str, list[float]]:
    epochs = sorted(by_epoch)
    return {
        "epoch": [float(epoch) for epoch in epochs],
        "value": [float(np.mean(by_epoch[epoch])) for epoch in epochs],
    }
