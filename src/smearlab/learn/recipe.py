"""What a recipe is: data that names the parts; nothing is computed here."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from torch import nn

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.train.supervised import Objective, TrainConfig

Samples = Literal["centres", "foreground", "cells"]
C = TypeVar("C")


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
    start_from : str or None
        Stage whose weights this one starts from, and whose bundle teaches it.
    simulated, taught : int
        For ``centres``: simulated fields, and single-cell pictures with boxes from the teacher.
    """

    name: str
    kind: Literal["segmenter", "classifier"]
    model: Callable[[], nn.Module]
    graph: Callable[[nn.Module], nn.Module]
    objective: Objective
    samples: Samples
    view: Any
    train: TrainConfig
    card: Mapping[str, Any]
    origin_weights: Mapping[str, float] = field(default_factory=dict)
    per_epoch: int | None = None
    exclude_origins: tuple[str, ...] = ()
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


def override(stage: Stage, settings: Sequence[str]) -> Stage:
    """Apply ``train.lr=1e-3`` and ``view.size=320`` to a stage.

    Parameters
    ----------
    stage : Stage
    settings : sequence of str
        ``part.key=value``; values are Python literals, or words.

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
        if part not in ("train", "view"):
            raise UnknownNameError("part of a stage", part, ("train", "view"))
        stage = dataclasses.replace(
            stage, **{part: _replace_key(getattr(stage, part), key, _value(text))}
        )
    return stage


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _replace_key(config: C, key: str, value: Any) -> C:
    known = {f.name: f for f in dataclasses.fields(config)}  # type: ignore[arg-type]
    if key not in known:
        raise UnknownNameError(f"key of {type(config).__name__}", key, known)
    now = getattr(config, key)
    if isinstance(now, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if now is not None and type(value) is not type(now):
        raise UsageError(
            f"{key} is {type(now).__name__} (now {now!r}); received {value!r}, "
            f"{type(value).__name__}"
        )
    return dataclasses.replace(config, **{key: value})  # type: ignore[type-var]
