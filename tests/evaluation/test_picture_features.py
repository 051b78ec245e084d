"""Features of pictures by a classifier bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from smearlab.errors import BundleError, UnknownNameError
from smearlab.evaluation.picture_features import BundleFeatures, resized
from smearlab.io.bundles import find_bundle, read_card
from tiny_bundles import write_classifier


def pictures(n: int = 3, side: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3)).astype(np.uint8)


def test_features_are_what_the_last_layer_takes(tmp_path: Path) -> None:
    """The tiny classifier's only layer takes the mean colour."""
    network = BundleFeatures(str(write_classifier(tmp_path / "tiny")))
    shown = pictures(40)
    features, probabilities = network.both(shown)
    assert features == pytest.approx(shown.mean((1, 2)), rel=1e-5)
    assert probabilities.shape == (40, 3)
    assert probabilities.sum(1) == pytest.approx(np.ones(40), abs=1e-6)
    assert network(shown).tolist() == features.tolist()
    assert network.probabilities(shown).tolist() == probabilities.tolist()
    assert network.classes == ("erythrocyte", "neutrophil", "lymphocyte")
    assert network.name.startswith("mean_colours, pooled features (bundle ")


def test_pictures_are_resized(tmp_path: Path) -> None:
    network = BundleFeatures(str(write_classifier(tmp_path / "tiny")))
    large = pictures(2, 32)
    averaged = large.reshape(2, 16, 2, 16, 2, 3).mean((2, 4))
    assert network(large) == pytest.approx(averaged.mean((1, 2)), abs=0.6)
    assert resized(large[0], 32) is large[0] or (resized(large[0], 32) == large[0]).all()
    assert resized(large[0], 48).shape == (48, 48, 3)


def test_features_of_the_shipped_classifier_lead_to_its_probabilities() -> None:
    """One linear layer, the temperature on its card and a softmax; also after the mean of turns."""
    onnx = pytest.importorskip("onnx", reason="the layer's weights are read with onnx")
    folder = find_bundle("classifier", "default")
    stored = {
        one.name.removesuffix("_half"): onnx.numpy_helper.to_array(one).astype(np.float64)
        for one in onnx.load(folder / "model.onnx").graph.initializer
    }
    features, probabilities = BundleFeatures().both(pictures(3, 32))
    assert features.shape == (3, 256)
    logits = features @ stored["model.head.1.weight"].T + stored["model.head.1.bias"]
    expected = softmax(logits / read_card(folder, "classifier")["temperature"], axis=1)
    assert probabilities == pytest.approx(expected, abs=1e-4)


def test_unknown_and_unfit_bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="classifier bundle"):
        BundleFeatures("defualt")
    monkeypatch.setattr("smearlab.evaluation.picture_features.feature_name", lambda model: None)
    with pytest.raises(BundleError, match="no linear layer"):
        BundleFeatures(str(write_classifier(tmp_path / "tiny")))
