"""``smearlab data balance --generate``: the plan carried out, or refused by name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from manifest_rows import manifest_of
from smearlab.cli.main import app
from smearlab.datasets.manifest.table import read_manifest, write_manifest
from tiny_generators import write_generator


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["data", "balance", *map(str, arguments)])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    kinds = {"basophil": 6, "eosinophil": 4, "monocyte": 3}
    rows: list[dict[str, Any]] = [
        {"path": f"{kind}/{n}.png", "type": kind, "split": "train" if n else "test"}
        for kind, number in kinds.items()
        for n in range(number)
    ]
    return write_manifest(tmp_path / "split.parquet", manifest_of(rows, tmp_path / "real"))


def test_a_plan_is_carried_out(table: Path, tmp_path: Path) -> None:
    both = write_generator(tmp_path / "few", ["eosinophil", "basophil"], name="few_shot_gan")
    alone = write_generator(tmp_path / "alone", ["monocyte"], name="c_wgan_gp")
    other = write_generator(tmp_path / "more", ["eosinophil", "monocyte"], name="c_wgan_gp")
    out = tmp_path / "even.parquet"
    models = ("--generate", both, "--generate", other, "--generate", f"monocyte={alone}")
    done = call(table, "--out", out, *models, "--seed", 3)
    assert done.exit_code == 0, done.output
    manifest = read_manifest(out)
    train = manifest.take(manifest.column("split") == "train")
    assert Counter(train.column("type")) == {"basophil": 5, "eosinophil": 5, "monocyte": 5}
    made = manifest.take(manifest.column("synthetic").astype(bool))
    # the plan gives rare types to the few-shot GAN, unless a model is named for the type
    assert Counter(zip(made.column("type"), made.column("source"), strict=True)) == {
        ("eosinophil", "few_shot_gan"): 2,
        ("monocyte", "c_wgan_gp"): 3,
    }
    assert (tmp_path / "even" / "monocyte" / "monocyte-3-00002.png").is_file()
    assert call(table, "--out", out, *models, "--seed", 3, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--generate", "MODEL"], "no generator makes monocyte; those given make basophil, eos"),
        (["--generate", "MODEL", "--generate", "monocyte=MODEL"], "type of generator colours 'mon"),
        (["--generate", "monocite=MODEL"], "unknown type 'monocite'; did you mean 'monocyte'"),
        (["--generate", "MODEL", "--generate", "MODEL"], "both make eosinophil; say which: --gen"),
        (
            ["--generate", "eosinophil=MODEL", "--generate", "eosinophil=MODEL"],
            "names a model of eosinophil twice",
        ),
        (["--pictures", "x"], "--pictures x needs a model"),
    ],
)
def test_what_cannot_be_made_is_named(
    table: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    model = write_generator(tmp_path / "model", ["basophil", "eosinophil"])
    out = tmp_path / ("even.parquet" if "--generate" in arguments else "plan.json")
    done = call(table, "--out", out, *(one.replace("MODEL", str(model)) for one in arguments))
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())
    assert {entry.name for entry in tmp_path.iterdir()} == {table.name, "model"}


def test_a_plan_and_a_manifest_have_their_own_suffix(table: Path, tmp_path: Path) -> None:
    model = write_generator(tmp_path / "model")
    done = call(table, "--out", tmp_path / "plan.json", "--generate", model)
    assert done.exit_code == 2 and "must end in .parquet or .csv" in " ".join(done.output.split())
    assert call(table, "--out", tmp_path / "plan.json").exit_code == 0
