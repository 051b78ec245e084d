"""Measure the looks that ship as references, from TXL-PBC; prints the JSON of references.py.

    python benchmarks/stain_references.py DATA

DATA is a folder of public sets with `manifest.csv`, or a manifest. Of each stain 60 fields are
measured, evenly spread over the published training part.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from smearlab.batch.stain_pictures import spread
from smearlab.io.images import read_field
from smearlab.learn.picture_sources import read_pictures
from smearlab.stain.fitting import measure_look
from smearlab.stain.references import MEASURED, SOURCES


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        table = read_pictures(options.data, ("txl_pbc",), Path(out), show=False)
    taken = (table.column("dataset") == "txl_pbc") & (table.column("published_split") == "train")
    found = {}
    for source in SOURCES:
        rows = np.flatnonzero(taken & (table.column("source") == source))
        paths = sorted(table.file(path) for path in table.column("path")[rows])
        pictures = [read_field(path).pixels for path in spread(paths, MEASURED)]
        for method in SOURCES[source].numbers:
            look = measure_look(pictures, method)
            numbers = {name: np.round(value, 4).tolist() for name, value in look.numbers.items()}
            ground = np.round(look.ground, 1).tolist()
            found[f"{source}, {method}"] = {"ground": ground, **numbers}
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
