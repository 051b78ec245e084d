"""Many pictures put into another stain, in one folder, with a sheet of before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.batch.folder import writing
from smearlab.batch.made_pictures import MadePicture, PicturesResult, Remade, make_pictures
from smearlab.batch.progress import RunProgress
from smearlab.batch.run import RunOptions
from smearlab.io.atomic import write_bytes
from smearlab.io.images import read_field
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet
from smearlab.report.overlay import encode_png
from smearlab.stain.normaliser import Normaliser
from smearlab.types import Field

SHEET = "sheet.png"
#: Pictures on the sheet at most, evenly spread.
SHOWN = 12


def normalise_files(
    paths: Sequence[str | Path],
    out: str | Path,
    normaliser: Normaliser,
    options: RunOptions | None = None,
    *,
    sheet: bool = False,
    force: bool = False,
    progress: RunProgress | None = None,
) -> PicturesResult:
    """Put pictures into another stain, and write them into one folder.

    Parameters
    ----------
    paths, out, options, force, progress
        See :func:`smearlab.batch.made_pictures.make_pictures`, also for what is raised.
    normaliser : Normaliser
        One for all threads.
    sheet : bool
        Whether some are drawn side by side with what they were, in ``sheet.png``.

    Returns
    -------
    PicturesResult
        Failed files are in its ``errors``; they do not raise.
    """
    options = options or RunOptions()
    maker = _Normalising(normaliser, options)
    also = (SHEET,) if sheet else ()
    result = make_pictures(paths, out, maker, options, force=force, progress=progress, also=also)
    if sheet and result.pictures:
        with writing(result.folder):
            write_bytes(result.folder / SHEET, _sheet(result, options))
    return result


@dataclass(frozen=True)
class _Normalising:
    """Makes a picture in the other stain of each."""

    normaliser: Normaliser
    options: RunOptions

    def describe(self) -> Mapping[str, Mapping[str, Any]]:
        return {"stain": self.normaliser.card}

    def altering(self) -> Mapping[str, Any]:
        return {
            "command": "stain apply",
            "--um-per-px": self.options.um_per_px,
            "--max-pixels": self.options.max_pixels,
        }

    def make(self, field: Field) -> Remade:
        made = self.normaliser.normalise(field.pixels)
        return Remade(made.pixels, field.um_per_px, (made.why,) if made.why else ())


def _sheet(result: PicturesResult, options: RunOptions) -> bytes:
    places = np.linspace(0, len(result.pictures) - 1, SHOWN).round().astype(int)
    shown = [result.pictures[place] for place in dict.fromkeys(places.tolist())]
    return encode_png(draw_contact_sheet([_row(one, result.folder, options) for one in shown]))


def _row(picture: MadePicture, folder: Path, options: RunOptions) -> SheetRow:
    before = read_field(picture.source, max_pixels=options.max_pixels).pixels
    after = read_field(folder / picture.file, max_pixels=options.max_pixels).pixels
    words = picture.name.encode("ascii", errors="replace").decode()  # the sheet's font has no more
    return SheetRow(words, (before, after), ("before", "after"))
