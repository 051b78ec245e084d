"""Evening out the types: what to synthesise, how to weigh, what to draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from smearlab.datasets.manifest.merge import merged
from smearlab.datasets.manifest.table import Manifest
from smearlab.datasets.manifest.ties import encoded
from smearlab.errors import ManifestError, UsageError

Generator = Literal["none", "c_wgan_gp", "few_shot_gan"]


@dataclass(frozen=True)
class BalanceRules:
    """Which generator makes pictures of which type (Hazra 2022, sections 3.5 and 3.6).

    The thesis uses the few-shot GAN below 100 pictures, C-WGAN-GP above 1,000, none for the
    largest type. It has no type in between; those are given to C-WGAN-GP here. Nor does it say
    how many it made: here, as many as bring each type level with the largest.

    Parameters
    ----------
    few_shot_below : int
        Types with fewer real training pictures go to the few-shot GAN.
    target : int, optional
        Pictures that each type shall have; those of the largest when left out.

    Raises
    ------
    UsageError
        If a number is negative, or the target not positive.
    """

    few_shot_below: int = 100
    target: int | None = None

    def __post_init__(self) -> None:
        if self.few_shot_below < 0:
            raise UsageError(f"few_shot_below must be at least 0; received {self.few_shot_below}")
        if self.target is not None and self.target < 1:
            raise UsageError(f"target must be at least 1; received {self.target}")


@dataclass(frozen=True)
class TypePlan:
    """What one type needs.

    Parameters
    ----------
    type : str
    real, synthetic : int
        Training pictures that there are.
    to_make : int
        Synthetic pictures still to be made; all of them for training.
    generator : {"none", "c_wgan_gp", "few_shot_gan"}
    weight_inverse, weight_effective : float
        Weights of the type without synthesis; see :func:`class_weights`.
    """

    type: str
    real: int
    synthetic: int
    to_make: int
    generator: Generator
    weight_inverse: float
    weight_effective: float


def balance_plan(manifest: Manifest, rules: BalanceRules | None = None) -> tuple[TypePlan, ...]:
    """What it takes to even out the training part.

    Parameters
    ----------
    manifest : Manifest
        With types and splits.
    rules : BalanceRules, optional
        The thesis's when left out.

    Returns
    -------
    tuple of TypePlan
        A type each, by name.

    Raises
    ------
    ManifestError
        If there are no types, no splits, a type that no training picture shows, or synthetic
        rows outside the training part.
    """
    rules = rules or BalanceRules()
    codes, values = encoded(manifest.table.column("type"))
    if not len(values):
        raise ManifestError("the manifest has no types; give them with smearlab data taxonomy")
    split = manifest.column("split")
    if all(part is None for part in split):
        raise ManifestError("the manifest has no splits; make them with smearlab data split")
    train, synthetic = split == "train", manifest.column("synthetic").astype(bool)
    if (synthetic & ~train).any():
        row = int(np.flatnonzero(synthetic & ~train)[0])
        raise ManifestError(
            f"row {row + 1} ({manifest.table.column('path')[row]}) is synthetic but not in train"
        )
    names = values.to_pylist()
    real = np.bincount(codes[train & ~synthetic & (codes >= 0)], minlength=len(names))
    made = np.bincount(codes[synthetic & (codes >= 0)], minlength=len(names))
    if (real == 0).any():
        missing = ", ".join(names[n] for n in np.flatnonzero(real == 0))
        raise ManifestError(f"no real training picture of {missing}; split again, or drop them")
    target = rules.target or int(real.max())
    inverse = class_weights(real, "inverse")
    effective = class_weights(real, "effective")
    plans = []
    for n in sorted(range(len(names)), key=lambda n: str(names[n])):
        to_make = max(0, target - int(real[n]) - int(made[n]))
        few = real[n] < rules.few_shot_below
        generator: Generator = "none" if not to_make else "few_shot_gan" if few else "c_wgan_gp"
        plans.append(
            TypePlan(
                *(names[n], int(real[n]), int(made[n]), to_make, generator),
                *(float(inverse[n]), float(effective[n])),
            )
        )
    return tuple(plans)


def class_weights(
    counts: NDArray[np.int64], method: Literal["inverse", "effective"], beta: float = 0.999
) -> NDArray[np.float64]:
    """Weights of the classes in a loss; their mean is 1.

    Parameters
    ----------
    counts : ndarray of int, shape (C,)
        Pictures of each class, at least 1.
    method : {"inverse", "effective"}
        ``1 / n``, or ``(1 - β) / (1 - β**n)``, the inverse of the effective number (Cui et al.
        2019, Class-Balanced Loss Based on Effective Number of Samples, CVPR, eq. 2).
    beta : float
        In [0, 1); 0 weighs all alike, near 1 is the inverse frequency.

    Returns
    -------
    ndarray of float64, shape (C,)

    Raises
    ------
    UsageError
        If a count is below 1, the method unknown, or β out of range.

    Examples
    --------
    >>> class_weights(np.array([10, 30]), "inverse").round(2).tolist()
    [1.5, 0.5]
    """
    if not counts.size or counts.min() < 1:
        raise UsageError(f"every class needs a picture; received counts {counts.tolist()}")
    if not 0 <= beta < 1:
        raise UsageError(f"beta must lie in [0, 1); received {beta}")
    if method == "inverse":
        weights = 1.0 / counts
    elif method == "effective":
        # log1p and expm1 keep the digits that 1 - β**n loses for few pictures and β near 1.
        rate = math.log(beta) if beta else -math.inf
        weights = (1.0 - beta) / -np.expm1(counts * rate)
    else:
        raise UsageError(f"weights are 'inverse' or 'effective'; received {method!r}")
    return np.asarray(weights / weights.mean())


@dataclass(frozen=True, eq=False)
class BalancedSampler:
    """Draws every class equally often, and every picture of a class equally often.

    Parameters
    ----------
    classes : ndarray of int, shape (N,)
        Class of each picture; those below 0 are never drawn.
    seed : int

    Raises
    ------
    UsageError
        If no picture has a class.
    """

    classes: NDArray[np.int64]
    seed: int

    def __post_init__(self) -> None:
        if not (self.classes >= 0).any():
            raise UsageError("no picture has a class; there is nothing to draw")

    def indices(self, epoch: int, n: int | None = None) -> NDArray[np.int64]:
        """The pictures of an epoch in order.

        Parameters
        ----------
        epoch : int
            From 0; another epoch, another order.
        n : int, optional
            How many; as many as have a class when left out.

        Returns
        -------
        ndarray of int64, shape (n,)
            Classes differ by one draw at most, pictures of one class likewise.
        """
        rng = np.random.default_rng([self.seed, epoch])
        n = int((self.classes >= 0).sum()) if n is None else n
        present = rng.permutation(np.unique(self.classes[self.classes >= 0]))
        drawn = []
        for place, name in enumerate(present):
            wanted = n // present.size + (place < n % present.size)
            members = np.flatnonzero(self.classes == name)
            rounds = [rng.permutation(members) for _ in range(-(-wanted // members.size))]
            drawn.append(np.concatenate([*rounds, members[:0]])[:wanted])
        return np.asarray(rng.permutation(np.concatenate(drawn)), np.int64)


def with_synthetic(manifest: Manifest, synthetic: Manifest) -> Manifest:
    """Add synthetic pictures to the training part.

    Parameters
    ----------
    manifest : Manifest
        With splits.
    synthetic : Manifest
        Pictures that a generator made, with types; whatever split they have is overruled.

    Returns
    -------
    Manifest
        The added rows are ``synthetic``, in train, in no fold.

    Raises
    ------
    ManifestError
        If a synthetic row has no type, or one that no real row has, or a file stands twice.
    """
    names = set(manifest.column("type"))
    for row, name in enumerate(synthetic.column("type")):
        if name is None or name not in names:
            path = synthetic.table.column("path")[row]
            raise ManifestError(
                f"row {row + 1} ({path}) is of the type {name!r}, which no real picture has"
            )
    n = len(synthetic)
    marked = synthetic.with_columns(
        synthetic=np.ones(n, bool), split=["train"] * n, fold=[None] * n
    )
    return merged([manifest, marked], ["real", "synthetic"]).noted(
        "with_synthetic", {"added_rows": n}
    )
