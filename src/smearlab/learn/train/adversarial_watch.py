"""What goes wrong between a generator and its critic, told from what the steps show.

Four figures of a step are looked at, each a small function of its own:

``accuracy_real``, ``accuracy_fake``
    Share of the logits that the critic has on the right side (:func:`critic_accuracy`).
``pull``
    How much the adversarial loss would fall if it went on falling as steeply as it does at the
    generated pictures, over the distance to the real ones (:func:`pull`).
``spread_real``, ``spread_fake``
    How much the pictures of a batch differ from each other (:func:`spread`). Of a batch of one
    there is ``level_real``, ``level_fake`` instead, whose change from step to step tells the same.

Nothing is repaired here. A finding is named in the line of every step at which it holds.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

#: What each finding means, and what to do.
FINDINGS: Mapping[str, str] = {
    "critic_won": (
        "the critic tells all generated pictures from real ones, and no slope is left for the "
        "generator to learn from: slow the critic (lr_critic), take a penalty, spectral "
        "normalisation or another loss"
    ),
    "critic_lost": (
        "the critic answers the same to everything and the generator learns nothing from it: raise "
        "lr_critic or critic_steps, or lower lr_generator or the penalty's weight"
    ),
    "mode_collapse": (
        "generated pictures differ from each other by less than a tenth of what real ones do: "
        "lower lr_generator, take a larger batch, a penalty or another loss"
    ),
}
#: Figures of a step that are no losses.
FIGURES = (
    "accuracy_real", "accuracy_fake", "pull", "spread_real", "spread_fake", "level_real",
    "level_fake",
)  # fmt: skip

_CERTAIN = 0.999
_NO_PULL = 1e-3
_ALIKE = 0.1
_EXPLODED_STEPS = 10
_POOLED_PX = 16


class GameWarning(UserWarning):
    """A training went on to its end, but not as a game should go."""


def critic_accuracy(
    real_logits: Tensor, fake_logits: Tensor, boundary: float | None
) -> tuple[Tensor, Tensor]:
    """Share of real and of generated logits that the critic has on the right side.

    Parameters
    ----------
    real_logits, fake_logits : Tensor
        Of any shape.
    boundary : float or None
        The critic takes what lies above for real. None: both shares are that of all pairs in which
        the real one is higher, equal ones counting half.

    Returns
    -------
    tuple of Tensor
        Two, of shape (), in [0, 1].
    """
    real, fake = real_logits.detach().float().flatten(), fake_logits.detach().float().flatten()
    if boundary is not None:
        return (real > boundary).float().mean(), (fake < boundary).float().mean()
    ordered = fake.sort().values
    below = torch.searchsorted(ordered, real).double()
    not_above = torch.searchsorted(ordered, real, right=True).double()
    share = ((below + not_above) / (2 * len(fake))).mean().float()
    return share, share


def pull(slopes: Tensor, fake: Tensor, real: Tensor) -> Tensor:
    """Mean over pictures of slope times distance, in units of the loss.

    Parameters
    ----------
    slopes : Tensor, shape (N, …)
        Gradient of the adversarial loss, a mean over the batch, at the generated pictures.
    fake, real : Tensor, shape (N, …)

    Returns
    -------
    Tensor, shape ()
        Σ ‖slope‖ · ‖fake − real‖; the sum over pictures, as the loss is a mean over them.
    """
    steepness = torch.linalg.vector_norm(slopes.detach().float().flatten(1), dim=1)
    way = torch.linalg.vector_norm((fake.detach().float() - real.float()).flatten(1), dim=1)
    total: Tensor = (steepness * way).sum()
    return total


def spread(pictures: Tensor) -> Tensor:
    """Mean distance between two pictures of a batch.

    Parameters
    ----------
    pictures : Tensor, shape (N, C, H, W) or (N, …)
        N at least 2. Pictures are shrunk to at most 16×16 first.

    Returns
    -------
    Tensor, shape ()
        Root mean square of the differences of two pictures' values, mean over all pairs.
    """
    values = pictures.detach().float()
    if values.dim() == 4:
        h, w = (min(_POOLED_PX, side) for side in values.shape[2:])
        values = F.adaptive_avg_pool2d(values, (h, w))
    values = values.flatten(1)
    return torch.pdist(values).mean() / math.sqrt(values.shape[1])


def diversity(real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """The figures of a batch from which its pictures' likeness is told, each of shape ()."""
    if len(real) > 1 and len(fake) > 1:
        return {"spread_real": spread(real), "spread_fake": spread(fake)}
    return {"level_real": real.detach().float().mean(), "level_fake": fake.detach().float().mean()}


def likeness(lines: Sequence[Mapping[str, float]]) -> float:
    """How much generated pictures differ from each other, real ones being 1.

    Parameters
    ----------
    lines : sequence of mapping
        Figures of steps, as :func:`diversity` gives them.

    Returns
    -------
    float
        At least 0; NaN where real pictures do not differ, or there are no figures.
    """
    if all("spread_real" in line for line in lines):
        real = sum(line["spread_real"] for line in lines)
        fake = sum(line["spread_fake"] for line in lines)
    elif all("level_real" in line for line in lines):
        real = statistics.pstdev(line["level_real"] for line in lines)
        fake = statistics.pstdev(line["level_fake"] for line in lines)
    else:
        return math.nan
    return fake / real if real > 0 else math.nan


def critic_verdict(lines: Sequence[Mapping[str, float]]) -> str | None:
    """Whether the critic has won or lost for good.

    Parameters
    ----------
    lines : sequence of mapping
        Figures of steps: both accuracies, and the pull.

    Returns
    -------
    str or None
        ``critic_won`` if it was right about everything in every step, ``critic_lost`` if it took
        everything generated for real, or everything for generated; None if neither, or if the
        generator still feels a pull.
    """
    needed = {"accuracy_real", "accuracy_fake", "pull"}
    if not lines or not all(needed <= line.keys() for line in lines):
        return None
    if statistics.median(line["pull"] for line in lines) >= _NO_PULL:
        return None
    real = [line["accuracy_real"] for line in lines]
    fake = [line["accuracy_fake"] for line in lines]
    if min(fake) >= _CERTAIN and min(real) >= _CERTAIN:
        return "critic_won"
    fooled, blind = max(fake) <= 1 - _CERTAIN, max(real) <= 1 - _CERTAIN
    return "critic_lost" if fooled or blind else None


def exploded(values: Sequence[float], limit: float) -> bool:
    """Whether the last ten values all lie beyond the limit, on either side of 0."""
    last = values[-_EXPLODED_STEPS:]
    return len(last) == _EXPLODED_STEPS and min(abs(value) for value in last) > limit


class Watch:
    """Looks back on the last steps.

    All that it knows is in the log, so that a resumed run finds the same.

    Parameters
    ----------
    steps : int
        So many are looked back on. Nothing is said of windows that begin in the first so many,
        when networks are still fresh.
    lines : iterable of mapping
        Of the log so far.
    """

    def __init__(self, steps: int, lines: Iterable[Mapping[str, float]] = ()) -> None:
        self._steps = steps
        self._lines: deque[Mapping[str, float]] = deque(lines, maxlen=max(steps, _EXPLODED_STEPS))

    def add(self, line: Mapping[str, float]) -> list[str]:
        """What is found once a step is known, as keys of :data:`FINDINGS`.

        Parameters
        ----------
        line : mapping of str to float
            Its ``step``, from 1, and its figures.
        """
        self._lines.append(line)
        if line["step"] < 2 * self._steps:
            return []
        window = list(self._lines)[-self._steps :]
        verdict = critic_verdict(window)
        found = [verdict] if verdict else []
        return [*found, "mode_collapse"] if likeness(window) < _ALIKE else found

    def exploding(self, names: Iterable[str], limit: float) -> str | None:
        """The first of these losses that has grown beyond all bounds, None if there is none."""
        for name in names:
            if exploded([line[name] for line in self._lines if name in line], limit):
                return name
        return None
