"""The tables of pages about reproduced papers, from the records that ``smearlab reproduce`` wrote.

    python benchmarks/reproductions.py OUT

``OUT`` is the folder that ``smearlab reproduce --out`` wrote to. For every page in :data:`PAGES`
the records of its experiment, and their pictures, are copied into docs/results/reproductions, and
all that lie there are written between the marks of the page: findings, tables, pictures, data,
deviations. A page without any record stays as it is, and says so itself.
"""

from __future__ import annotations

import argparse
import io
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from classifiers import DOCS, between, plain_gaps
from smearlab.evaluation.reproduction_grids import wide_grids
from smearlab.evaluation.reproductions import Record, facts_of, find_records
from smearlab.io.atomic import write_bytes, write_text

#: Experiment → its page in docs.
PAGES: Mapping[str, str] = {
    "bloodcell_net": "accuracy.md",
    "rwp_gan": "rwp-gan-results.md",
    **dict.fromkeys(
        ("c_wgan_gp", "w_net_dcgan", "few_shot_gan", "srgan_vgg19", "srgan_pbc"),
        "making-results.md",
    ),
    **dict.fromkeys(("stain_normalisation", "hazra_pipeline"), "stain-results.md"),
}
#: Folder of the records in docs.
_KEPT = Path("results") / "reproductions"
#: Of pictures, in a hundred: no difference is to be seen.
_QUALITY = 90
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
    kept = options.docs / _KEPT
    for record in find_records([options.out]):
        if record.name in PAGES:
            keep(record, options.out, kept)
    for name, file in PAGES.items():
        records = [one for one in find_records([kept]) if one.name == name]
        page = options.docs / file
        text = page.read_text(encoding="utf-8")
        write_text(page, between(text, name, "\n".join(pieces(records))))


def keep(record: Record, out: Path, kept: Path) -> None:
    """Copy a record and the pictures that it names; other pages stay where they were made."""
    place = folder_of(record)
    pictures = [page for page in record.pages if page.endswith((".png", ".webp"))]
    there = [page for page in pictures if (out / place / page).is_file()]
    small = [Path(page).with_suffix(".webp").as_posix() for page in there]
    said = replace(record, command=without_places(record.command), pages=tuple(small))
    said.save(kept / place)
    for page, name in zip(there, small, strict=True):
        write_bytes(kept / place / name, as_webp(out / place / page))


def as_webp(path: Path) -> bytes:
    """A picture in a sixth of the bytes; one that is so already stays as it is."""
    if path.suffix == ".webp":
        return path.read_bytes()
    file = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=6)
    return file.getvalue()


def folder_of(record: Record) -> Path:
    """Where a record lies in the folder of all."""
    return Path(record.name) / f"{record.protocol}-{record.scale}"


def without_places(command: str) -> str:
    """The command without the folders of one machine.

    Examples
    --------
    >>> without_places("smearlab reproduce rwp_gan --data /sets --out out")
    'smearlab reproduce rwp_gan --data DIR --out out'
    >>> without_places("smearlab reproduce lwcnn --data ../sets --out out")
    'smearlab reproduce lwcnn --data DIR --out out'
    """
    words = shlex.split(command)
    before = ["", *words]
    return shlex.join(
        "DIR" if Path(word).is_absolute() or (last == "--data" and word != "simulated") else word
        for last, word in zip(before, words, strict=False)
    )


def pieces(records: Sequence[Record]) -> Iterator[str]:
    """Markdown of every record."""
    for record in records:
        yield f"### Protocol {record.protocol}, scale {record.scale}\n"
        yield from (f"- {finding}." for finding in record.findings)
        yield ""
        for grid in wide_grids(record):
            yield plain_gaps(grid.markdown())
        for page in record.pages:
            yield f"![{Path(page).stem}]({(_KEPT / folder_of(record) / page).as_posix()})\n"
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
