"""C-WGAN-GP's networks: the thesis's count and shapes, and how a critic learns the type."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.models.c_wgan_gp import (
    ResidualClassifier,
    ResidualCritic,
    ResidualCriticConfig,
    ResidualGenerator,
    ResidualGeneratorConfig,
    Told,
)
from smearlab.learn.train.checkpoints import parameter_count

SMALL = {"classes": 3, "size_px": 16, "width": 4}


def test_all_three_have_9_7_million_parameters() -> None:
    """Table 22. The parts are worked out by hand from Tables 10 to 12, z being 88."""
    with torch.device("meta"):
        networks = ResidualGenerator(), ResidualCritic(), ResidualClassifier()
    found = [parameter_count(network) for network in networks]
    block, norm = 2 * 9 * 64 * 64, 2 * 64
    growing, end = 25 * 64 * 64 + 64, 25 * 64 * 3 + 3
    generator = (96 + 1) * 64 * 32 * 32 + 8 * (block + 2 * norm) + 2 * growing + 3 * norm + end
    trunk = 25 * 3 * 64 + 64 + 10 * (block + 2 * 64) + (64 * 8 * 8 + 1) * 128
    assert found == [generator, trunk + 129, trunk + 129 * 8]
    assert sum(found) == 9_695_820


def test_sizes_are_those_of_the_tables() -> None:
    grown: list[torch.Size] = []
    with torch.device("meta"):
        generator, critic = ResidualGenerator(), ResidualCritic()
        for module in (*generator.modules(), *critic.modules()):
            if isinstance(module, nn.ConvTranspose2d | nn.AvgPool2d):
                module.register_forward_hook(lambda _, __, out: grown.append(out.shape[1:]))
        types = torch.ones(1, 8)
        assert critic(generator(torch.rand(1, 88), types), types).shape == (1, 1)
    assert [tuple(shape) for shape in grown] == [
        (64, 64, 64), (64, 128, 128), (3, 128, 128), (64, 32, 32), (64, 16, 16), (64, 8, 8),
    ]  # fmt: skip


def test_a_generator_makes_what_is_asked_and_follows_the_latents() -> None:
    torch.manual_seed(0)
    generator = ResidualGenerator(ResidualGeneratorConfig(**SMALL, latent_size=6)).eval()
    latent, types = torch.randn(2, 6), torch.eye(3)
    made = generator(latent[:1].repeat(3, 1), types).detach()
    assert made.shape == (3, 3, 16, 16)
    assert float(made.min()) >= 0 and float(made.max()) <= 1
    assert not torch.allclose(made[0], made[1])
    assert not torch.allclose(made[0], generator(latent[1:], types[:1])[0])


def test_a_fresh_critic_neither_swells_nor_dies() -> None:
    """Ten blocks, each adding to the sum: logits stay in the order of one."""
    torch.manual_seed(0)
    critic = ResidualCritic(ResidualCriticConfig(size_px=32, width=16))
    said = critic(torch.rand(16, 3, 32, 32), torch.ones(16, 8)).detach()
    assert 0.01 < float(said.std()) < 3


@pytest.mark.parametrize("told", ["nothing", "planes", "projection"])
def test_a_critic_knows_the_type_only_if_it_is_told(told: Told) -> None:
    torch.manual_seed(0)
    critic = ResidualCritic(ResidualCriticConfig(**SMALL, told=told))
    picture, types = torch.rand(1, 3, 16, 16), torch.eye(3)
    first, other = (critic(picture, one[None]) for one in types[:2])
    assert torch.allclose(first, other) == (told == "nothing")


def test_projection_adds_the_inner_product_to_the_logit_alone() -> None:
    torch.manual_seed(0)
    critic = ResidualCritic(ResidualCriticConfig(**SMALL, told="projection", auxiliary=True))
    assert critic.embed is not None
    picture, types = torch.rand(2, 3, 16, 16), torch.eye(3)[[0, 2]]
    features = critic.trunk(2 * picture - 1)
    plain = critic.head(features)
    wanted = plain[:, 0] + (critic.embed.weight.T[[0, 2]] * features).sum(1)
    said = critic(picture, types)
    assert said.shape == (2, 4)
    assert torch.allclose(said[:, 0], wanted, atol=1e-6)
    assert torch.equal(said[:, 1:], plain[:, 1:])


def test_spectral_norms_bound_every_matrix() -> None:
    torch.manual_seed(0)
    critic = ResidualCritic(ResidualCriticConfig(**SMALL, spectral=True, told="projection"))
    for _ in range(30):  # the power iteration comes close
        critic(torch.rand(1, 3, 16, 16), torch.eye(3)[:1])
    layers = [m for m in critic.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == 1 + 20 + 3
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert float(largest) == pytest.approx(1, abs=0.05)


def test_a_classifier_answers_every_type() -> None:
    classifier = ResidualClassifier(ResidualCriticConfig(**SMALL, told="planes"))
    assert classifier(torch.rand(2, 3, 16, 16)).shape == (2, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size_px": 30}, "size_px must be a multiple of 4; received 30"),
        ({"classes": 1}, "classes must be at least 2; received 1"),
        ({"width": 0}, "width must be at least 1; received 0"),
        ({"latent_size": 0}, "latent_size must be at least 1; received 0"),
        ({"blocks": (2, -1, 2)}, r"blocks takes three numbers, none below 0; received \(2, -1, 2"),
    ],
)
def test_impossible_generators_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ResidualGeneratorConfig(**given)  # type: ignore[arg-type]


def test_impossible_critics_are_refused() -> None:
    with pytest.raises(UsageError, match="size_px must be a multiple of 16; received 24"):
        ResidualCriticConfig(size_px=24)
    with pytest.raises(UsageError, match="dense must be at least 1; received 0"):
        ResidualCriticConfig(dense=0)
    with pytest.raises(UnknownNameError, match="way to tell the type 'plane'; did you mean 'plan"):
        ResidualCriticConfig(told="plane")  # type: ignore[arg-type]
