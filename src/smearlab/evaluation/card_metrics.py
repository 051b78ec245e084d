"""Measured figures on a bundle's card: value, interval and n, without the bulk of a result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smearlab.errors import UsageError
from smearlab.io.atomic import write_text
from smearlab.io.bundles import read_card

_SIZES = ("n", "n_fields", "n_true", "n_found")


def summarise_result(result: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of an ``evaluate`` result that have an interval, and how much was measured.

    Parameters
    ----------
    result : mapping
        What ``smearlab evaluate … --json`` wrote.

    Returns
    -------
    dict
        ``n`` and its kin, and ``{figure: {"value", "low", "high"}}``; figures of an element or a
        type are called ``ELEMENT.figure``.

    Raises
    ------
    UsageError
        If the mapping has no intervals, so that it is no such result.
    """
    if not isinstance(result.get("intervals"), Mapping):
        raise UsageError("this is no result of smearlab evaluate: it has no 'intervals'")
    summary: dict[str, Any] = {key: result[key] for key in _SIZES if key in result}
    for name, low_high in result["intervals"].items():
        if isinstance(low_high, Mapping):
            for figure, inner in low_high.items():
                holder = result.get(name)
                if isinstance(holder, Mapping) and figure in holder and _is_pair(inner):
                    summary[f"{name}.{figure}"] = _entry(holder[figure], inner)
        elif name in result and _is_pair(low_high):
            summary[name] = _entry(result[name], low_high)
    return summary


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _entry(value: float | None, pair: list[float | None]) -> dict[str, float | None]:
    return {
        key: None if number is None else round(number, 5)
        for key, number in (("value", value), ("low", pair[0]), ("high", pair[1]))
    }


def add_metrics(bundle: Path, kind: str, name: str, result: Mapping[str, Any]) -> None:
    """Write a result's summary to ``metrics.NAME`` of a bundle's card.

    Parameters
    ----------
    bundle : Path
        Folder of the bundle.
    kind : str
        ``"segmenter"`` or ``"classifier"``.
    name : str
        What was measured, as ``fields_txl_pbc_val``.
    result : mapping
        See :func:`summarise_result`.

    Raises
    ------
    BundleError
        If the folder is no bundle of that kind.
    UsageError
        If the result was measured with another model of that kind.
    """
    card = read_card(bundle, kind)
    measured = result.get("models", {}).get(kind, {}).get("sha256")
    if measured != card["sha256"]:
        raise UsageError(
            f"the result was measured with {kind} {measured}, the bundle is {card['sha256']}: "
            "measure this bundle, then add the figures"
        )
    card["metrics"] = {**card.get("metrics", {}), name: summarise_result(result)}
    text = json.dumps(card, indent=1, ensure_ascii=False)
    write_text(bundle / "card.json", text + "\n")
