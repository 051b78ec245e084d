"""DCGAN of paper C: the paper's counts, its shapes, and who looks at the types."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.errors import UsageError
from smearlab.learn.models.dcgan import (
    DCGANDiscriminator,
    DCGANDiscriminatorConfig,
    DCGANGenerator,
    DCGANGeneratorConfig,
)
from smearlab.learn.train.checkpoints import parameter_count

TINY = DCGANGeneratorConfig(size_px=16, latent_size=5, widths=(8, 6, 4), statistics="running")
TINY_CRITIC = DCGANDiscriminatorConfig(size_px=16, widths=(4, 6, 8))


def test_they_have_as_many_parameters_as_the_paper_says() -> None:
    with torch.device("meta"):
        generator, critic = DCGANGenerator(), DCGANDiscriminator()
    assert parameter_count(generator) == 2_780_099
    assert parameter_count(critic) == 69_878_401


def test_four_steps_double_the_size_and_five_halve_it() -> None:
    sides: list[int] = []
    with torch.device("meta"):
        generator, critic = DCGANGenerator(), DCGANDiscriminator()
        for module in (*generator.modules(), *critic.modules()):
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.register_forward_hook(lambda _, __, out: sides.append(out.shape[-1]))
        made = generator(torch.rand(2, 100), torch.ones(2, 1))
        said = critic(made, torch.ones(2, 1))
    assert sides == [16, 32, 64, 128, 128, 128, 64, 32, 16, 8, 4, 4]
    assert made.shape == (2, 3, 128, 128)
    assert said.shape == (2, 1)


def test_types_add_only_what_sees_them() -> None:
    with torch.device("meta"):
        generator = DCGANGenerator(DCGANGeneratorConfig(classes=5))
        critic = DCGANDiscriminator(DCGANDiscriminatorConfig(classes=5))
    assert parameter_count(generator) == 2_780_099 + 5 * 16_384
    assert parameter_count(critic) == 69_878_401 + 5 * 25 * 64


@pytest.mark.parametrize("classes", [1, 3])
def test_types_are_looked_at_only_where_there_are_several(classes: int) -> None:
    torch.manual_seed(0)
    generator = DCGANGenerator(DCGANGeneratorConfig(**{**vars(TINY), "classes": classes})).eval()
    critic = DCGANDiscriminator(
        DCGANDiscriminatorConfig(**{**vars(TINY_CRITIC), "classes": classes})
    ).eval()
    latent = torch.randn(1, 5)
    first, other = torch.zeros(2, 1, classes)
    first[0, 0] = 1
    made = generator(latent, first)
    assert torch.equal(made, generator(latent, other)) == (classes == 1)
    assert torch.equal(critic(made, first), critic(made, other)) == (classes == 1)
    assert not torch.equal(made, generator(latent + 1, first))


def test_pictures_lie_within_0_and_1_and_reach_both() -> None:
    torch.manual_seed(0)
    generator = DCGANGenerator(TINY).eval()
    last = generator.layers[-2]
    assert isinstance(last, nn.ConvTranspose2d)
    with torch.no_grad():
        last.weight.mul_(1e5)
        made = generator(torch.randn(4, 5), torch.ones(4, 1))
    assert made.shape == (4, 3, 16, 16)
    assert 0 <= float(made.min()) < 0.2
    assert 0.8 < float(made.max()) <= 1


def test_it_learns_from_a_batch_of_one() -> None:
    """The paper's; plain batch norm would refuse the dense layer's values."""
    torch.manual_seed(0)
    generator = DCGANGenerator(TINY)
    first, other = (generator(torch.randn(1, 5), torch.ones(1, 1)) for _ in range(2))
    assert not torch.allclose(first, other)
    first.sum().backward()
    assert generator.dense.weight.grad is not None


def test_dropout_is_in_training_only() -> None:
    torch.manual_seed(0)
    generator = DCGANGenerator(TINY).eval()
    latent, types = torch.randn(2, 5), torch.ones(2, 1)
    assert torch.equal(generator(latent, types), generator(latent, types))
    generator.train()
    assert not torch.equal(generator(latent, types), generator(latent, types))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size_px": 24}, "size_px must be 8 times a power of two, at most 512 with 6 widths"),
        ({"size_px": 64, "widths": (8, 4)}, "at most 32 with 2 widths; received 64"),
        ({"classes": 0}, "classes must be at least 1; received 0"),
        ({"latent_size": 0}, "latent_size must be at least 1; received 0"),
        ({"widths": ()}, "widths needs one or more positive numbers"),
        ({"dropout": 1.0}, "dropout must lie within"),
    ],
)
def test_impossible_generators_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DCGANGeneratorConfig(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size_px": 20}, "size_px must be 4 times a power of two, at most 256 with 6 widths"),
        ({"dropout": -0.1}, "dropout must lie within"),
        ({"widths": (4, 0)}, "widths needs one or more positive numbers"),
    ],
)
def test_impossible_discriminators_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DCGANDiscriminatorConfig(**given)  # type: ignore[arg-type]
