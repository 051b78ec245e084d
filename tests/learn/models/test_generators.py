"""The table of generators: each is found by its configuration, and keeps the shared contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from smearlab.errors import UnknownNameError
from smearlab.learn.models.c_wgan_gp import ResidualGenerator, ResidualGeneratorConfig
from smearlab.learn.models.dcgan import DCGANGenerator, DCGANGeneratorConfig
from smearlab.learn.models.fast_generator import TypedFastConfig, TypedFastGenerator
from smearlab.learn.models.generators import build_generator, config_of, kept_config

SMALL: list[tuple[Any, type]] = [
    (DCGANGeneratorConfig(2, 16, 5, (8, 4), statistics="running"), DCGANGenerator),
    (ResidualGeneratorConfig(2, 16, 4, 5, (0, 1, 0)), ResidualGenerator),
    (TypedFastConfig(2, 16, 2, 5), TypedFastGenerator),
]


@pytest.mark.parametrize(("config", "network"), SMALL)
def test_generators_keep_the_contract(config: Any, network: type) -> None:
    torch.manual_seed(0)
    built = build_generator(config).eval()
    assert isinstance(built, network)
    assert (built.latent_size, built.classes) == (5, 2)
    made = built(torch.randn(3, 5), torch.eye(2)[[0, 1, 0]])
    assert made.shape == (3, 3, 16, 16)
    assert made.dtype == torch.float32


@pytest.mark.parametrize(("config", "network"), SMALL)
def test_a_configuration_comes_back_from_json(config: Any, network: type) -> None:
    assert config_of(json.loads(json.dumps(kept_config(config)))) == config


def test_unknown_kinds_are_told() -> None:
    with pytest.raises(UnknownNameError, match="kind of generator 'DCGANGeneratorConf'; did you"):
        config_of({"kind": "DCGANGeneratorConf"})
    with pytest.raises(UnknownNameError, match="kind of generator 'int'"):
        build_generator(3)
