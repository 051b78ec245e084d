"""Features of a content loss: from a file of VGG19, and from the classifier that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.io.bundles import Bundle, find_bundle
from smearlab.learn.models import content_features as module
from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.models.content_features import (
    ContentConfig,
    content_features,
    content_source,
)
from smearlab.learn.nn.plain import vgg_features
from smearlab.learn.warm_start import start_from_bundle


def file_of_vgg(path: Path, layers: nn.Module) -> Path:
    """Weights as torchvision names them, with those of the classifier besides."""
    named = {f"features.{name}": value for name, value in layers.state_dict().items()}
    save_file({**named, "classifier.0.bias": torch.zeros(3)}, path)
    return path


def test_vgg19_by_a_file_stops_at_the_layer(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layers = vgg_features(19)[:9]  # up to the second convolution of group 2
    path = file_of_vgg(tmp_path / "vgg19.safetensors", layers)
    features = content_features(ContentConfig(str(path), "conv2_2"))
    assert features.name == "VGG19 conv2_2 of vgg19.safetensors"
    x = torch.rand(1, 3, 16, 16)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in
                 ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))  # fmt: skip
    wanted: Tensor = layers((x - mean) / std).detach() / 12.75
    assert wanted.shape == (1, 128, 8, 8) and float(wanted.min()) == 0, "after the ReLU"
    assert torch.allclose(features(x), wanted)
    assert not any(p.requires_grad for p in features.parameters())
    with pytest.raises(UsageError, match=r"features\.10\.weight is missing in it"):
        content_features(ContentConfig(str(path), "conv3_1"))
    assert content_source(ContentConfig(str(path), "conv2_2")) != content_source(ContentConfig())


def test_the_last_layer_is_the_sixteenth_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of 80 MB are not written: what the file would hold is given."""
    with torch.device("meta"):
        whole = vgg_features(19)
    stored = {f"features.{n}": torch.zeros(v.shape) for n, v in whole.state_dict().items()}
    monkeypatch.setattr(module, "read_weights", lambda path: stored)
    features = content_features(ContentConfig("vgg19.pth", "conv5_4"))
    kinds = [type(layer) for layer in features.layers]  # type: ignore[arg-type]
    assert kinds.count(nn.Conv2d) == 16 and kinds[-1] is nn.ReLU
    assert features(torch.rand(1, 3, 32, 32)).shape == (1, 512, 2, 2)


def test_our_own_classifier_sees_what_its_bundle_sees() -> None:
    """All its stages, with the head on top, answer as the bundle does."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (1, 96, 96, 3)).astype(np.uint8)
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    features = content_features(ContentConfig())
    assert features.name == "the shipped blood-cell classifier, stage 2"
    assert features(x).shape == (1, 64, 24, 24)
    bundle = Bundle(find_bundle("classifier", "default"), "classifier")
    network = CellTypes(CellTypesConfig(len(bundle.card["classes"]), blocks=(2, 2, 3, 3)))
    start_from_bundle(network, "classifier", "default", [x])
    deep = content_features(ContentConfig(layer="stage4"))
    turned = [torch.rot90(x, q, (2, 3)) for q in range(4)]
    with torch.inference_mode():
        network.eval()
        logits = [network.head((8 * deep(one)).mean((2, 3))) for one in turned]
        found = (torch.stack(logits).mean(0) / bundle.card.get("temperature", 1)).softmax(1)
    assert found.numpy() == pytest.approx(bundle.run(pixels=pixels)["probabilities"], abs=2e-3)


def test_unknown_layers_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"layer must be one of stage0, stage1, .* received 'conv5_4'"
    ):
        ContentConfig(layer="conv5_4")
    with pytest.raises(UsageError, match=r"conv1_1, conv1_2, .* received 'conv2_3'"):
        ContentConfig("vgg19.pth", "conv2_3")
    gone = ContentConfig(str(tmp_path / "vgg19.pth"), "conv5_4")
    with pytest.raises(UsageError, match=r"no weight file .*vgg19\.pth"):
        content_source(gone)
    with pytest.raises(UsageError, match=r"vgg19\.pth"):
        content_features(gone)
