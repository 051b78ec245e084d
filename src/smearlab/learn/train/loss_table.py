"""The table of an adversarial run: least, mean and largest value of every loss; what was found."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from smearlab.errors import RunError
from smearlab.io.atomic import write_text
from smearlab.learn.train.adversarial_watch import FIGURES, FINDINGS
from smearlab.learn.train.run_folder import STEP_LOG, read_log

#: File name of the table in a run's folder.
LOSSES = "losses.json"
_NO_LOSSES = ("step", "epoch", "warnings")


def loss_table(run: Path) -> dict[str, Any]:
    """Read a run's log, as the losses' table of Khan et al. (2024, Table 1) is made.

    Parameters
    ----------
    run : Path
        Folder of the run.

    Returns
    -------
    dict
        ``steps``; under ``losses`` and ``figures`` for each name ``min``, ``mean``, ``max`` and
        ``steps``, the number of steps that have it; under ``warnings`` for each finding
        ``steps``, ``first_step``, ``last_step`` and what it ``means``.

    Raises
    ------
    RunError
        If the run has no log.

    Examples
    --------
    >>> import tempfile
    >>> run = Path(tempfile.mkdtemp())
    >>> _ = (run / "log.jsonl").write_text('{"step": 1, "total": 3}\\n{"step": 2, "total": 1}\\n')
    >>> loss_table(run)["losses"]
    {'total': {'min': 1, 'mean': 2.0, 'max': 3, 'steps': 2}}
    """
    lines = read_log(run)
    if not lines:
        raise RunError(f"{run / STEP_LOG} has no line: it is no folder of a run that took a step")
    values: dict[str, list[float]] = {}
    found: dict[str, list[int]] = {}
    for line in lines:
        for kind in line.get("warnings", ()):
            found.setdefault(kind, []).append(line["step"])
        for name, value in line.items():
            if name not in _NO_LOSSES and not name.startswith("lr"):
                values.setdefault(name, []).append(value)
    table = {name: _extrema(of_steps) for name, of_steps in values.items()}
    return {
        "steps": len(lines),
        "losses": {name: row for name, row in table.items() if name not in FIGURES},
        "figures": {name: row for name, row in table.items() if name in FIGURES},
        "warnings": {
            kind: {
                "steps": len(steps),
                "first_step": steps[0],
                "last_step": steps[-1],
                "means": FINDINGS[kind],
            }
            for kind, steps in found.items()
        },
    }


def write_loss_table(run: Path) -> dict[str, Any]:
    """Write :func:`loss_table` as ``losses.json`` into the run's folder; returns it."""
    table = loss_table(run)
    write_text(run / LOSSES, json.dumps(table, indent=1))
    return table


def _extrema(values: list[float]) -> dict[str, float]:
    mean = math.fsum(values) / len(values)
    return {"min": min(values), "mean": mean, "max": max(values), "steps": len(values)}
