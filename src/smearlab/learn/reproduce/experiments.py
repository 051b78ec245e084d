"""Every experiment by name, and how one is run and recorded."""

from __future__ import annotations

import contextlib
import csv
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from smearlab import __version__
from smearlab.datasets.simulated_files import DATASET as SIMULATED
from smearlab.errors import DataError, UsageError
from smearlab.evaluation.grids import Grid
from smearlab.evaluation.reproductions import RECORD, Record, with_parts
from smearlab.learn.reproduce import (
    bloodcell_net,
    c_wgan_gp,
    classifiers,
    few_shot_gan,
    hazra_pipeline,
    rwp_gan,
    srgan_vgg19,
    stain_normalisation,
    w_net_dcgan,
)
from smearlab.learn.reproduce.experiment import SCALES, Asked, Experiment
from smearlab.registry import look_up

#: Every table that can be reproduced, by name.
_MODULES = (
    bloodcell_net, classifiers, rwp_gan, w_net_dcgan, srgan_vgg19, c_wgan_gp, few_shot_gan,
    stain_normalisation, hazra_pipeline,
)  # fmt: skip
EXPERIMENTS: Mapping[str, Experiment] = {
    one.name: one for module in _MODULES for one in module.EXPERIMENTS
}
_LISTING = "manifest.csv"


def reproduce(experiment: Experiment, asked: Asked, command: str) -> Record:
    """Run an experiment, or go on with it, and write its record.

    Parameters
    ----------
    experiment : Experiment
    asked : Asked
        Its ``folder`` is where all experiments lie: this one gets a folder of its own in it.
    command : str
        Stands in the record.

    Returns
    -------
    Record
        As it was written to ``NAME/PROTOCOL-SCALE/record.json``. Parts that are not trained in the
        folder are those of the record that was there.

    Raises
    ------
    UsageError
        If there is no such scale.
    UnknownNameError
        If the table has no part that ``only`` names.
    DataError
        If none of the data that it needs is there.
    """
    if asked.scale not in SCALES:
        raise UsageError(f"scale must be one of {', '.join(SCALES)}; received {asked.scale!r}")
    for name in asked.only:
        look_up("part of the table", {one: one for one in experiment.run.names}, name)
    refuse_missing_data(experiment, asked.data)
    folder = folder_of(experiment, asked)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome = experiment.run(replace(asked, folder=folder, lists=asked.lists or asked.folder))
    except Exception:
        for place in (folder, folder.parent):  # what was refused at once leaves nothing behind
            with contextlib.suppress(OSError):
                place.rmdir()
        raise
    other = experiment.wanted and outcome.stands_in
    stands_in = f"in the place of {experiment.wanted}" if other else ""
    record = Record(
        name=experiment.name,
        title=experiment.title,
        paper=f"{experiment.paper}, {experiment.tables}",
        protocol=asked.protocol,
        scale=asked.scale,
        lines=outcome.lines,
        data=(*outcome.data, *((stands_in,) if stands_in else ())),
        deviations=outcome.deviations,
        hardware=outcome.hardware,
        command=command,
        commit=commit(),
        version=__version__,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=outcome.seconds,
        seed=outcome.seed,
        findings=outcome.findings,
        pages=outcome.pages,
    )
    if experiment.parts and (folder / RECORD).is_file():
        record = with_parts(record, Record.load(folder / RECORD), experiment.parts)
    record.save(folder)
    return record


def folder_of(experiment: Experiment, asked: Asked) -> Path:
    """Where an experiment's runs and its record lie."""
    return asked.folder / experiment.name / f"{asked.protocol}-{asked.scale}"


def datasets_here(data: str | None) -> frozenset[str] | None:
    """Names of the sets that a folder of public sets or a manifest holds; None if unknown.

    Parameters
    ----------
    data : str or None
        As ``--data``.
    """
    if data is None or data == SIMULATED:
        return None
    path = Path(data)
    if path.is_dir() and (path / _LISTING).is_file():
        with (path / _LISTING).open(newline="", encoding="utf-8") as stream:
            return frozenset(row.get("dataset") or "" for row in csv.DictReader(stream))
    if path.is_file():
        from smearlab.datasets.manifest.table import read_manifest

        return frozenset(str(name) for name in read_manifest(path).column("dataset"))
    return None


def refuse_missing_data(experiment: Experiment, data: str) -> None:
    """Say what an experiment needs, before anything is read at length.

    Raises
    ------
    DataError
        If the data are known, and none of them is what it needs.
    """
    here = datasets_here(data)
    if here is not None and "folder" not in here and not experiment.can_use(here):
        raise DataError(
            f"{experiment.name} needs {experiment.said_needs}, and {data} holds "
            f"{', '.join(sorted(here))}: see smearlab data list for where it is had"
        )


def experiments_grid(data: str | None) -> Grid:
    """Every experiment with the data it needs, and whether they are here.

    Parameters
    ----------
    data : str or None
        As ``--data``; None leaves open what is here.
    """
    here = datasets_here(data)
    rows = []
    for one in EXPERIMENTS.values():
        needs = one.said_needs + (f" (paper: {one.wanted})" if one.wanted else "")
        held = "?" if here is None else ("yes" if one.can_use(here) else "no")
        rows.append((one.name, one.title, f"{one.paper}, {one.tables}", needs, held))
    heads = ("name", "what", "paper and tables", "data", "here")
    return Grid("What can be reproduced", heads, tuple(rows), n_words=5)


def commit() -> str:
    """The commit that the package runs from; empty where that is not known.

    A package that was installed has none; one with changes that are not committed is marked.
    """
    here = Path(__file__).resolve().parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(here), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        # A file that git does not know lies in somebody else's repository.
        if not git("ls-files", Path(__file__).name):
            return ""
        found = git("rev-parse", "--short=12", "HEAD")
        return found + " with changes" * bool(found and git("status", "--porcelain", "-uno"))
    except OSError:  # no git
        return ""
