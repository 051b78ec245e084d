"""RWP-GAN's generator: the paper's counts, its sizes, and where its noise comes in."""

from __future__ import annotations

from math import prod

import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.models.rwp_generator import RWPGenerator, RWPGeneratorConfig
from smearlab.learn.nn.picture_norm import PictureNorm
from smearlab.learn.train.checkpoints import parameter_count

TINY = RWPGeneratorConfig(widths=(4, 6, 8, 8, 8), input_px=32)


def test_it_has_as_many_parameters_as_the_paper_says() -> None:
    with torch.device("meta"):
        model = RWPGenerator()
    assert parameter_count(model) == 54_414_979
    assert sum(b.numel() for b in model.buffers()) == 10_880
    assert parameter_count(model) + 10_880 != 54_525_859, "the paper's total has a typing error"


def test_pictures_shrink_to_one_pixel_and_grow_again() -> None:
    """Figure 2; shapes without numbers."""
    with torch.device("meta"):
        model = RWPGenerator().eval()
        sides: list[int] = []
        for block in (*model.encoder, *model.decoder):
            block.register_forward_hook(lambda _, __, out: sides.append(out.shape[-1]))
        out = model(torch.rand(1, 3, 256, 256))
    assert sides == [128, 64, 32, 16, 8, 4, 2, 1, 2, 4, 8, 16, 32, 64, 128]
    assert out.shape == (1, 3, 256, 256)


def test_its_norms_and_biases_are_where_the_counts_want_them() -> None:
    with torch.device("meta"):
        model = RWPGenerator()
    biased = [name for name, m in model.named_modules() if getattr(m, "bias", None) is not None
              and not isinstance(m, PictureNorm)]  # fmt: skip
    assert biased == ["head"]
    norms = [sum(isinstance(m, PictureNorm) for m in b.modules()) for b in model.encoder]
    assert norms == [0, 1, 1, 1, 1, 1, 1, 1]
    assert [block.dropout for block in model.decoder] == [0.5, 0.5, 0.5, 0, 0, 0, 0]


def test_its_noise_has_43008_values() -> None:
    config = RWPGeneratorConfig()
    assert config.keep_shapes == ((512, 2, 2), (512, 4, 4), (512, 8, 8))
    assert config.keep_size == 43_008


def test_answers_lie_within_0_and_1_and_are_not_grey() -> None:
    torch.manual_seed(0)
    model = RWPGenerator(TINY)
    with torch.no_grad():
        model.head.weight.mul_(100)
        out = model.eval()(torch.rand(2, 3, 32, 32))
    assert 0 <= float(out.min()) < 0.2
    assert 0.8 < float(out.max()) <= 1


def test_chance_is_in_training_only_and_ones_switch_it_off() -> None:
    torch.manual_seed(0)
    model = RWPGenerator(TINY)
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert not torch.equal(model(x), model(x))
        model.eval()
        assert torch.equal(model(x), model(x, torch.ones(1, TINY.keep_size)))


def test_each_block_takes_its_own_factors_in_order() -> None:
    """A zero in the first part changes the first block's answer there, and so on."""
    torch.manual_seed(0)
    model = RWPGenerator(TINY).eval()
    x, start = torch.rand(1, 3, 32, 32), 0
    for block, shape in zip(model.decoder, TINY.keep_shapes, strict=False):
        answers: list[torch.Tensor] = []
        handle = block.register_forward_hook(lambda _, __, out, a=answers: a.append(out))
        with torch.no_grad():
            for value in (1.0, 3.0):
                keep = torch.ones(1, TINY.keep_size)
                keep[0, start : start + prod(shape)] = value
                model(x, keep)
        handle.remove()
        assert answers[0].shape[1:] == shape
        assert torch.allclose(answers[1], 3 * answers[0], atol=1e-6)
        start += prod(shape)
    assert start == TINY.keep_size


def test_the_bottleneck_tells_pictures_apart() -> None:
    """With a batch of one its norm sees one value a channel; the way through it stays open."""
    torch.manual_seed(0)
    model = RWPGenerator(TINY)
    seen: list[torch.Tensor] = []
    model.encoder[-1].register_forward_hook(lambda _, __, out: seen.append(out))
    with torch.no_grad():
        for _ in range(2):
            model(torch.rand(1, 3, 32, 32))
    assert seen[0].shape == (1, 8, 1, 1)
    assert not torch.allclose(seen[0], seen[1])


def test_it_learns() -> None:
    """A few steps towards black make it darker."""
    torch.manual_seed(0)
    model = RWPGenerator(TINY)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    x, means = torch.rand(1, 3, 32, 32), []
    for _ in range(20):
        mean = model(x).mean()
        optimizer.zero_grad()
        mean.backward()
        optimizer.step()
        means.append(float(mean.detach()))
    assert means[-1] < means[0] - 0.1


def test_instance_norm_can_be_had() -> None:
    config = RWPGeneratorConfig((4, 8, 8), input_px=32, dropped_blocks=1, norm="instance")
    model = RWPGenerator(config)
    assert sum(isinstance(m, nn.InstanceNorm2d) for m in model.modules()) == 4
    assert model(torch.rand(1, 3, 32, 32)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"widths": (64,)}, "widths needs two or more positive numbers; received"),
        ({"input_px": 200}, "input_px must be a multiple of 256 for 8 encoder blocks"),
        ({"dropout": 1.0}, r"dropout must lie within \[0, 1\); received 1.0"),
        ({"dropped_blocks": 8}, "dropped_blocks must lie within 0 and 7"),
    ],
)
def test_impossible_sizes_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RWPGeneratorConfig(**given)  # type: ignore[arg-type]
