"""Published sets: whole or not there, with a card that says what they are and are not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from smearlab.datasets.manifest.fingerprints import fingerprints
from smearlab.datasets.manifest.table import read_manifest
from smearlab.errors import DataError, OutputExistsError, UsageError
from smearlab.evaluation.verification_result import read_verification
from smearlab.synthesis import publishing
from smearlab.synthesis.generator import Generator
from smearlab.synthesis.pictures import MadePictures, make_pictures
from smearlab.synthesis.publishing import publish
from tiny_generators import write_generator

CARD = {
    "network": "DCGAN",
    "parameters": 2780099,
    "data": ["Peripheral blood cells (pbc, CC BY 4.0)"],
    "data_use": {"pbc": "anything, with attribution"},
    "attribution": ["Acevedo A (2020). A dataset. doi:10.1016/j.dib.2020.105474"],
    "licence": "Apache-2.0",
    "metrics": {"pbc_test": {"n": 40, "fid": {"value": 57.81234, "low": 50.0, "high": 60.5}}},
}


def made_with(folder: Path, **card: Any) -> tuple[Generator, MadePictures]:
    model = Generator.load(write_generator(folder / "model", **card))
    wanted = {"basophil": 3, "eosinophil": 2}
    makers = dict.fromkeys(wanted, model)
    return model, make_pictures(wanted, makers, folder / "made", seed=5)


def test_a_set_is_whole(tmp_path: Path) -> None:
    model, made = made_with(tmp_path, **CARD)
    target = publish(made.wanted, [model], tmp_path / "released", seed=5)
    files = {file.relative_to(target).as_posix() for file in target.rglob("*") if file.is_file()}
    pictures = set(made.wanted.column("path"))
    listed = {"README.md", "manifest.csv", "manifest.parquet", "sheet.png", "SHA256SUMS"}
    assert files == pictures | listed
    for name in ("manifest.csv", "manifest.parquet"):
        manifest = read_manifest(target / name)
        assert manifest.column("synthetic").all() and set(manifest.column("split")) == {"train"}
        assert all(manifest.file(path).is_file() for path in manifest.column("path"))
    sums = (target / "SHA256SUMS").read_text().splitlines()
    assert {line.split("  ", 1)[1] for line in sums} == files - {"SHA256SUMS"}
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=target, capture_output=True
    )
    assert checked.returncode == 0, checked.stdout
    assert {entry.name for entry in tmp_path.iterdir()} == {"model", "made", "released"}


def test_the_card_says_what_it_is_and_is_not(tmp_path: Path) -> None:
    model, made = made_with(tmp_path, **CARD)
    text = (publish(made.wanted, [model], tmp_path / "released", seed=5) / "README.md").read_text()
    for said in (
        "# released\n",
        "5 **synthetic** pictures of single blood cells, 16 × 16 px",
        "| basophil | 3 |\n| eosinophil | 2 |\n| all | 5 |",
        "Seed 5, no truncation",
        "- Peripheral blood cells (pbc, CC BY 4.0)",
        "- pbc: anything, with attribution",
        "- network: DCGAN\n- parameters: 2,780,099",
        f"- sha256: `{model.sha256}`",
        "- n: 40\n- fid: 57.81 (95 % interval 50 to 60.5)",
        "**Not for diagnosis**",
        "**Never as test data.**",
        "- Acevedo A (2020). A dataset. doi:10.1016/j.dib.2020.105474",
    ):
        assert said in text, said


def verified_of(sums: list[str]) -> dict[str, Any]:
    """A result of a verification, with one check."""
    partners = {"value": 20.0, "interval": [19.0, 21.0]}
    space = {
        "rate": 0.25, "interval": [0.1, 0.5], "quantile": 0.05, "median": 1.0,
        "median_held_out": 2.0, "n_synthetic": 5, "n_train": 40, "n_held_out": 10,
        "partners": dict.fromkeys(("psnr", "ssim", "l1", "l2"), partners),
    }  # fmt: skip
    near = {"network": "mean colours", "spaces": {"pixels": space}}
    return {
        "synthetic": {"n": len(sums), "fingerprints": fingerprints(sums)},
        "real": {"train": 40, "val": 6, "test": 10},
        "size_px": 16,
        "simulated": True,
        "smearlab": "0.1",
        "checks": {"neighbours": near},
    }


def test_what_was_verified_goes_on_the_card(tmp_path: Path) -> None:
    model, made = made_with(tmp_path, **CARD)
    sums = made.wanted.column("sha256").tolist()
    told = verified_of([*sums, "00" * 32])
    target = publish(made.wanted, [model], tmp_path / "released", seed=5, verified=told)
    text = (target / "README.md").read_text()
    for said in (
        "of 6 synthetic pictures beside 40 real ones of training, 6 of validation and 10 of test",
        "**The real pictures are simulated",
        "**Nearest real training pictures**",
        "| pixels | 25.0",
        "- n: 40\n- fid: 57.81",
    ):
        assert said in text, said
    with pytest.raises(UsageError, match="1 of the 5 pictures are not among those that were veri"):
        publish(made.wanted, [model], tmp_path / "other", seed=5, verified=verified_of(sums[1:]))
    assert not (tmp_path / "other").exists()


def test_results_are_read_back_or_refused(tmp_path: Path) -> None:
    told = verified_of(["00" * 32])
    (tmp_path / "verification.json").write_text(json.dumps(told))
    assert read_verification(tmp_path) == read_verification(tmp_path / "verification.json") == told
    with pytest.raises(DataError, match="is no result of smearlab verify: there is no such file"):
        read_verification(tmp_path / "gone")
    for text, reason in (("{", "it cannot be read"), ('{"checks": 1, "synthetic": {}}', "other")):
        (tmp_path / "verification.json").write_text(text)
        with pytest.raises(DataError, match=reason):
            read_verification(tmp_path)


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    model, made = made_with(tmp_path)
    target = publish(made.wanted, [model], tmp_path / "set", seed=5, truncation=0.7, name="Cells")
    text = (target / "README.md").read_text()
    assert text.startswith("# Cells\n") and "latents truncated at ± 0.7" in text
    assert text.count("Not known: find out what the model learned from") == 2
    assert "None were measured" in text


def test_what_is_there_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, made = made_with(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="full exists and is not empty; name a new folder"):
        publish(made.wanted, [model], tmp_path / "full", seed=5)
    with pytest.raises(UsageError, match="no picture to publish"):
        publish(made.wanted.take(made.wanted.column("synthetic") != 1), [model], "x", seed=5)

    def fails(*anything: Any, **more: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(publishing, "dataset_card", fails)
    with pytest.raises(KeyboardInterrupt):
        publish(made.wanted, [model], tmp_path / "half", seed=5)
    assert {entry.name for entry in tmp_path.iterdir()} == {"model", "made", "full"}
