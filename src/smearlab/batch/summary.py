"""The counts of a run as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from smearlab.types import LEUKOCYTE_TYPES, UNIDENTIFIED


def summary_table(pooled: Mapping[str, Any]) -> Table:
    """Elements, differential and ratios.

    Parameters
    ----------
    pooled : mapping
        As :meth:`smearlab.types.Counts.to_dict` gives it: plain numbers, None where undefined.

    Returns
    -------
    Table
        Shares of the identified leukocytes, each with its 95 % Clopper–Pearson interval.
    """
    n_fields = pooled["n_fields"]
    fields = f"{n_fields} field{'s' if n_fields != 1 else ''}"
    table = Table(title=f"Cells in {fields}", title_justify="left", caption_justify="left")
    table.add_column("cells")
    table.add_column("n", justify="right")
    table.add_column("share", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_row("red cells", _number(pooled["RBC"]))
    table.add_row("platelets", _number(pooled["PLT"]))
    table.add_row("white (nucleated) cells", _number(pooled["WBC"]), end_section=True)
    for name in LEUKOCYTE_TYPES:
        share = pooled["differential"][name]
        interval = f"{_percent(share['low'])} – {_percent(share['high'])}"
        last = name == LEUKOCYTE_TYPES[-1]
        table.add_row(
            name, _number(share["n"]), _percent(share["fraction"]), interval, end_section=last
        )
    for name in ("erythroblast", UNIDENTIFIED):
        table.add_row(name, _number(pooled["types"][name]["n"]))
    table.caption = (
        f"per white cell: {_ratio(pooled['rbc_per_wbc'])} red cells, "
        f"{_ratio(pooled['plt_per_wbc'])} platelets"
    )
    return table


def _number(n: int | None) -> str:
    return "not looked for" if n is None else str(n)


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.1f} %"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
