"""The registry: every network builds, has its size, learns everywhere and becomes ONNX."""

from __future__ import annotations

import functools
import io
import subprocess
import sys
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.io.bundles import Bundle
from smearlab.learn.export import TypesGraph, freeze, write_bundle
from smearlab.learn.models.classifiers import CLASSIFIERS, build_classifier
from smearlab.learn.train.checkpoints import parameter_count
from woken_networks import coloured_noise, woken

pytest.importorskip("timm", reason="timm is not installed: the train extra is missing")

#: Name → classes and trainable parameters. The papers' own figures where they give one that their
#: text allows; for the networks of libraries, what their publications count, with this head.
SIZES = {
    "w_net": (5, 16_806_949),
    "w_net_8_ways": (5, 16_806_949),
    "lwcnn": (9, 653_129),
    "vgg19_dense": (4, 21_206_852),
    "vgg16_dense": (4, 15_897_156),
    "alexnet": (5, 46_767_493),
    "vgg_paper_c": (5, 70_384_709),
    "lstm": (5, 53_669),
    "senet154_ge": (12, 114_164_476),
    "senet154_fused": (12, 114_119_420),
    "seresnet18_ge": (12, 11_350_116),
    "seresnet18_fused": (12, 11_338_852),
    "sequential_cnn": (12, 2_341_324),
    "vgg16": (1000, 138_357_544),
    "vgg19": (1000, 143_667_240),
    "resnet50": (1000, 25_557_032),
    "resnet50_biased": (5, 23_544_837),
    "resnet101": (1000, 44_549_160),
    "mobilenet_v2": (1000, 3_504_872),
    "efficientnet_b0": (1000, 5_288_548),
    "efficientnet_lite0": (1000, 4_652_008),
    "efficientnet_lite0_8_ways": (1000, 4_652_008),
    "regnety_400mf": (1000, 4_344_144),
    "efficientnet_b7": (1000, 66_347_960),
    "inception_v3": (1000, 23_834_568),
    "xception": (1000, 22_855_952),
    "resnext101": (1000, 83_455_272),
    "se_resnext50": (1000, 27_559_896),
    "densenet121": (1000, 7_978_856),
    "densenet161": (1000, 28_681_000),
    "convnext_nano": (1000, 15_593_560),
    "efficientnetv2_nano": (1000, 13_649_388),
    "cell_types": (9, 5_008_793),
    "cell_types_compact": (9, 4_713_369),
}
#: Networks whose layers fix the size of their images; the others take small ones.
FIXED = {"w_net", "w_net_8_ways", "lwcnn", "alexnet", "vgg_paper_c", "lstm", "sequential_cnn"}
#: Small enough to be run as a bundle, too.
RUN = [name for name, (_, size) in SIZES.items() if size < 30_000_000]


def small_side(name: str) -> int:
    """A side that costs little."""
    if name in FIXED:
        return CLASSIFIERS[name].input_px
    return 96 if name in ("inception_v3", "xception") else 64


@functools.cache
def empty(name: str) -> nn.Module:
    """The network of seven classes without numbers."""
    with torch.device("meta"):
        return build_classifier(name, 7).eval()


def test_every_classifier_is_here() -> None:
    assert CLASSIFIERS.keys() == SIZES.keys()
    for entry in CLASSIFIERS.values():
        assert entry.title and entry.source
    titles = [entry.title for entry in CLASSIFIERS.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", SIZES)
def test_its_size_is_known(name: str) -> None:
    classes, size = SIZES[name]
    with torch.device("meta"):
        assert parameter_count(build_classifier(name, classes)) == size


@pytest.mark.parametrize("name", SIZES)
def test_it_gives_a_logit_a_class_at_its_input_size(name: str) -> None:
    side = CLASSIFIERS[name].input_px
    model = empty(name)
    assert model(torch.zeros(2, 3, side, side, device="meta")).shape == (2, 7)


@pytest.mark.parametrize("name", SIZES)
def test_a_gradient_reaches_every_parameter(name: str) -> None:
    side = small_side(name)
    model = woken(build_classifier(name, 3), side)
    model(coloured_noise(2, side, seed=1))[:, 0].sum().backward()
    for path, parameter in model.named_parameters():
        assert parameter.grad is not None, path
        assert bool(torch.isfinite(parameter.grad).all()), path
        assert float(parameter.grad.abs().sum()) > 0, path


@pytest.mark.parametrize("name", RUN)
def test_its_bundle_answers_as_torch(name: str, tmp_path: Path) -> None:
    side = small_side(name)
    graph = TypesGraph(freeze(woken(build_classifier(name, 3), side))).eval()
    card = {
        "kind": "classifier",
        "name": "test",
        "classes": ["neutrophil", "monocyte", "basophil"],
        "input_px": side,
        "context": 1.3,
        "threshold": 0.3,
    }
    write_bundle(tmp_path, graph, torch.zeros(1, side, side, 3, dtype=torch.uint8), card)
    bundle = Bundle(tmp_path, "classifier")
    pixels = (coloured_noise(5, side) * 255).byte().permute(0, 2, 3, 1).contiguous()
    with torch.inference_mode():
        expected = graph(pixels)[0].numpy()
    assert expected.std(0).max() > 0.01, "an answer that is the same everywhere proves nothing"
    for number in (1, 5):  # as many as were traced, and more
        found = bundle.run(pixels=pixels[:number].numpy())["probabilities"]
        np.testing.assert_allclose(found, expected[:number], atol=1e-4)


@pytest.mark.parametrize("name", [name for name in SIZES if name not in RUN])
def test_the_large_ones_can_be_traced(name: str) -> None:
    """Without their weights, which would only cost time."""
    # ONNX knows pools to a given size only where they divide: VGG is traced at its own size.
    side = 224 if name in ("vgg16", "vgg19") else small_side(name)
    graph = TypesGraph(build_classifier(name, 3).eval()).eval()
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the export does
        torch.onnx.export(
            graph,
            (torch.zeros(1, side, side, 3, dtype=torch.uint8),),
            stream,
            input_names=["pixels"],
            output_names=list(graph.outputs),
            dynamic_axes={"pixels": graph.dynamic},
            opset_version=17,
            dynamo=False,
            export_params=False,
        )
    traced = onnx.load_from_string(stream.getvalue()).graph
    assert traced.input[0].name == "pixels"
    assert [output.name for output in traced.output] == ["probabilities"]


@pytest.mark.parametrize("name", SIZES)
def test_freezing_drops_no_activation(name: str) -> None:
    """Freezing folds whatever batch norm follows a convolution inside a Sequential. timm has batch
    norms that are activations, too; folded, those would be lost."""
    for parent in empty(name).modules():
        if isinstance(parent, nn.Sequential):
            layers = list(parent)
            for conv, norm in pairwise(layers):
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    assert type(norm) is nn.BatchNorm2d


def test_the_registry_loads_no_library_of_networks() -> None:
    code = (
        "import sys, smearlab.learn.models.classifiers;"
        "print(sorted({'timm', 'torchvision.models.vgg', 'huggingface_hub'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True
    )
    # torchvision's own __init__ loads its models; nothing of ours may add to it.
    plain = subprocess.run(
        [sys.executable, "-c", code.replace(".models.classifiers", "")],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    assert "timm" not in done.stdout
    assert done.stdout == plain.stdout


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown classifier 'resnet5'; did you mean"):
        build_classifier("resnet5", 3)


@pytest.mark.parametrize("name", SIZES)
def test_one_class_is_too_few(name: str) -> None:
    with pytest.raises(UsageError, match="classes must be at least 2; received 1"):
        build_classifier(name, 1)
