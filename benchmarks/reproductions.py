"""The tables of pages about reproduced papers, from the records that ``smearlab reproduce`` wrote.

    python benchmarks/reproductions.py OUT

``OUT`` is the folder that ``smearlab reproduce --out`` wrote to. For every page in :data:`PAGES`
the records of its experiment are copied into docs/results/reproductions, and all that lie there are
written between the marks of the page: findings, tables, data, deviations. A page without any record
stays as it is, and says so itself.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from classifiers import DOCS, between, plain_gaps
from smearlab.evaluation.reproductions import Record, facts_of, find_records, wide_grids
from smearlab.io.atomic import write_text

#: Experiment → its page in docs.
PAGES: Mapping[str, str] = {"rwp_gan": "rwp-gan-results.md"}
#: Facts that stand in a line each.
_SHORT = ("Paper", "Hardware", "Time", "Command", "Version", "Finished")


def main() -> None:
    """Copy records, rewrite pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--docs", type=Path, default=DOCS)
    options = parser.parse_args()
    if not options.out.is_dir():
        sys.exit(f"{options.out} is no folder: name the one that smearlab reproduce --out wrote to")
    kept = options.docs / "results" / "reproductions"
    for record in find_records([options.out]):
        if record.name in PAGES:
            folder = kept / record.name / f"{record.protocol}-{record.scale}"
            replace(record, command=without_places(record.command)).save(folder)
    for name, file in PAGES.items():
        records = [one for one in find_records([kept]) if one.name == name]
        page = options.docs / file
        text = page.read_text(encoding="utf-8")
        write_text(page, between(text, name, "\n".join(pieces(records))))


def without_places(command: str) -> str:
    """The command without the folders of one machine.

    Examples
    --------
    >>> without_places("smearlab reproduce rwp_gan --data /sets --out out")
    'smearlab reproduce rwp_gan --data DIR --out out'
    """
    words = shlex.split(command)
    return shlex.join("DIR" if Path(word).is_absolute() else word for word in words)


def pieces(records: Sequence[Record]) -> Iterator[str]:
    """Markdown of every record."""
    for record in records:
        yield f"### Protocol {record.protocol}, scale {record.scale}\n"
        yield from (f"- {finding}." for finding in record.findings)
        yield ""
        for grid in wide_grids(record):
            yield plain_gaps(grid.markdown())
        yield "Data:\n"
        yield from (f"- {sentence}" for sentence in record.data)
        yield "\nDeparts from the paper:\n"
        yield from (f"- {sentence}" for sentence in record.deviations)
        yield ""
        facts = facts_of(record)
        for label in _SHORT:
            if label in facts:
                text = f"`{facts[label]}`" if label == "Command" else facts[label]
                yield f"{label}: {text}.\n"


if __name__ == "__main__":
    main()
