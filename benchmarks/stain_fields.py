"""Stain normalisers on fields of two laboratories, both ways; writes the tables of docs/stain.md.

    python benchmarks/stain_fields.py DATA
    python benchmarks/stain_fields.py DATA --run RUN…     and networks that were trained

DATA is a folder of public sets with ``manifest.csv``, or a manifest. Of the published training part
of TXL-PBC some fields of each of the five types that PBC and Raabin-WBC share are taken, evenly
spread: every other one is what the reference methods are fitted to (``smearlab stain fit`` with
its defaults), the others are judged (``smearlab stain compare``). Where networks are named, fields
are taken that none of them has learned from or was chosen by. Figures are kept in
docs/results/stain, and the tables are written between the marks of the page.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import DOCS, between
from smearlab.batch.stain_compare import compare_normalisers, comparison_grid
from smearlab.batch.stain_fit import FitOptions, fit_files
from smearlab.batch.stain_pictures import spread
from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.evaluation.grids import Grid
from smearlab.io.atomic import write_text
from smearlab.learn.picture_sources import read_pictures
from smearlab.learn.stain_run import StainRun, open_stain_run
from smearlab.stain.methods import METHODS
from smearlab.stain.models import load_normaliser
from smearlab.stain.normaliser import Normaliser

STAINS = ("Raabin-WBC", "PBC")
TYPES = ("basophil", "eosinophil", "lymphocyte", "monocyte", "neutrophil")
PAGE, PART, KEPT = "stain.md", "fields", Path("results") / "stain"
#: Columns that depend on the machine.
_OF_MACHINE = ("megapixels/s",)


def main() -> None:
    """Fit, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--run", nargs="*", default=[], type=Path, help="of networks")
    parser.add_argument("--each", type=int, default=4, help="fields of a type, fitted and judged")
    parser.add_argument("--docs", type=Path, default=DOCS)
    options = parser.parse_args()
    runs = [open_stain_run(run) for run in options.run]
    parts = []
    with tempfile.TemporaryDirectory() as made:
        table = read_pictures(options.data, ("txl_pbc",), Path(made), show=False)
        seen = set[Path]().union(*(run.learned_from() for run in runs))
        for source, target in (STAINS, STAINS[::-1]):
            places = {
                stain: tables(table, stain, options.each, seen, Path(made)) for stain in STAINS
            }
            fitted = list(fit(places[source][0], places[target][0], Path(made) / target))
            fitted += list(networks(runs, source, target))
            out = Path(made) / f"to {target}"
            found = compare_normalisers(
                fitted, str(places[source][1]), str(places[target][1]), out, 10**6
            ).figures
            keep(found, source, target, options.docs / KEPT)
            parts.append(said(found, source, target))
    page = options.docs / PAGE
    text = between(page.read_text(encoding="utf-8"), PART, "\n\n".join(parts))
    write_text(page, text)


def tables(
    table: Manifest, stain: str, each: int, seen: set[Path], folder: Path
) -> tuple[Path, Path]:
    """Manifests of the fields that are fitted to, and of those that are judged."""
    known = (table.column("dataset") == "txl_pbc") & (table.column("published_split") == "train")
    known &= table.column("source") == stain
    fitted, judged = [], []
    for kind in TYPES:
        rows = np.flatnonzero(known & (table.column("label") == kind))
        unseen = [
            row for row in rows if table.file(table.column("path")[row]).resolve() not in seen
        ]
        unseen.sort(key=lambda row: str(table.column("path")[row]))
        taken = spread(unseen, 2 * each)
        fitted += taken[::2]
        judged += taken[1::2]
    places = [folder / f"{stain} {name}.parquet" for name in ("fitted", "judged")]
    for place, rows in zip(places, (fitted, judged), strict=True):
        write_manifest(place, table.take(_sorted(rows)))
    return places[0], places[1]


def _sorted(rows: Sequence[Any]) -> NDArray[np.intp]:
    return np.sort(np.asarray(rows, np.intp))


def fit(source: Path, target: Path, folder: Path) -> Iterator[Normaliser]:
    """Every reference method by its defaults."""
    folder.mkdir()
    for method in METHODS:
        out = folder / f"{method}.json"
        fit_files(str(source), str(target), out, FitOptions(method))
        yield load_normaliser(str(out))


def networks(runs: Sequence[StainRun], source: str, target: str) -> Iterator[Normaliser]:
    """Bundles of the runs that lead this way."""
    for run in runs:
        for way in run.ways:
            if run.stains_of(way) == (source, target):
                yield load_normaliser(run.folder / "bundle" / way, 2)


def keep(found: Mapping[str, Any], source: str, target: str, folder: Path) -> None:
    """Figures without what is of this machine: places, and speed beside whatever else ran."""
    told = {key: value for key, value in found.items() if key not in ("source", "target")}
    told |= {"source": {**found["source"], "place": source}}
    told |= {"target": {**found["target"], "place": target}}
    told["models"] = {
        name: {key: value for key, value in one.items() if key != "card"}
        | {"megapixels_per_s": None}
        for name, one in found["models"].items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(folder / f"{source}_to_{target}.json", text + "\n")


def said(found: Mapping[str, Any], source: str, target: str) -> str:
    """A heading line and the table, without what hangs on the machine."""
    grid = comparison_grid(found)
    shown = [n for n, head in enumerate(grid.columns) if head not in _OF_MACHINE]
    cut = Grid(
        "",
        tuple(grid.columns[n] for n in shown),
        tuple(tuple(row[n] for n in shown) for row in grid.rows),
        "",
    )
    rows = cut.markdown().strip()
    return f"{source} put into the stain of {target}, n {found['source']['n']}:\n\n{rows}"


if __name__ == "__main__":
    main()
