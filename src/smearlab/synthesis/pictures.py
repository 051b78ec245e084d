"""Generated pictures in a folder, with the manifest that marks them as synthetic.

::

    DIR/TYPE/TYPE-SEED-INDEX.png
    DIR/generated.jsonl     a line a picture: what an interrupted call goes on from
    DIR/manifest.parquet    synthetic rows, all for training
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image

from smearlab.batch.folder import writing
from smearlab.batch.workers import in_order
from smearlab.datasets.manifest.fingerprints import LEARNED
from smearlab.datasets.manifest.table import Manifest, read_manifest, write_manifest
from smearlab.datasets.picture_journal import Journal
from smearlab.errors import UsageError
from smearlab.io.atomic import remove_leftovers, write_bytes
from smearlab.io.disk_space import FILE_OVERHEAD, refuse_full_disk
from smearlab.synthesis.generator import BLOCK, Generator

#: In the column ``dataset`` of a manifest: pictures that a generator made.
DATASET = "synthetic"
JOURNAL, MANIFEST = "generated.jsonl", "manifest.parquet"
#: Of a sha256, enough to tell models apart.
_DIGITS = 16


@dataclass(frozen=True)
class MadePictures:
    """What lies in the folder.

    Parameters
    ----------
    manifest : Manifest
        A row a picture, by type and index; those of earlier calls, too.
    wanted : Manifest
        The rows that this call asked for.
    new : int
        Pictures that this call made; the others of ``wanted`` were there.
    """

    manifest: Manifest
    wanted: Manifest
    new: int


def make_pictures(
    wanted: Mapping[str, int],
    makers: Mapping[str, Generator],
    out: str | Path,
    *,
    seed: int,
    truncation: float | None = None,
    models: Sequence[Generator] = (),
    threads: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> MadePictures:
    """Make pictures, or those of them that are not there yet.

    The same call goes on where an earlier one was interrupted, and more types or pictures may be
    asked for. Models, seed and truncation may not change.

    Parameters
    ----------
    wanted : mapping of str to int
        Type → pictures; may be empty.
    makers : mapping of str to Generator
        Of every type that is wanted.
    out : str or Path
        Folder to write to.
    seed : int
    truncation : float, optional
        See :func:`smearlab.synthesis.latents.draw_latents`.
    models : sequence of Generator
        All that the folder is of; the makers when left out.
    threads : int
        Files that are written at a time.
    advance : callable
        Called after every picture, also of those that were there.

    Returns
    -------
    MadePictures

    Raises
    ------
    OutputExistsError
        If the folder holds something else, or pictures of another model, seed or truncation.
    OutputError
        If the disk is too small, which is looked at before the first picture, or not writable.
    """
    out = Path(out)
    settings = {
        "seed": seed,
        "truncation": truncation,
        "models": _named(models or [*makers.values()]),
    }
    if not (out / JOURNAL).is_file():  # nothing is there yet: refused before anything is written
        _refuse_full_disk(out, {kind: range(number) for kind, number in wanted.items()}, makers)
    with writing(out), Journal.open(out / JOURNAL, settings, ("pictures", "generated")) as journal:
        missing = {
            kind: [n for n in range(number) if not _is_there(journal, out, kind, seed, n)]
            for kind, number in wanted.items()
        }
        _refuse_full_disk(out, missing, makers)
        new = sum(map(len, missing.values()))
        for _ in range(sum(wanted.values()) - new):
            advance()
        with ThreadPoolExecutor(max(1, threads)) as pool:
            for kind, left in missing.items():
                asked = _Asked(out, kind, seed, truncation)
                for path, entry in _made(makers[kind], asked, left, pool):
                    journal.add(path, entry)
                    advance()
        used = models or [*dict.fromkeys(makers.values())]
        return _finished(out, journal, settings, wanted, new, used)


def _refuse_full_disk(
    out: Path, missing: Mapping[str, Sequence[int]], makers: Mapping[str, Generator]
) -> None:
    needed = sum(len(left) * _bytes_of(makers[kind]) for kind, left in missing.items())
    refuse_full_disk(out, needed, f"{sum(map(len, missing.values()))} pictures")


@dataclass(frozen=True)
class _Asked:
    """Of all pictures of a type."""

    out: Path
    kind: str
    seed: int
    truncation: float | None


def refuse_generated(folder: str | Path) -> None:
    """Refuse to measure a model on pictures that a generator made.

    Parameters
    ----------
    folder : str or Path
        Of pictures.

    Raises
    ------
    UsageError
        If ``smearlab generate`` wrote it, or published it.
    """
    folder = Path(folder)
    generated = (folder / JOURNAL).is_file()
    if not generated and (folder / MANIFEST).is_file():
        table = read_manifest(folder / MANIFEST).table
        generated = pc.any(pc.equal(table.column("dataset"), DATASET)).as_py()
    if generated:
        raise UsageError(
            f"{folder} holds pictures that a generator made; a model is measured on real ones. "
            "How it answers synthetic pictures, and what they are worth, says smearlab verify"
        )


def _named(models: Sequence[Generator]) -> list[str]:
    return sorted({f"{model.name} (sha256 {model.sha256[:_DIGITS]}…)" for model in models})


def _place(kind: str, seed: int, index: int) -> str:
    """Path of a picture in the folder."""
    return f"{kind}/{kind.replace(' ', '-')}-{seed}-{index:05}.png"


def _is_there(journal: Journal, out: Path, kind: str, seed: int, index: int) -> bool:
    path = _place(kind, seed, index)
    return journal.get(path) is not None and (out / path).is_file()


def _bytes_of(model: Generator) -> int:
    """Of a picture on the disk, at most: noise cannot be compressed."""
    return 3 * model.size_px**2 + FILE_OVERHEAD


def _made(
    model: Generator, asked: _Asked, left: Sequence[int], pool: ThreadPoolExecutor
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and entry of every picture, in order, once it is on the disk."""
    (asked.out / asked.kind).mkdir(parents=True, exist_ok=True)
    remove_leftovers(asked.out / asked.kind)

    def write(made: tuple[int, NDArray[np.uint8]]) -> tuple[str, dict[str, Any]]:
        return _written(asked, model.name, *made)

    # The network goes on meanwhile, but not so far that pictures pile up in memory.
    return in_order(pool, write, _computed(model, asked, left), 2 * BLOCK)


def _computed(
    model: Generator, asked: _Asked, left: Sequence[int]
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Indices and their pictures."""
    for _, run in groupby(enumerate(left), key=lambda pair: pair[1] - pair[0]):
        indices = [index for _, index in run]  # without gaps
        pictures = model.generate(
            asked.kind, len(indices), asked.seed, asked.truncation, start=indices[0]
        )
        yield from zip(indices, pictures, strict=True)


def _written(
    asked: _Asked, model: str, index: int, pixels: NDArray[np.uint8]
) -> tuple[str, dict[str, Any]]:
    """Write a picture; its path and what the journal says of it."""
    path = _place(asked.kind, asked.seed, index)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    write_bytes(asked.out / path, buffer.getvalue())
    return path, {
        "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "type": asked.kind,
        "index": index,
        "size_px": pixels.shape[0],
        "model": model,
    }


def _finished(
    out: Path,
    journal: Journal,
    settings: Mapping[str, Any],
    wanted: Mapping[str, int],
    new: int,
    models: Sequence[Generator],
) -> MadePictures:
    """The manifest of what lies in the folder, written if anything does."""
    entries = {path: entry for path, entry in journal.entries() if (out / path).is_file()}
    order = sorted(entries, key=lambda path: (entries[path]["type"], entries[path]["index"]))
    rows = [_row(path, entries[path], settings["seed"]) for path in order]
    manifest = Manifest.from_rows(rows, out, "generate", **settings)
    for model in models:
        told = model.card.get("learned_from")
        if told:
            manifest = manifest.noted(LEARNED, model=model.name, **told)
    if rows:
        write_manifest(out / MANIFEST, manifest)
    asked = {_place(kind, settings["seed"], n) for kind, m in wanted.items() for n in range(m)}
    of_call = manifest.take(np.array([path in asked for path in order], bool))
    return MadePictures(manifest, of_call, new)


def _row(path: str, entry: Mapping[str, Any], seed: int) -> dict[str, Any]:
    return {
        "path": path,
        "sha256": entry["sha256"],
        "dataset": DATASET,
        "source": entry["model"],
        # the same wherever the picture is made anew, so that two copies of it are tied
        "source_image": f"{entry['type']}, seed {seed}, latent {entry['index']}",
        "label": entry["type"],
        "type": entry["type"],
        "width_px": entry["size_px"],
        "height_px": entry["size_px"],
        "split": "train",
        "synthetic": True,
    }
