"""What a card says of the pictures that a network learned from: title, licence, whom to name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smearlab.datasets.adapters.registry import ADAPTERS
from smearlab.datasets.simulated_files import DATASET as SIMULATED


def data_credits(datasets: Sequence[str]) -> dict[str, Any]:
    """The ``data``, ``data_use`` and ``attribution`` of a card.

    Parameters
    ----------
    datasets : sequence of str
        Values of a manifest's ``dataset``.

    Returns
    -------
    dict
        ``data``: a line for each set, with its licence; ``data_use``: set → what its pictures may
        serve; ``attribution``: the papers to be named, each once. Sets that no adapter knows are
        said to have no licence that is known.

    Examples
    --------
    >>> credits = data_credits(["pbc"])
    >>> credits["data"][0].endswith("(pbc, CC BY 4.0)"), credits["data_use"]
    (True, {'pbc': 'anything, with attribution'})
    """
    lines, use, papers = [], {}, []
    for name in dict.fromkeys(datasets):
        if name == SIMULATED:
            lines.append("simulated cells (smearlab simulate)")
        elif name not in ADAPTERS:
            lines.append(f"{name} (no licence is known)")
        else:
            adapter = ADAPTERS[name]
            lines.append(f"{adapter.title} ({name}, {adapter.licence})")
            use[name] = adapter.allowed
            papers += [paper for paper in adapter.citation if paper not in papers]
    return {"data": lines, "data_use": use, "attribution": papers}
