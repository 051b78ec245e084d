"""What a recipe is: data that names the parts; nothing is computed here."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from torch import nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.export import BundleGraph
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.train.supervised import Objective

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Samples = Literal["centres", "foreground", "cells"]


@dataclass(frozen=True)
class Stage:
    """One network of a recipe, and how it becomes a bundle.

    Parameters
    ----------
    name : str
        Also the name of its bundle.
    kind : {"segmenter", "classifier"}
    model : callable
        Builds the network with fresh weights.
    graph : callable
        Wraps the trained network as the bundle contract asks.
    objective : callable
        See :data:`smearlab.learn.train.supervised.Objective`.
    samples : {"centres", "foreground", "cells"}
        Which kind of sample it learns from.
    view : object
        Configuration of the samples' augmentation.
    train : TrainConfig
    card : mapping
        What the bundle's card says beyond what training finds out.
    origin_weights : mapping of str to float
        For ``cells``: how often a patch of an origin is drawn.
    per_epoch : int or None
        For ``cells``: samples in an epoch.
    exclude_origins : tuple of str
        For ``cells``: origins left out.
    complete_only : bool
        For ``centres``: leave out fields of which some cells have no box.
    twice : tuple of str
        For ``centres``: fields that show one of these elements are drawn twice an epoch.
    start_from : str or None
        Stage whose weights this one starts from, and whose bundle teaches it.
    simulated, taught : int
        For ``centres``: simulated fields, and single-cell pictures with boxes from the teacher.
    """

    name: str
    kind: Literal["segmenter", "classifier"]
    model: Callable[[], nn.Module]
    graph: Callable[[nn.Module], BundleGraph]
    objective: Objective
    samples: Samples
    view: Any
    train: TrainConfig
    card: Mapping[str, Any]
    origin_weights: Mapping[str, float] = field(default_factory=dict)
    per_epoch: int | None = None
    exclude_origins: tuple[str, ...] = ()
    complete_only: bool = False
    twice: tuple[str, ...] = ()
    start_from: str | None = None
    simulated: int = 0
    taught: int = 0


@dataclass(frozen=True)
class Recipe:
    """A published system, or ours, as data.

    Parameters
    ----------
    name, title : str
    source : str
        The paper, or what the recipe is for.
    stages : tuple of Stage
    reported : mapping
        The paper's figures, with table or page.
    deviations : tuple of str
        Where the recipe departs from the paper, and why.
    """

    name: str
    title: str
    source: str
    stages: tuple[Stage, ...]
    reported: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()

    def stage(self, name: str) -> Stage:
        """The stage called ``name``.

        Raises
        ------
        UnknownNameError
            If the recipe has no such stage.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise UnknownNameError(f"stage of {self.name}", name, [s.name for s in self.stages])


#: Stage, or the recipe of a classifier.
Configured = TypeVar("Configured", bound="DataclassInstance")


def override(
    configured: Configured, settings: Sequence[str], parts: Sequence[str] = ("train", "view")
) -> Configured:
    """Apply ``train.lr=1e-3`` and ``view.size=320`` to a stage or a recipe.

    Parameters
    ----------
    configured : Stage or ClassifierRecipe
    settings : sequence of str
        ``part.key=value``; values are Python literals, or words.
    parts : sequence of str
        Names of the parts that may be changed.

    Raises
    ------
    UnknownNameError
        If the part or the key does not exist.
    UsageError
        If a setting has no ``=``, or the value does not fit.
    """
    for setting in settings:
        path, equals, text = setting.partition("=")
        part, _, key = path.partition(".")
        if not equals or not key:
            raise UsageError(f"--set takes part.key=value, as train.lr=1e-3; received {setting!r}")
        if part not in parts:
            kind = "stage" if isinstance(configured, Stage) else "recipe"
            raise UnknownNameError(f"part of a {kind}", part, parts)
        changed = _with_key(getattr(configured, part), key, _value(text))
        configured = dataclasses.replace(configured, **{part: changed})
    return configured


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _with_key(config: Any, key: str, value: Any) -> Any:
    """The configuration with one key changed."""
    hints = get_type_hints(type(config))
    if key not in hints:
        raise UnknownNameError(f"key of {type(config).__name__}", key, hints)
    try:
        fitting = _fit(value, hints[key])
    except TypeError:
        raise UsageError(
            f"{key} cannot be {value!r}, {type(value).__name__}: it is {getattr(config, key)!r} "
            "now, give a value of that kind"
        ) from None
    return dataclasses.replace(config, **{key: fitting})


def _fit(value: Any, hint: Any) -> Any:
    """The value as its annotation wants it; TypeError if it is of another kind."""
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind is UnionType:
        for part in parts:
            try:
                return _fit(value, part)
            except TypeError:
                continue
        raise TypeError
    if kind is tuple and parts[-1:] == (...,):
        several = value if isinstance(value, tuple) else (value,)
        return tuple(_fit(v, parts[0]) for v in several)
    if kind is tuple:
        if not isinstance(value, tuple) or len(value) != len(parts):
            raise TypeError
        return tuple(_fit(v, part) for v, part in zip(value, parts, strict=True))
    if kind is float and type(value) is int:
        return float(value)
    # Names are checked where the configuration is built, with "did you mean".
    if kind is Literal:
        kind = type(parts[0])
    if type(value) is not kind:
        raise TypeError
    return value
