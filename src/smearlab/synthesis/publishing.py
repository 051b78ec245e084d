"""Generated pictures as a data set for others: pictures, manifest, card and checksums.

::

    DIR/README.md           the card
    DIR/TYPE/….png
    DIR/manifest.csv        a row a picture: type, model, seed and latent, sha256
    DIR/manifest.parquet    the same
    DIR/sheet.png           some of each type
    DIR/SHA256SUMS          of all other files; sha256sum -c reads it
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from smearlab.batch.folder import writing
from smearlab.datasets.manifest.fingerprints import is_among
from smearlab.datasets.manifest.table import Manifest, write_manifest
from smearlab.errors import OutputExistsError, UsageError
from smearlab.io.atomic import write_text
from smearlab.io.disk_space import FILE_OVERHEAD, refuse_full_disk
from smearlab.synthesis.dataset_card import dataset_card
from smearlab.synthesis.generator import Generator
from smearlab.synthesis.sheets import sheet_of

#: The card and the sums.
CARD, SUMS = "README.md", "SHA256SUMS"
_EVERYBODY_READS = 0o755


def refuse_published(target: str | Path, n: int) -> None:
    """Refuse what cannot be published, before the work.

    Parameters
    ----------
    target : str or Path
    n : int
        Pictures.

    Raises
    ------
    OutputExistsError
        If the target is a file, or a folder that is not empty.
    UsageError
        If there is no picture.
    """
    if not n:
        raise UsageError("there is no picture to publish; ask for some with --type or --all")
    target = Path(target)
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise OutputExistsError(f"--publish {target} exists and is not empty; name a new folder")


def publish(
    manifest: Manifest,
    models: Sequence[Generator],
    target: str | Path,
    *,
    seed: int,
    truncation: float | None = None,
    name: str | None = None,
    verified: Mapping[str, Any] | None = None,
) -> Path:
    """Write a data set of its own.

    Parameters
    ----------
    manifest : Manifest
        Of :func:`smearlab.synthesis.pictures.make_pictures`; what is published.
    models : sequence of Generator
        That made them.
    target : str or Path
        New folder; there when all of it is, and not before.
    seed : int
    truncation : float, optional
        That the pictures were made with.
    name : str, optional
        Of the set; that of the folder when left out.
    verified : mapping, optional
        Of :func:`smearlab.evaluation.verification_result.read_verification`: its figures go on the
        card.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputExistsError
        If the folder is there and not empty.
    OutputError
        If the disk is full or not writable.
    UsageError
        If there is no picture, or some were not verified.
    """
    target = Path(target)
    refuse_published(target, len(manifest))
    if verified is not None:
        _refuse_other_pictures(manifest, verified)
    files = [manifest.file(path) for path in manifest.column("path")]
    needed = sum(file.stat().st_size + FILE_OVERHEAD for file in files)
    refuse_full_disk(target, needed, f"{len(files)} pictures")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            whole = Path(folder) / "set"
            facts = {"seed": seed, "truncation": truncation, "verified": verified}
            _fill(whole, manifest, models, name or target.resolve().name, facts)
            if target.is_dir():
                target.rmdir()
            whole.rename(target)
    return target


def _refuse_other_pictures(manifest: Manifest, verified: Mapping[str, Any]) -> None:
    """Figures of other pictures say nothing about these."""
    known = is_among(
        manifest.column("sha256"), [str(verified["synthetic"].get("fingerprints", ""))]
    )
    if not known.all():
        raise UsageError(
            f"{int((~known).sum())} of the {len(manifest)} pictures are not among those that were "
            f"verified, first {manifest.column('path')[int((~known).argmax())]}: verify the folder "
            "that is published (smearlab verify), and publish then"
        )


def _fill(
    folder: Path,
    manifest: Manifest,
    models: Sequence[Generator],
    name: str,
    facts: Mapping[str, Any],
) -> None:
    """Everything, the sums last."""
    folder.mkdir()
    folder.chmod(_EVERYBODY_READS)
    for path in manifest.column("path"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(manifest.file(path), folder / path)
    own = replace(manifest, root=folder)
    for file in ("manifest.csv", "manifest.parquet"):
        write_manifest(folder / file, own)
    Image.fromarray(sheet_of(own)).save(folder / "sheet.png")
    write_text(folder / CARD, dataset_card(name, own, models, **facts))
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    sums = [f"{_sha256(file)}  {file.relative_to(folder).as_posix()}\n" for file in files]
    write_text(folder / SUMS, "".join(sums))


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
