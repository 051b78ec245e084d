"""Transfer learning: what is loaded and what is not, what stays frozen, which stage is which."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from smearlab.errors import UsageError
from smearlab.learn.models.backbones import BACKBONES, Backbone
from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.models.classifiers import CLASSIFIERS, build_classifier
from smearlab.learn.models.lwcnn import LWCNN
from smearlab.learn.models.senet154_ge import SENet154GE, SENet154GEConfig
from smearlab.learn.models.vgg19_dense import VGGDense, VGGDenseConfig
from smearlab.learn.models.w_net import WNet, WNetConfig
from smearlab.learn.train.transfer import (
    freeze_all_but_head,
    load_backbone,
    read_weights,
    stage_parameters,
)
from woken_networks import woken

pytest.importorskip("timm", reason="timm is not installed: the train extra is missing")
SMALL = {"classes": 3, "input_px": 16}


def w_net(seed: int, **sizes: int) -> WNet:
    torch.manual_seed(seed)
    return WNet(WNetConfig(**{**SMALL, **sizes}))  # type: ignore[arg-type]


def mobilenet(seed: int, classes: int = 3) -> Backbone:
    torch.manual_seed(seed)
    return Backbone(BACKBONES["mobilenet_v2"], classes)


def saved(model: nn.Module, path: Path) -> Path:
    save_file(model.state_dict(), path)
    return path


def equal(one: nn.Module, other: nn.Module, part: str) -> bool:
    theirs = other.state_dict()
    return all(
        torch.equal(value, theirs[name])
        for name, value in one.state_dict().items()
        if name.startswith(part)
    )


def test_the_body_is_loaded_and_the_head_stays(tmp_path: Path) -> None:
    source, model = w_net(1), w_net(2, classes=7)
    before = model.head.weight.detach().clone()
    found = load_backbone(model, saved(source, tmp_path / "w.safetensors"))
    assert equal(source, model, "features")
    assert torch.equal(model.head.weight, before)
    assert found.share == 1
    assert found.kept == ()
    assert sorted(found.unused) == ["head.bias", "head.weight"]
    assert len(found.loaded) == 8


def test_the_head_is_loaded_where_it_is_asked_for(tmp_path: Path) -> None:
    source, model = w_net(1), w_net(2)
    found = load_backbone(model, saved(source, tmp_path / "w.safetensors"), head=True)
    assert equal(source, model, "")
    assert found.unused == ()


def test_a_head_of_another_size_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    model, same = w_net(2, classes=7), w_net(2, classes=7)
    path = saved(w_net(1), tmp_path / "w.safetensors")
    message = r"the head in .* does not fit: head\.\w+ is \[3.*here.*the network with the file's"
    with pytest.raises(UsageError, match=message):
        load_backbone(model, path, head=True)
    assert equal(same, model, "")


@pytest.mark.parametrize("wrapper", ["", "module.", "model."])
@pytest.mark.parametrize("nested", [None, "state_dict", "model"])
def test_files_of_torch_are_read_whatever_wraps_them(
    tmp_path: Path, wrapper: str, nested: str | None
) -> None:
    """A library's own names, as its weight files have them."""
    source, model = mobilenet(1, classes=10), mobilenet(2)
    weights = {wrapper + name: value for name, value in source.network.state_dict().items()}
    path = tmp_path / "weights.pth"
    torch.save({"epoch": 3, nested: weights} if nested else weights, path)
    found = load_backbone(model, path)
    assert equal(source, model, "network.features")
    assert not equal(mobilenet(2), model, "network.features")
    assert (found.share, found.kept) == (1, ())


def test_vgg_weights_of_a_library_fit_the_dense_one(tmp_path: Path) -> None:
    torchvision = pytest.importorskip("torchvision", reason="torchvision is not installed")
    source = torchvision.models.vgg16(weights=None, init_weights=False).features
    weights: dict[str, Tensor] = {f"features.{k}": v for k, v in source.state_dict().items()}
    save_file({**weights, "classifier.0.weight": torch.zeros(2, 3)}, tmp_path / "vgg.safetensors")
    model = VGGDense(VGGDenseConfig(classes=3, depth=16))
    found = load_backbone(model, tmp_path / "vgg.safetensors")
    assert torch.equal(model.features[28].weight, source[28].weight)
    assert found.unused == ("classifier.0.weight",)
    assert found.share == 1


def test_the_same_network_under_other_names_fits_by_its_order(tmp_path: Path) -> None:
    source, model = mobilenet(1, classes=5), mobilenet(2)
    before = model.head.weight.detach().clone()  # type: ignore[operator,union-attr]
    named = {
        f"layers.{number}.{name.rpartition('.')[2]}": value
        for number, (name, value) in enumerate(source.state_dict().items())
    }
    path = tmp_path / "w.pt"
    torch.save(named, path)
    found = load_backbone(model, path)
    assert (found.share, found.kept) == (1.0, ())
    assert equal(source, model, "network.features")
    assert torch.equal(model.head.weight, before)  # type: ignore[arg-type]
    # Of another order nothing is taken.
    torch.save(dict(reversed(named.items())), path)
    with pytest.raises(UsageError, match="is of another network"):
        load_backbone(mobilenet(2), path)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    weights = w_net(1).state_dict()
    weights["features.1.0.weight"] = torch.zeros(32, 16, 5, 5)
    weights["extra"] = torch.zeros(2)
    save_file(weights, tmp_path / "w.safetensors")
    model, same = w_net(2), w_net(2)
    found = load_backbone(model, tmp_path / "w.safetensors")
    assert found.kept == ("features.1.0.weight",)
    assert "extra" in found.unused and "features.1.0.weight" in found.unused
    assert torch.equal(model.features[1][0].weight, same.features[1][0].weight)
    body = sum(p.numel() for p in model.features.parameters())
    assert found.share == pytest.approx(1 - 32 * 16 * 9 / body)
    said = found.describe()
    assert f"7 tensors, {found.share:.1%} of the body's parameters" in said
    assert "left as they were: features.1.0.weight; not used: " in said


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = saved(mobilenet(1), tmp_path / "m.safetensors")
    message = (
        r"of another network: nothing of it fits WNet\. It has .*; the network has features\.0"
    )
    with pytest.raises(UsageError, match=message):
        load_backbone(w_net(1), path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(UsageError, match=f"there is no weight file {path}; nothing is fetched"):
            read_weights(path)


class Harmful:
    """Leaves a trace when it is unpickled."""

    trace: Path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.trace,))


def test_files_with_code_are_refused_and_not_run(tmp_path: Path) -> None:
    Harmful.trace = tmp_path / "trace"
    torch.save({"weights": torch.zeros(2), "more": Harmful()}, tmp_path / "bad.pt")
    with pytest.raises(UsageError, match=r"bad\.pt holds more than weights.*safetensors"):
        read_weights(tmp_path / "bad.pt")
    assert not Harmful.trace.exists()


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 cut short"])
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=r"w\.(pt|safetensors)"):
        read_weights(tmp_path / name)


def test_damage_anywhere_in_a_file_is_told(tmp_path: Path) -> None:
    """Old files of torch are bare pickles: bytes are taken for opcodes, and fail as these do."""
    path = tmp_path / "w.pt"
    torch.save({"a": torch.zeros(3)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    contents = [b"junk", *(rng.bytes(1 + n % 50) for n in range(100))]
    for place in rng.integers(len(whole), size=100):
        contents.append(whole[:place] + rng.bytes(1) + whole[place + 1 :])
    for content in contents:
        path.write_bytes(content)
        try:
            read_weights(path)
        except UsageError as error:
            assert "w.pt" in str(error)


@pytest.mark.parametrize("content", [torch.zeros(3), {"epoch": 3}, [1, 2]])
def test_files_without_named_tensors_are_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(UsageError, match="holds no named tensors: save a state dict"):
        read_weights(tmp_path / "w.pt")


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    source = w_net(1)
    with torch.no_grad():
        source.features[1][0].weight[0, 0, 0, 0] = torch.nan
    with pytest.raises(UsageError, match=r"features\.1\.0\.weight in .* is not a finite number"):
        load_backbone(w_net(2), saved(source, tmp_path / "w.safetensors"))


def test_only_the_head_learns_when_the_body_is_frozen() -> None:
    model = woken(mobilenet(0), 32)
    assert freeze_all_but_head(model) is model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    learning = [p for p in model.parameters() if p.requires_grad]
    assert {id(p) for p in learning} == {id(p) for p in model.head.parameters()}
    optimizer = torch.optim.SGD(learning, lr=0.1)
    for _ in range(2):
        model.train()  # as the loop does before every epoch
        model(torch.rand(4, 3, 32, 32)).square().sum().backward()
        optimizer.step()
    changed = {
        name for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == {"network.classifier.1.weight", "network.classifier.1.bias"}


def test_frozen_batch_norms_normalise_as_in_evaluation() -> None:
    model = freeze_all_but_head(woken(mobilenet(0), 32))
    x = torch.rand(4, 3, 32, 32)
    with torch.inference_mode():
        there = model.network.features(x)
        model.train()
        torch.testing.assert_close(model.network.features(x), there)


def test_a_norm_of_the_head_goes_on_learning() -> None:
    model = freeze_all_but_head(SENet154GE(SENet154GEConfig(2, "legacy_seresnext26_32x4d")))
    norm = model.head.match[1]
    before = norm.running_mean.clone()
    model.train()(torch.rand(2, 3, 64, 64))
    assert not torch.equal(norm.running_mean, before)
    assert not model.network.layer1[0].bn1.running_mean.any()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_stages_hold_every_parameter_once(name: str) -> None:
    with torch.device("meta"):
        model = build_classifier(name, 3)
    stages = stage_parameters(model)
    flat = [id(p) for stage in stages for p in stage]
    assert len(flat) == len(set(flat))
    assert set(flat) == {id(p) for p in model.parameters()}
    assert all(stages)
    assert {id(p) for p in stages[-1]} == {id(p) for p in model.head.parameters()}  # type: ignore[union-attr]
    if name != "lstm":
        assert len(stages) >= 4


def test_stages_run_from_the_stem_to_the_head() -> None:
    model = mobilenet(0)
    names = {id(p): name for name, p in model.named_parameters()}
    first = [names[id(stage[0])] for stage in stage_parameters(model)]
    starts = [0, 2, 4, 7, 14, 18]
    assert [name.split(".")[2] for name in first[:-1]] == [str(n) for n in starts]
    assert first[-1] == "network.classifier.1.weight"


def test_networks_that_name_no_stages_have_one_for_each_part_of_their_features() -> None:
    small = CellTypes(CellTypesConfig(classes=3, widths=(4, 6, 8), blocks=(1, 1)))
    assert len(stage_parameters(small)) == 3 + 1
    assert [len(stage) for stage in stage_parameters(LWCNN())] == [2, 2, 2, 2, 4]


class Headless(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)


class Featureless(Headless):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 2)


def test_networks_without_the_parts_are_refused() -> None:
    for act in (freeze_all_but_head, stage_parameters):
        with pytest.raises(UsageError, match="Headless has no head to tell from its body"):
            act(Headless())
    with pytest.raises(UsageError, match="neither stage_starts nor features"):
        stage_parameters(Featureless())
