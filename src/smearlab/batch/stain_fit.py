"""Fitting a reference method: two folders in, a model file out, with what it came to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smearlab.batch.folder import writing
from smearlab.batch.records import content_of
from smearlab.batch.stain_pictures import (
    StainPictures,
    files_of,
    read_pictures,
    refuse_same_files,
    refuse_same_pictures,
    spread,
)
from smearlab.errors import UsageError
from smearlab.evaluation.normaliser_figures import judge, target_colours
from smearlab.report.records import FileError
from smearlab.stain.fitting import measure_look
from smearlab.stain.methods import method_called
from smearlab.stain.models import refuse_other_suffix, write_model
from smearlab.stain.normaliser import Estimate, Ground, ReferenceNormaliser

#: Pictures of each stain that are measured, and of the source that are judged, at most.
MOST, JUDGED = 40, 20


@dataclass(frozen=True)
class FitOptions:
    """How a method is fitted.

    Parameters
    ----------
    method : str
        See :data:`smearlab.stain.methods.METHODS`.
    ground : {"match", "keep", "published"}
    estimate : {"picture", "source"}
    most : int
        Pictures of each stain that are measured at most, evenly spread.
    name : str or None
        Of the model; that of its file when left out.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    UsageError
        If ``most`` is below 1.
    """

    method: str
    ground: Ground = "match"
    estimate: Estimate = "picture"
    most: int = MOST
    name: str | None = None

    def __post_init__(self) -> None:
        method_called(self.method)
        if self.most < 1:
            raise UsageError(f"most must be at least 1; received {self.most}")


@dataclass(frozen=True, eq=False)
class FitResult:
    """What fitting came to.

    Parameters
    ----------
    normaliser : ReferenceNormaliser
    figures : mapping
        Of :func:`smearlab.evaluation.normaliser_figures.judge`, on the pictures of the source that
        it was fitted to: a look, no test.
    unread : tuple of FileError
        Files that cannot be read.
    """

    normaliser: ReferenceNormaliser
    figures: Mapping[str, Any]
    unread: tuple[FileError, ...]


def fit_files(
    source: str, target: str, out: str | Path, options: FitOptions, root: Path | None = None
) -> FitResult:
    """Fit a method, judge it on the source, and write the model.

    Parameters
    ----------
    source, target : str
        Folders, files, patterns or manifests; of a manifest that is split the training part.
    out : str or Path
        The model's file, ``….json``.
    options : FitOptions
    root : Path, optional
        Folder of manifests' pictures, if not where they say.

    Returns
    -------
    FitResult

    Raises
    ------
    UsageError
        If a place has no picture, or the file's name ends otherwise.
    DataError
        If source and target share pictures.
    ImageError
        If nothing can be read, the pictures of one are blank, or the target shows no nucleus.
    OutputError
        If the model cannot be written.
    """
    refuse_other_suffix(out)
    every = [files_of(place, ("train",), root) for place in (source, target)]
    refuse_same_files(*every)
    files = [spread(some, options.most) for some in every]
    refuse_same_pictures(*files)
    there, wanted = (
        read_pictures(place, some) for place, some in zip((source, target), files, strict=True)
    )
    colours = target_colours(wanted.pixels)
    name = options.name or Path(out).stem
    normaliser = ReferenceNormaliser(
        name,
        options.method,
        target=measure_look(wanted.pixels, options.method, options.ground, target),
        source=measure_look(there.pixels, options.method, options.ground, source),
        ground=options.ground,
        estimate=options.estimate,
    )
    figures = judge(normaliser, there.pixels[:: -(-len(there.pixels) // JUDGED)], colours)
    facts = {
        "from": source,
        "to": target,
        "pictures": {"source": _named(there), "target": _named(wanted)},
        "figures_on_source": figures,
    }
    with writing(Path(out)):
        write_model(out, normaliser, facts)
    return FitResult(normaliser, figures, (*there.unread, *wanted.unread))


def _named(pictures: StainPictures) -> dict[str, Any]:
    """How many they are, and by which checksum they are known."""
    sums = sorted(content_of(path).sha256 for path in pictures.files)
    return {"n": len(sums), "sha256_of_sha256": hashlib.sha256("".join(sums).encode()).hexdigest()}
