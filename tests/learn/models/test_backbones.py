"""Networks of torchvision and timm: nothing is fetched, normalisation lies inside."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.models import backbones
from smearlab.learn.models.backbones import BACKBONES, Backbone
from smearlab.learn.models.resnet50_biased import ResNet50Biased

pytest.importorskip("timm", reason="timm is not installed: the train extra is missing")


@pytest.mark.parametrize("name", BACKBONES)
def test_its_head_and_stages_are_named_rightly(name: str) -> None:
    config = BACKBONES[name]
    with torch.device("meta"):
        model = Backbone(config, 7)
    assert isinstance(model.head, nn.Linear)
    assert model.head.out_features == 7
    modules = dict(model.named_modules())
    assert config.stage_starts
    assert set(model.stage_starts) <= modules.keys()


def test_colours_are_normalised_inside() -> None:
    torch.manual_seed(0)
    model = Backbone(BACKBONES["mobilenet_v2"], 3).eval()
    x = torch.rand(2, 3, 32, 32)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    with torch.inference_mode():
        torch.testing.assert_close(model(x), model.network((x - mean) / std))
    assert not [name for name in model.state_dict() if "normalise" in name]


def test_weights_are_never_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[object] = []

    def refuse(*asked: object, **__: object) -> None:
        fetched.extend(asked)
        raise OSError("nothing is fetched here")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with torch.device("meta"):
        built = [Backbone(config, 2) for config in BACKBONES.values()]
    assert len(built) == len(BACKBONES)
    assert not fetched


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_timm(name: str) -> ModuleType:
        if name == "timm":
            raise ModuleNotFoundError("No module named 'timm'", name="timm")
        return importlib.import_module(name)

    monkeypatch.setattr(backbones, "importlib", type("fake", (), {"import_module": without_timm}))
    with pytest.raises(UsageError, match=r"convnext_nano needs timm, which is not installed: pip"):
        Backbone(BACKBONES["convnext_nano"], 3)


def test_paper_cs_resnet_differs_in_biases_and_in_who_halves() -> None:
    with torch.device("meta"):
        ours, theirs = ResNet50Biased(5), Backbone(BACKBONES["resnet50"], 5)
    biases = {
        f"{path}.bias" for path, module in ours.named_modules() if isinstance(module, nn.Conv2d)
    }
    assert ours.state_dict().keys() - theirs.state_dict().keys() == biases
    assert len(biases) == 53
    strides = {
        path: module.stride
        for path, module in ours.network.named_modules()
        if isinstance(module, nn.Conv2d) and module.stride != (1, 1)
    }
    halving = {f"layer{n}.0.{part}" for n in (2, 3, 4) for part in ("conv1", "downsample.0")}
    assert strides == dict.fromkeys({"conv1", *halving}, (2, 2))


def test_its_biases_begin_at_zero() -> None:
    model = ResNet50Biased(2)
    assert not any(bool(m.bias.any()) for m in model.modules() if isinstance(m, nn.Conv2d))
