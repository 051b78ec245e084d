"""From finished generators to what their pictures are worth: bundle, pictures, verification."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from smearlab.batch.workers import usable_cores
from smearlab.evaluation.runs import MANIFEST
from smearlab.io.atomic import write_bytes
from smearlab.learn.export_generators import export_generator
from smearlab.learn.generator_run import GeneratorRun, load_generator_run
from smearlab.learn.reproduce.experiment import Asked
from smearlab.learn.verification.config import VerifyConfig
from smearlab.learn.verification.run import PAGE, verify
from smearlab.synthesis.generator import Generator
from smearlab.synthesis.pictures import make_pictures
from smearlab.synthesis.sheets import sheet_of
from smearlab.synthesis.wanted import makers_of

#: Folders in that of the experiment.
MADE, VERIFIED = "made", "verified"
#: What follows from the real pictures alone, for all recipes.
_REAL = "real"
#: Side of a picture on the sheet, which goes on a page.
_TILE_PX = 112


@dataclass(frozen=True)
class Worth:
    """Generated pictures of a recipe, and what they are worth.

    Parameters
    ----------
    name : str
        Of the recipe.
    runs : tuple of GeneratorRun
        One for all types, or one for each.
    whole : mapping
        Of :func:`smearlab.learn.verification.run.verify`.
    pages : tuple of str
        Sheet and report, relative to the experiment's folder.
    """

    name: str
    runs: tuple[GeneratorRun, ...]
    whole: Mapping[str, Any]
    pages: tuple[str, ...]

    @property
    def checks(self) -> Mapping[str, Any]:
        """Check → result."""
        found: Mapping[str, Any] = self.whole["checks"]
        return found

    @property
    def seconds(self) -> float:
        """Of all its trainings."""
        return sum(run.summary.train_seconds or 0.0 for run in self.runs)


def worth_of(
    name: str,
    folders: Sequence[Path],
    each: int,
    config: VerifyConfig,
    asked: Asked,
    types: Sequence[str] = (),
) -> Worth:
    """Make pictures with finished runs and verify them; what is done is not done again.

    Parameters
    ----------
    name : str
        Of the recipe, and of the folders.
    folders : sequence of Path
        Finished runs that saw the same pictures; they get their bundles.
    each : int
        Pictures of each type.
    config : VerifyConfig
    asked : Asked
        Of the experiment.
    types : sequence of str
        That are made; all that the runs can make when empty.

    Raises
    ------
    OutputExistsError
        If there are pictures of a network that was trained anew since.
    """
    runs = tuple(load_generator_run(folder) for folder in folders)
    for run in runs:
        if not (run.folder / "bundle" / "card.json").is_file():
            export_generator(run, run.folder / "bundle")
    threads = usable_cores()
    models = [Generator.load(run.folder, threads) for run in runs]
    kinds = types or [kind for model in models for kind in model.types]
    wanted = dict.fromkeys(kinds, each)
    made = make_pictures(
        wanted,
        makers_of(kinds, models),
        asked.folder / MADE / name,
        seed=0,
        models=models,
        threads=threads,
    )
    sheet, out = f"{name}.png", asked.folder / VERIFIED / name
    buffer = io.BytesIO()
    Image.fromarray(sheet_of(made.wanted, tile_px=_TILE_PX)).save(buffer, "PNG")
    write_bytes(asked.folder / sheet, buffer.getvalue())
    asked.say(f"{name}: {len(made.wanted)} pictures are verified")
    whole = verify(
        asked.folder / MADE / name,
        str(runs[0].folder / MANIFEST),
        config,
        out,
        shared=asked.folder / VERIFIED / _REAL,
        show=asked.show,
        say=asked.say,
    )
    return Worth(name, runs, whole, (sheet, f"{VERIFIED}/{name}/{PAGE}"))
