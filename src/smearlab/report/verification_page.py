"""The page of a verification: what synthetic pictures are worth, check by check."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smearlab.report.line_chart import Axis, Line, LineChart, Point, lay_out_lines
from smearlab.report.run_page import write_page

#: Check → its heading, in the order of the page.
_HEADINGS = {
    "added": "Does it help? Synthetic pictures added in training",
    "balanced": "Does it help? Rarer types filled up with synthetic pictures",
    "real-on-synthetic": "A network trained on real pictures, on synthetic ones",
    "synthetic-on-real": "A network trained on synthetic pictures, on real ones",
    "cosine": "Cosine similarity",
    "figures": "Distances, precision and recall, diversity",
    "neighbours": "Memorisation",
    "blind-test": "Blind test",
}


def write_verification_page(
    path: str | Path,
    whole: Mapping[str, Any],
    grids: Mapping[str, Sequence[Any]],
    folder: Path,
) -> None:
    """Write the page, one file that loads nothing.

    Parameters
    ----------
    path : str or Path
    whole : mapping
        Of :func:`smearlab.learn.verification.run.verify`.
    grids : mapping of str to sequence of table
        Check → tables with ``title``, ``columns``, ``rows`` of words and a ``note``.
    folder : Path
        Where the sheets of the nearest pictures lie.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    checks = whole["checks"]
    sheets = {
        f"The nearest pairs by {space}, nearest first": _uri(folder / name)
        for space, name in checks.get("neighbours", {}).get("sheets", {}).items()
        if (folder / name).is_file()
    }
    write_page(
        path,
        "verification_page.html.j2",
        "Verification of synthetic pictures",
        whole=whole,
        sections=[
            {
                "name": name,
                "heading": heading,
                "grids": grids.get(name, ()),
                "charts": [added_chart(checks[name])] if name == "added" else [],
                "sheets": sheets if name == "neighbours" else {},
            }
            for name, heading in _HEADINGS.items()
            if name in checks
        ],
        blind=checks.get("blind-test"),
        cautions=cautions(whole),
    )


def added_chart(result: Mapping[str, Any]) -> LineChart:
    """Accuracy over the share of synthetic pictures.

    Parameters
    ----------
    result : mapping
        Of :func:`smearlab.learn.verification.trainings.added`.
    """
    arms = result["arms"]
    x = [float(one["share"]) for one in arms]
    y = [float(one["accuracy"]["value"]) for one in arms]
    points = []
    for share, one in zip(x, arms, strict=True):
        low, high = one["accuracy"]["interval"]
        value = one["accuracy"]["value"]
        points.append(Point(share, value, value if low is None else max(0.0, low),
                            value if high is None else min(1.0, high)))  # fmt: skip
    floor = max(0.0, math.floor(10 * min(one.low for one in points)) / 10)
    reach = max(*x, 0.1) if len(x) > 1 else 1.0
    return lay_out_lines(
        "Accuracy on real test pictures",
        ", ".join(f"{share:.0%}: {value:.4f}" for share, value in zip(x, y, strict=True)),
        Axis(
            "synthetic pictures added, share of the real ones",
            -0.04 * reach,
            1.04 * reach,
            percent=True,
        ),
        Axis("accuracy", min(floor, 0.9), 1.0, percent=True),
        [Line("", "s0", x, y)],
        points=points,
    )


def cautions(whole: Mapping[str, Any]) -> list[str]:
    """What must be known before the figures are used.

    Parameters
    ----------
    whole : mapping
        See :func:`write_verification_page`.
    """
    said = []
    if whole["simulated"]:
        said.append("The real pictures are simulated: the figures say nothing about blood.")
    trained = [whole["checks"][name] for name in ("added", "balanced") if name in whole["checks"]]
    if any(one["arms"][0]["accuracy"]["n"] < 3 for one in trained):
        said.append("Fewer than three seeds: what a seed does by chance cannot be told.")
    near = whole["checks"].get("neighbours")
    for space, one in (near or {"spaces": {}})["spaces"].items():
        low = one["interval"][0]
        if low is not None and low > one["quantile"]:
            said.append(
                f"By {space}, {100 * one['rate']:.1f} % of the synthetic pictures are nearer to a "
                f"training picture than {100 * one['quantile']:.0f} % of other real ones are: look "
                "at the nearest pairs for copies."
            )
    answered = whole["checks"].get("real-on-synthetic")
    if answered and answered["synthetic"]["accuracy"] > answered["real"]["accuracy"]:
        said.append(
            "Synthetic pictures are typed better than real ones: they are clearer examples of "
            "their types than cells are, and say nothing about hard ones."
        )
    return said


def _uri(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
