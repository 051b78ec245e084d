"""SENet-154-GE: the network of the thesis, and how its answers are fused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.models.senet154_ge import FusionHead, SENet154GE, SENet154GEConfig
from smearlab.learn.train.checkpoints import parameter_count

pytest.importorskip("timm", reason="timm is not installed: the train extra is missing")
SMALL = SENet154GEConfig(classes=3, backbone="legacy_seresnext26_32x4d")


def test_its_body_is_senet_154() -> None:
    """Section 3.7: three 3×3 convolutions first, 3 + 8 + 36 + 3 blocks of cardinality 64 with a
    halved first convolution, 3×3 convolutions that halve; Hu et al. count 115.1 M with 1000
    classes."""
    with torch.device("meta"):
        model = SENet154GE()
    network = model.network
    assert parameter_count(network) + 2049 * 1000 == 115_088_984
    stem = [m.kernel_size for m in network.layer0 if isinstance(m, nn.Conv2d)]
    assert stem == [(3, 3)] * 3
    stages = [network.layer1, network.layer2, network.layer3, network.layer4]
    assert [len(stage) for stage in stages] == [3, 8, 36, 3]
    block = network.layer3[1]
    assert (block.conv1.out_channels, block.conv2.out_channels, block.conv2.groups) == (
        512,
        1024,
        64,
    )
    for stage in stages[1:]:
        assert stage[0].downsample[0].kernel_size == (3, 3)
        assert stage[0].downsample[0].stride == (2, 2)
    dropout = [m.p for m in model.head.modules() if isinstance(m, nn.Dropout)]
    assert dropout == [0.2]


def test_its_head_is_as_large_as_its_parts() -> None:
    with torch.device("meta"):
        head = SENet154GE().head
    assert parameter_count(head.match) == 256 * 2048 + 2 * 2048
    assert parameter_count(head.squeeze_excite) == 2 * 2048 * 128 + 128 + 2048
    assert parameter_count(head.gather_excite) == 2 * (9 * 2048 + 2 * 2048)
    assert parameter_count(head.classify) == 2049 * 12


def test_the_features_are_fused_as_in_figure_38() -> None:
    torch.manual_seed(0)
    head = FusionHead(4, 6, SMALL).eval()
    first, last = torch.rand(2, 4, 24, 24), torch.rand(2, 6, 3, 3)
    with torch.inference_mode():
        pooled = first.reshape(2, 4, 3, 8, 3, 8).mean((3, 5))
        product = head.match(pooled) * last
        fused = head.squeeze_excite(product) + head.gather_excite(last) + last
        expected = head.classify[1](fused.mean((2, 3)))
        torch.testing.assert_close(head(first, last), expected)


@pytest.mark.parametrize("side", [32, 96])
def test_a_small_one_works_at_multiples_of_its_stride(side: int) -> None:
    model = SENet154GE(SMALL).eval()
    with torch.inference_mode():
        assert model(torch.rand(2, 3, side, side)).shape == (2, 3)


def test_other_sides_are_refused() -> None:
    with pytest.raises(UsageError, match="sides are multiples of 32; received 96 × 100 px"):
        SENet154GE(SMALL).eval()(torch.rand(1, 3, 96, 100))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"backbone": "resnet50"}, "backbone must be one of timm's legacy_se… networks; received"),
        ({"gather_steps": -1}, "gather_steps must be at least 0; received -1"),
        ({"dropout": -0.1}, "dropout must lie within"),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SENet154GEConfig(**given)  # type: ignore[arg-type]


def test_gather_excite_can_be_left_out() -> None:
    first, last = torch.rand(2, 4, 16, 16), torch.rand(2, 8, 2, 2)
    torch.manual_seed(0)
    whole = FusionHead(4, 8, SENet154GEConfig(classes=3)).eval()
    fewer = FusionHead(4, 8, SENet154GEConfig(classes=3, gather_steps=0)).eval()
    assert not [name for name, _ in fewer.named_parameters() if name.startswith("gather")]
    kept = {n: p for n, p in whole.state_dict().items() if not n.startswith("gather")}
    fewer.load_state_dict(kept)
    with torch.inference_mode():
        assert not torch.allclose(whole(first, last), fewer(first, last))
