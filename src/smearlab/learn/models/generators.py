"""The generators of cells that a run can have, each by the name of its configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from torch import nn

from smearlab.learn.models.c_wgan_gp import ResidualGenerator, ResidualGeneratorConfig
from smearlab.learn.models.dcgan import DCGANGenerator, DCGANGeneratorConfig
from smearlab.learn.models.fast_generator import TypedFastConfig, TypedFastGenerator
from smearlab.learn.models.few_shot_gan import FewShotConfig, FewShotGenerator
from smearlab.learn.models.figr import FIGRConfig, FIGRGenerator
from smearlab.registry import look_up


@dataclass(frozen=True)
class GeneratorKind:
    """A configuration, and the network that follows from it.

    Parameters
    ----------
    config : type
        Frozen dataclass with ``classes``, ``size_px`` and ``latent_size``.
    network : callable
        Takes the configuration; the network's ``forward(latent (N, Z), types (N, K))`` gives
        pictures (N, 3, S, S) in [0, 1], and it has the attributes ``latent_size`` and ``classes``.
    """

    config: type[Any]
    network: Callable[[Any], nn.Module]


#: Configuration's name → what it builds.
GENERATORS: Mapping[str, GeneratorKind] = {
    kind.config.__name__: kind
    for kind in (
        GeneratorKind(DCGANGeneratorConfig, DCGANGenerator),
        GeneratorKind(ResidualGeneratorConfig, ResidualGenerator),
        GeneratorKind(TypedFastConfig, TypedFastGenerator),
        GeneratorKind(FewShotConfig, FewShotGenerator),
        GeneratorKind(FIGRConfig, FIGRGenerator),
    )
}


def build_generator(config: Any) -> nn.Module:
    """The network of a configuration, with fresh weights.

    Raises
    ------
    UnknownNameError
        If no generator has such a configuration.
    """
    return look_up("kind of generator", GENERATORS, type(config).__name__).network(config)


def kept_config(config: Any) -> dict[str, Any]:
    """A configuration as ``config.json`` keeps it: its values, and its name as ``kind``."""
    return {"kind": type(config).__name__, **asdict(config)}


def config_of(kept: Mapping[str, Any]) -> Any:
    """The configuration that :func:`kept_config` kept.

    Raises
    ------
    UnknownNameError
        If there is no such kind.
    UsageError
        If a value lies outside its range.
    """
    kind = look_up("kind of generator", GENERATORS, str(kept["kind"])).config
    names = {field.name for field in fields(kind)}
    return kind(**{
        name: tuple(value) if isinstance(value, list) else value
        for name, value in kept.items()
        if name in names
    })  # fmt: skip
