"""Fitted looks that ship: targets for those who have no pictures of their own to name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np

from smearlab.stain.normaliser import Look, ReferenceNormaliser

#: May-Grünwald-Giemsa on a cream ground: 60 fields of PBC (Acevedo et al. 2020, CC BY 4.0), evenly
#: spread over the training part of TXL-PBC, measured with ``vahadane``.
_CREAM = {
    "ground": [254.0, 227.0, 202.0],
    "stains": [[0.4752, 0.5447], [0.8716, 0.7274], [0.1202, 0.4174]],
    "most": [2.7219, 0.9296],
}
_FACTS = {
    "to": "May-Grünwald-Giemsa, cream ground (PBC)",
    "data": "60 fields of PBC, Acevedo et al. 2020, doi:10.1016/j.dib.2020.105474",
    "licence": "CC BY 4.0",
}


def _romanowsky() -> ReferenceNormaliser:
    sha256 = hashlib.sha256(json.dumps(_CREAM, sort_keys=True).encode()).hexdigest()
    numbers = {name: np.array(_CREAM[name]) for name in ("stains", "most")}
    words = {"name": "romanowsky", "kind": "stain", "method": "vahadane", "ground": "match"}
    return ReferenceNormaliser(
        name="romanowsky",
        method="vahadane",
        target=Look(np.array(_CREAM["ground"]), numbers),
        card={**words, "estimate": "picture", "sha256": sha256, **_FACTS},
    )


#: Name → normaliser.
REFERENCES: Mapping[str, ReferenceNormaliser] = {"romanowsky": _romanowsky()}
