"""From a reading to a manifest. Needs the ``data`` extra."""

from __future__ import annotations

from smearlab.datasets.adapters.reading import Reading
from smearlab.datasets.manifest.table import Manifest


def to_manifest(reading: Reading) -> Manifest:
    """The rows of a reading as a table whose root is the folder that was read.

    Raises
    ------
    ManifestError
        If a row does not fit.
    """
    what = reading.survey
    return Manifest.from_rows(
        reading.rows,
        what.tree.root,
        "import",
        dataset=what.adapter.name,
        pictures=len(what.found),
        lost=[problem.path for problem in reading.lost],
        left=len(what.left),
    )
