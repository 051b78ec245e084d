"""Which bundles a model's name stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from smearlab.elements.models import find_model, read_elements
from smearlab.errors import BundleError, UnknownNameError, UsageError
from tiny_bundles import write_classifier, write_element, write_elements, write_segmenter


def test_a_bundle_that_tells_elements_apart(tmp_path: Path) -> None:
    folder = write_segmenter(tmp_path / "discs")
    model = find_model(str(folder))
    assert model.elements == ("RBC", "WBC", "PLT")
    assert set(model.bundles.values()) == {folder}


def test_a_bundle_of_one_element(tmp_path: Path) -> None:
    assert find_model(str(write_element(tmp_path / "any", "PLT"))).elements == ("PLT",)


def test_a_folder_of_bundles(tmp_path: Path) -> None:
    write_elements(tmp_path / "gan", "PLT", "RBC")
    model = find_model(str(tmp_path / "gan"))
    assert model.elements == ("RBC", "PLT")
    assert model.bundles["PLT"] == tmp_path / "gan" / "plt"


def test_own_models_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_elements(tmp_path / "gan", "RBC")
    monkeypatch.setenv("SMEARLAB_MODELS", str(tmp_path))
    assert find_model("gan").bundles == {"RBC": tmp_path / "gan" / "rbc"}
    with pytest.raises(UnknownNameError, match="unknown model 'gam'; did you mean 'gan'"):
        find_model("gam")


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown model 'rwp'.* Known: default"):
        find_model("rwp")
    with pytest.raises(BundleError, match="no such folder"):
        find_model(str(tmp_path / "gone"))
    with pytest.raises(BundleError, match="is no model: it holds neither a bundle"):
        find_model(str(tmp_path))


def test_bundles_that_are_something_else(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="kind 'classifier'; a segmenter is needed here"):
        find_model(str(write_classifier(tmp_path / "types")))
    write_element(tmp_path / "gan" / "rbc", "WBC")
    with pytest.raises(BundleError, match="rbc segments WBC, not RBC, after which its folder"):
        find_model(str(tmp_path / "gan"))


def test_elements_are_asked_for(tmp_path: Path) -> None:
    model = find_model(str(write_elements(tmp_path / "gan", "RBC", "WBC")))
    assert read_elements([], model) == ("RBC", "WBC")
    assert read_elements(["wbc", "RBC", "wbc"], model) == ("RBC", "WBC")
    with pytest.raises(UnknownNameError, match="unknown element 'wbs'; did you mean 'wbc'"):
        read_elements(["wbs"], model)
    with pytest.raises(
        UsageError,
        match=r"has no network for PLT; it has RBC, WBC\. .*train.* export it as FOLDER/plt",
    ):
        read_elements(["all"], model)
    whole = find_model(str(write_segmenter(tmp_path / "discs")))
    assert read_elements(["all"], whole) == ("RBC", "WBC", "PLT")
