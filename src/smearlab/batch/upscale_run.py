"""Many pictures made larger into one folder: resumable, each file whole, a bad one costs itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smearlab.batch.made_pictures import PicturesResult, Remade, make_pictures
from smearlab.batch.progress import RunProgress
from smearlab.batch.run import RunOptions
from smearlab.errors import ImageError
from smearlab.types import Field
from smearlab.upscale.upscaler import Upscaler


def upscale_files(
    paths: Sequence[str | Path],
    out: str | Path,
    upscaler: Upscaler,
    options: RunOptions | None = None,
    *,
    force: bool = False,
    progress: RunProgress | None = None,
) -> PicturesResult:
    """Make pictures larger, and write them into one folder.

    Parameters
    ----------
    paths, out, options, force, progress
        See :func:`smearlab.batch.made_pictures.make_pictures`, also for what is raised.
    upscaler : Upscaler
        One for all threads.

    Returns
    -------
    PicturesResult
        Failed files are in its ``errors``; they do not raise.
    """
    options = options or RunOptions()
    maker = _Upscaling(upscaler, options)
    return make_pictures(paths, out, maker, options, force=force, progress=progress)


@dataclass(frozen=True)
class _Upscaling:
    """Makes a larger picture of each."""

    upscaler: Upscaler
    options: RunOptions

    def describe(self) -> Mapping[str, Mapping[str, Any]]:
        return {"upscaler": self.upscaler.card}

    def altering(self) -> Mapping[str, Any]:
        return {
            "command": "upscale",
            "--factor": self.upscaler.factor,
            "--um-per-px": self.options.um_per_px,
            "--max-pixels": self.options.max_pixels,
        }

    def make(self, field: Field) -> Remade:
        by, most = self.upscaler.factor, self.options.max_pixels
        if by * by * field.width_px * field.height_px > most:
            raise ImageError(
                f"{field.source}: {by} times as wide it would have {by * field.width_px} × "
                f"{by * field.height_px} px, more than {most}; cut it, or raise --max-pixels"
            )
        um_per_px = None if field.um_per_px is None else field.um_per_px / by
        return Remade(self.upscaler.upscale(field.pixels), um_per_px)
