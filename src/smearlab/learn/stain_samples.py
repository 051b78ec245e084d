"""Samples for networks from stain to stain, from single-cell pictures of two stains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import DataError
from smearlab.learn.classifier_run import evenly
from smearlab.learn.manifest_samples import ManifestSamples
from smearlab.learn.train.sampling import Sample
from smearlab.learn.transforms.colour import stain_jitter

Pictures = NDArray[np.uint8]


def shared_types(a: ManifestSamples, b: ManifestSamples) -> tuple[str, ...]:
    """Types that pictures of both stains show.

    Parameters
    ----------
    a, b : ManifestSamples
        Of one list of classes.

    Raises
    ------
    DataError
        If there is none; names what each shows.
    """
    shown = [sorted({one.classes[n] for n in one.targets}) for one in (a, b)]
    both = tuple(name for name in a.classes if name in shown[0] and name in shown[1])
    if not both:
        raise DataError(
            f"the stains share no type of cell: one shows {', '.join(shown[0])}, the other "
            f"{', '.join(shown[1])}; a difference of cells would be learned for one of stains. "
            "Give pictures of the same types, or choose a taxonomy that both have (--set "
            "data.taxonomy=NAME)"
        )
    return both


@dataclass(frozen=True, eq=False)
class UnpairedSamples:
    """A picture of each stain, both of one type; a
    :class:`~smearlab.learn.train.sampling.SampleSource`.

    The larger set is gone through, and its partners are drawn. So both stains are shown with the
    same shares of types, and what differs is the stain.

    Parameters
    ----------
    a, b : ManifestSamples
        Of one list of classes; types that only one of them shows are left out.

    Raises
    ------
    DataError
        If no type is shared.
    """

    a: ManifestSamples
    b: ManifestSamples
    _through: NDArray[np.intp] = field(init=False, repr=False)
    _partners: dict[int, NDArray[np.intp]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        numbers = [self.a.classes.index(name) for name in shared_types(self.a, self.b)]
        larger, smaller = (self.a, self.b) if self._a_is_larger else (self.b, self.a)
        through = np.flatnonzero(np.isin(larger.targets, numbers))
        object.__setattr__(self, "_through", through)
        partners = {number: np.flatnonzero(smaller.targets == number) for number in numbers}
        object.__setattr__(self, "_partners", partners)

    @property
    def _a_is_larger(self) -> bool:
        return len(self.a) >= len(self.b)

    def __len__(self) -> int:
        return len(self._through)

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """``pixels_a`` and ``pixels_b``, both uint8 (S, S, 3)."""
        larger, smaller = (self.a, self.b) if self._a_is_larger else (self.b, self.a)
        place = int(self._through[index])
        partners = self._partners[int(larger.targets[place])]
        partner = int(partners[rng.integers(len(partners))])
        one, other = larger.sample(place, rng)["pixels"], smaller.sample(partner, rng)["pixels"]
        a, b = (one, other) if self._a_is_larger else (other, one)
        return {"pixels_a": a, "pixels_b": b}

    def describe(self, index: int) -> str:
        """Row and file of a sample, for messages."""
        larger = self.a if self._a_is_larger else self.b
        return larger.describe(int(self._through[index]))


@dataclass(frozen=True, eq=False)
class JitteredSamples:
    """A picture in a stain drawn at random, and as it is: pairs where nobody has stained twice.

    Parameters
    ----------
    target : ManifestSamples
        Of the stain that is wanted.
    strength : float
        Of :func:`~smearlab.learn.transforms.colour.stain_jitter`.
    """

    target: ManifestSamples
    strength: float = 1.0

    def __len__(self) -> int:
        return len(self.target)

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """``pixels`` in another stain and ``target``, both uint8 (S, S, 3)."""
        picture = np.asarray(self.target.sample(index, rng)["pixels"], np.uint8)
        return {"pixels": stain_jitter(picture, rng, self.strength), "target": picture}

    def describe(self, index: int) -> str:
        """Row and file of a sample, for messages."""
        return self.target.describe(index)


@dataclass(frozen=True, eq=False)
class TaughtSamples:
    """A picture, and what a trained network makes of it; each is asked for once and kept.

    Parameters
    ----------
    pictures : ManifestSamples
        Without augmentation, so that a picture has one answer.
    teacher : callable
        uint8 (N, H, W, 3) → the same in the other stain.
    """

    pictures: ManifestSamples
    teacher: Callable[[Pictures], Pictures]
    _kept: dict[int, Sample] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.pictures)

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """``pixels`` and ``target``, both uint8 (S, S, 3)."""
        if index not in self._kept:
            picture = np.asarray(self.pictures.sample(index, rng)["pixels"], np.uint8)
            answer = self.teacher(picture[None])[0]
            self._kept[index] = {"pixels": picture, "target": answer}
        return self._kept[index]

    def describe(self, index: int) -> str:
        """Row and file of a sample, for messages."""
        return self.pictures.describe(index)


def matched_places(
    a: ManifestSamples, b: ManifestSamples, most: int
) -> tuple[list[int], list[int]]:
    """Places of as many pictures of each type in both, so that what differs is the stain.

    Parameters
    ----------
    a, b : ManifestSamples
        Of one list of classes.
    most : int
        So many of each stain at most, evenly spread within a type; one of each type at least.

    Raises
    ------
    DataError
        If no type is shared.
    """
    numbers = [a.classes.index(name) for name in shared_types(a, b)]
    places = [[np.flatnonzero(one.targets == number) for number in numbers] for one in (a, b)]
    least = [min(map(len, pair)) for pair in zip(*places, strict=True)]
    share = min(1.0, most / sum(least))
    kept = [max(1, int(number * share + 1e-9)) for number in least]
    first, second = (
        [int(there[n]) for there, k in zip(one, kept, strict=True) for n in evenly(len(there), k)]
        for one in places
    )
    return first, second


def pictures_at(samples: ManifestSamples, places: Sequence[int]) -> Pictures:
    """Pictures without augmentation.

    Parameters
    ----------
    samples : ManifestSamples
    places : sequence of int
        At least one.

    Returns
    -------
    ndarray of uint8, shape (N, S, S, 3)
    """
    still, rng = samples.without_augmentation(), np.random.default_rng(0)  # nothing is drawn
    return np.stack([np.asarray(still.sample(n, rng)["pixels"], np.uint8) for n in places])
