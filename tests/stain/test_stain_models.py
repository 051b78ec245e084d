"""Fitted models as files: what is written is read again, and what is no model is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drawn_smears import CREAM, PINK, smear
from smearlab.errors import BundleError, UnknownNameError, UsageError
from smearlab.stain.fitting import measure_look
from smearlab.stain.methods import METHODS
from smearlab.stain.models import FORMAT, load_normaliser, read_model, write_model
from smearlab.stain.networks import NetworkNormaliser
from smearlab.stain.normaliser import ReferenceNormaliser
from smearlab.stain.references import REFERENCES
from tiny_stain import write_stain


def fitted(method: str, source: bool = True) -> ReferenceNormaliser:
    return ReferenceNormaliser(
        "cream",
        method,
        target=measure_look([smear(CREAM)], method),
        source=measure_look([smear(PINK)], method) if source else None,
        ground="keep",
        estimate="source" if source else "picture",
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("source", [True, False])
def test_what_is_written_is_read_again(tmp_path: Path, method: str, source: bool) -> None:
    first, path = fitted(method, source), tmp_path / "cream.json"
    write_model(path, first, {"from": "pink", "to": "cream"})
    again = read_model(path)
    assert (again.name, again.method, again.ground, again.estimate) == (
        first.name, method, first.ground, first.estimate,
    )  # fmt: skip
    pixels = smear(PINK, 5)
    assert (again.apply(pixels) == first.apply(pixels)).all()
    assert again.card["kind"] == "stain" and len(again.card["sha256"]) == 64
    assert (again.card["from"], again.card["to"]) == ("pink", "cream")


def test_another_model_has_another_checksum(tmp_path: Path) -> None:
    for name in ("macenko", "reinhard"):
        write_model(tmp_path / f"{name}.json", fitted(name))
    sums = {
        read_model(tmp_path / f"{name}.json").card["sha256"] for name in ("macenko", "reinhard")
    }
    assert len(sums) == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": FORMAT + 1}, rf"of version {FORMAT + 1}, written by smearlab .* reads version"),
        ({"kind": "classifier"}, "is no stain model"),
        ({"target": None}, "lacks what a stain model has"),
        ({"target": {"ground": [1, 2], "numbers": {}}}, r"ground must be \(3,\) finite numbers"),
        ({"target": {"ground": [1, 2, 3], "numbers": {"most": [1, 2]}}}, "'stains'"),
        ({"source": {"ground": [1, 2, 3], "numbers": {"most": [1, 2], "stains": [[1]]}}}, "3, 2"),
        ({"estimate": "source", "source": None}, "no source was measured"),
        ({"method": "macenco"}, "did you mean 'macenko'"),
        ({"ground": "kept"}, "did you mean 'keep'"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    path = tmp_path / "model.json"
    write_model(path, fitted("macenko"))
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises((BundleError, UsageError), match=message):
        read_model(path)


def test_files_that_are_not_there_or_no_json(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"cannot be read \(No such file"):
        load_normaliser(tmp_path / "cream.json")
    (tmp_path / "cream.json").write_text("{")
    with pytest.raises(BundleError, match="is not valid JSON"):
        load_normaliser(tmp_path / "cream.json")
    with pytest.raises(UsageError, match=r"must end in \.json"):
        write_model(tmp_path / "cream.txt", fitted("macenko"))


def test_models_by_path_and_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path / "cream.json", fitted("macenko"))
    write_stain(tmp_path / "negative")
    assert isinstance(load_normaliser(tmp_path / "cream.json"), ReferenceNormaliser)
    assert isinstance(load_normaliser(tmp_path / "negative"), NetworkNormaliser)
    monkeypatch.setenv("SMEARLAB_MODELS", str(tmp_path))
    assert load_normaliser("cream").name == "cream"
    assert load_normaliser("negative").name == "blurred_negative"
    with pytest.raises(UnknownNameError, match="stain model 'creme'; did you mean 'cream'") as said:
        load_normaliser("creme")
    assert "cream, negative, romanowsky, romanowsky_macenko" in str(said.value)


@pytest.mark.parametrize("name", REFERENCES)
def test_references_that_ship(name: str) -> None:
    one = load_normaliser(name)
    assert one is REFERENCES[name]
    assert one.card["name"] == one.name == name
    assert one.card["kind"] == "stain" and one.card["licence"] and one.card["to"]
    stains = REFERENCES[name].target.numbers.get("stains")
    if stains is not None:
        assert np.linalg.norm(stains, axis=0) == pytest.approx(1, abs=1e-3)
        red, green = stains[0], stains[1]
        assert (green > stains[2]).all(), "both take more green than blue"
        assert red[0] / green[0] != pytest.approx(red[1] / green[1], rel=0.1), "two stains"
    away = PINK if "pink" not in name else CREAM
    made = one.normalise(smear(away))
    assert made.changed
    assert np.abs(made.pixels[0, 48] - REFERENCES[name].target.ground).max() <= 0.5
    blank = np.full((40, 40, 3), 240, np.uint8)
    assert (one.apply(blank) == blank).all()


def test_references_have_checksums_of_their_own() -> None:
    assert set(REFERENCES) == {
        f"romanowsky{look}{method}" for look in ("", "_pink")
        for method in ("", "_macenko", "_reinhard")
    }  # fmt: skip
    assert len({one.card["sha256"] for one in REFERENCES.values()}) == len(REFERENCES)
