"""Fitted looks that ship: targets for those who have no pictures of their own to name.

Both are Romanowsky stains, azure and eosin, each measured by three methods over 60 fields of the
training part of TXL-PBC, evenly spread: ``python benchmarks/stain_references.py DATA`` prints these
numbers. Histograms do not ship: they are those of the fields' contents as much as of the stain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from smearlab.stain.normaliser import Look, ReferenceNormaliser

#: Fields that each look was measured on.
MEASURED = 60


@dataclass(frozen=True)
class ShippedLook:
    """A stain as several methods measured it.

    Parameters
    ----------
    name : str
        Of the reference by the first method; further ones add theirs.
    to, data, licence : str
        What it looks like, what was measured, and under which licence that is given.
    ground : tuple of float
        sRGB.
    numbers : mapping of str to mapping
        Method → what :func:`smearlab.stain.fitting.measure_look` gives.
    """

    name: str
    to: str
    data: str
    licence: str
    ground: tuple[float, float, float]
    numbers: Mapping[str, Mapping[str, Any]]


#: Origin of the fields → how they look.
SOURCES: Mapping[str, ShippedLook] = {
    "PBC": ShippedLook(
        "romanowsky",
        "May-Grünwald-Giemsa, cream ground (PBC)",
        f"{MEASURED} fields of PBC, Acevedo et al. 2020, doi:10.1016/j.dib.2020.105474",
        "CC BY 4.0",
        (254.0, 227.0, 202.0),
        {
            "vahadane": {
                "stains": [[0.4763, 0.5368], [0.8707, 0.7296], [0.1227, 0.4238]],
                "most": [2.7517, 0.9141],
            },
            "macenko": {
                "stains": [[0.4114, 0.7196], [0.9076, 0.6627], [0.0838, 0.2074]],
                "most": [2.4751, 1.2141],
            },
            "reinhard": {
                "mean": [70.1466, 17.977, -18.7461],
                "deviation": [16.4368, 13.925, 18.4799],
            },
        },
    ),
    "Raabin-WBC": ShippedLook(
        "romanowsky_pink",
        "Giemsa, pink ground (Raabin-WBC)",
        f"{MEASURED} fields of Raabin-WBC, Kouzehkanan et al. 2022, in TXL-PBC",
        "MIT",
        (218.0, 184.5, 169.0),
        {
            "vahadane": {
                "stains": [[0.2825, 0.5466], [0.9449, 0.7506], [0.1652, 0.3713]],
                "most": [2.5786, 1.1792],
            },
            "macenko": {
                "stains": [[0.2326, 0.6615], [0.9644, 0.6505], [0.1257, 0.3732]],
                "most": [2.4072, 0.994],
            },
            "reinhard": {
                "mean": [63.1514, 25.5212, -25.4832],
                "deviation": [12.7942, 16.5035, 14.5015],
            },
        },
    ),
}


def _normaliser(look: ShippedLook, method: str, first: bool) -> ReferenceNormaliser:
    name = look.name if first else f"{look.name}_{method}"
    numbers, ground = look.numbers[method], list(look.ground)
    told = json.dumps({"method": method, "ground": ground, **numbers}, sort_keys=True)
    return ReferenceNormaliser(
        name=name,
        method=method,
        target=Look(np.array(ground), {key: np.array(value) for key, value in numbers.items()}),
        card={
            "name": name,
            "kind": "stain",
            "method": method,
            "ground": "match",
            "estimate": "picture",
            "sha256": hashlib.sha256(told.encode()).hexdigest(),
            "to": look.to,
            "data": look.data,
            "licence": look.licence,
        },
    )


#: Name → normaliser.
REFERENCES: Mapping[str, ReferenceNormaliser] = {
    one.name: one
    for look in SOURCES.values()
    for one in (_normaliser(look, method, not number) for number, method in enumerate(look.numbers))
}
