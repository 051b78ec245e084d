"""``smearlab reproduce bloodcell_net``: trained once, measured against masks, compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="pyarrow is not installed: the data extra is missing")

from smearlab.errors import UsageError
from smearlab.io.images import read_field
from smearlab.learn.reproduce.bloodcell_net import STAGE
from smearlab.learn.reproduce.experiment import Asked
from smearlab.learn.reproduce.experiments import EXPERIMENTS, reproduce
from smearlab.pipeline import Analyzer


def test_the_unet_stands_beside_the_shipped_segmenter(tmp_path: Path) -> None:
    experiment = EXPERIMENTS["bloodcell_net"]
    asked = Asked("simulated", tmp_path, scale="smoke", show=False)
    record = reproduce(experiment, asked, "smearlab reproduce bloodcell_net")
    lines = {(line.row, line.figure): line for line in record.lines}
    own, shipped = lines[STAGE, "Dice"], lines["shipped segmenter", "Dice"]
    assert (own.reported, own.where, own.n, own.of) == (0.9792, "section 4.1", 2, "fields")
    assert shipped.reported is None
    assert shipped.obtained is not None and shipped.obtained > 0.8
    assert record.seconds > 0 and "threads" in record.hardware
    folder = tmp_path / "bloodcell_net" / "honest-smoke"
    # By hand, of the shipped segmenter's own labels.
    analyzer, both, of_each = Analyzer.load("default", None), 0, 0
    for image in sorted((folder / "simulated" / "images").iterdir()):
        with Image.open(folder / "simulated" / "masks" / f"{image.stem}.png") as opened:
            true = np.asarray(opened) > 0
        found = analyzer.analyze(read_field(image)).labels.array > 0
        both, of_each = both + int((true & found).sum()), of_each + int(true.sum() + found.sum())
    judged = json.loads((folder / "figures.json").read_text())["shipped segmenter"]
    assert judged["by_border"]["count"]["dice"] == pytest.approx(2 * both / of_each, abs=0.01)
    before = (folder / STAGE / "log.jsonl").read_bytes()
    reproduce(experiment, asked, "smearlab reproduce bloodcell_net")
    assert (folder / STAGE / "log.jsonl").read_bytes() == before


def test_there_is_no_protocol_of_the_paper(tmp_path: Path) -> None:
    asked = Asked("simulated", tmp_path, protocol="paper", scale="smoke", show=False)
    with pytest.raises(UsageError, match="no paper protocol"):
        reproduce(EXPERIMENTS["bloodcell_net"], asked, "smearlab reproduce bloodcell_net")
