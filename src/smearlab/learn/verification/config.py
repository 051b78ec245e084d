"""What a verification is asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from smearlab.errors import UnknownNameError, UsageError
from smearlab.io.bundles import find_bundle
from smearlab.learn.models.classifiers import CLASSIFIERS
from smearlab.preprocess.central_square import W_NET_CROP_PX
from smearlab.registry import look_up

Against = Literal["train", "test"]
#: Check → what it tells, in the order in which they are made.
CHECKS = {
    "figures": "distances of distributions, precision and recall, diversity",
    "neighbours": "the nearest real picture of each synthetic one: memorisation",
    "cosine": "cosine similarity real with real against real with synthetic",
    "blind-test": "a page and a sheet on which a person types cells and tells real from made",
    "real-on-synthetic": "a classifier trained on real pictures, on the synthetic ones",
    "synthetic-on-real": "a classifier trained on synthetic pictures, on real ones",
    "added": "accuracy on real pictures with synthetic ones added to the training part",
    "balanced": "recall of each type with synthetic pictures of the rarer ones, up to one number",
}


@dataclass(frozen=True)
class VerifyConfig:
    """How synthetic pictures are verified.

    Parameters
    ----------
    network : str
        Classifier that is trained, one of :data:`smearlab.learn.models.classifiers.CLASSIFIERS`.
    epochs : int
        On the real training pictures; other trainings take as many steps, as near as whole epochs
        come to them. Too few are unfair to what was made: after 12, LWCNN is right in 88 % of real
        pictures of PBC.
    batch_size, lr : int, float
    seeds : int
        Trainings of each share; at least 1.
    shares : tuple of float
        Synthetic pictures that are added, as shares of the real training pictures of each type.
        0 is always among them.
    balance_to : int
        Training pictures of each type in ``balanced``, synthetic ones filling up; 0 for the
        number that the commonest type has.
    crop_px : int
        Side of the middle square of real pictures that the synthetic ones show; 0 for whole
        pictures.
    taxonomy : str
        Of the real pictures; ``given`` for the manifest's column ``type``.
    checks : tuple of str
        Names in :data:`CHECKS`; empty for all.
    features : str
        Classifier bundle whose features are compared.
    inception : Path or None
        Weights of Inception-v3, whose features are compared in its place.
    lpips : tuple of Path or None
        Weights of AlexNet and of the channels; without them the blood-cell LPIPS.
    most_of_type : int
        Pictures of a type that figures are made of, in each part; copies are looked for among all
        training pictures.
    against : {"train", "test"}
        Real pictures that distributions are compared with; the others stand beside. ``test`` where
        a type was held down to a few training pictures: against these alone, copies of them would
        be perfect.
    resamples, pairs : int
        Of the intervals of figures; of pictures within a type, and across types.
    quantile : float
        Of the distances of held-out pictures below which one counts as memorised, in (0, 1).
    blind_each : int
        Real and synthetic pictures of each type in the blind test.
    seed : int
        Of the split, of every draw, and of the first training.

    Raises
    ------
    UnknownNameError
        If the network, a check or a part does not exist.
    UsageError
        If a number is out of range.
    """

    network: str = "lwcnn"
    epochs: int = 30
    batch_size: int = 32
    lr: float = 2e-3
    seeds: int = 3
    shares: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0)
    balance_to: int = 0
    crop_px: int = W_NET_CROP_PX
    taxonomy: str = "given"
    checks: tuple[str, ...] = ()
    features: str = "default"
    inception: Path | None = None
    lpips: tuple[Path, Path] | None = None
    most_of_type: int = 300
    against: Against = "train"
    resamples: int = 100
    pairs: int = 100
    quantile: float = 0.05
    blind_each: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        look_up("network", CLASSIFIERS, self.network)
        for name in self.checks:
            if name not in CHECKS:
                raise UnknownNameError("check", name, CHECKS)
        if self.against not in get_args(Against):
            raise UnknownNameError(
                "part of the real pictures", str(self.against), get_args(Against)
            )
        least = {
            "epochs": 1, "batch_size": 1, "seeds": 1, "crop_px": 0, "most_of_type": 2,
            "resamples": 2, "pairs": 1, "blind_each": 1, "seed": 0, "balance_to": 0,
        }  # fmt: skip
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise UsageError(f"{name} must be at least {bound}; received {getattr(self, name)}")
        if not all(0 <= share <= 10 for share in self.shares):
            raise UsageError(f"shares must lie within 0 to 10; received {self.shares}")
        if not 0 < self.quantile < 1:
            raise UsageError(f"quantile must lie within (0, 1); received {self.quantile}")

    def said(self, name: str) -> str:
        """A setting as results depend on it: files by what is in them, not by where they lie."""
        value = getattr(self, name)
        if name == "features":
            value = find_bundle("classifier", value) / "model.onnx"
        files = value if isinstance(value, tuple) else (value,)
        if not files or not all(isinstance(one, Path) for one in files):
            return str(value)
        return " ".join(hashlib.sha256(one.read_bytes()).hexdigest() for one in files)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The checks that are made, in their order."""
        return tuple(name for name in CHECKS if not self.checks or name in self.checks)

    @property
    def arms(self) -> tuple[float, ...]:
        """The shares in ascending order, 0 among them."""
        return tuple(sorted({0.0, *self.shares}))
