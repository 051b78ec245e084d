"""What a recipe of a picture classifier is: data that names the parts; nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args
from typing import Protocol as TypingProtocol

from smearlab.datasets.manifest.splits import Shares
from smearlab.datasets.manifest.taxonomy import TAXONOMIES
from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.objectives import Classification
from smearlab.learn.recipe import override
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.picture_views import PictureViewConfig
from smearlab.types import Element

Protocol = Literal["paper", "honest"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
Split = Literal["drawn", "published", "given"]
Weights = Literal["none", "inverse", "effective"]
#: In the place of a taxonomy: types are the archive's labels, or the column ``type`` as it is.
AS_LABELLED, AS_TYPED = "labels", "given"
#: Pixels that an origin spends on what another shows in one. White cells of Raabin-WBC are 271 px
#: wide at the median, those of PBC 143 (white boxes of TXL-PBC, 446 and 450 pictures).
SCALES: Mapping[str, float] = {"Raabin-WBC": 1.9}


@dataclass(frozen=True)
class PictureData:
    """Which pictures a classifier learns from, and how they are split.

    Parameters
    ----------
    datasets : tuple of str
        Values of the manifest's ``dataset``; those that are there are used. Empty for all.
    taxonomy : str
        One of :data:`smearlab.datasets.manifest.taxonomy.TAXONOMIES`, ``labels`` or ``given``.
        Rows that it leaves out are dropped.
    folds : int
        Folds that take turns as the test part; 0 for one split by ``shares``.
    shares : tuple of float
        Of train, val and test; sum to 1.
    val_share : float
        Of what is not tested, where folds, the archive or an origin say what is; in (0, 1).
    split : {"drawn", "published", "given"}
        ``published`` tests on the archive's own test part in the paper's protocol; ``given``
        takes the manifest's ``split`` or ``fold`` in both.
    origins : tuple of str
        Values of the manifest's ``source`` that are used; empty for all.
    train_on, test_on : tuple of str
        Origins that one trains on and those that one tests on, for a cross-stain run.
    proportions : mapping of str to float
        Type → how many pictures, relative to the others. As many are drawn as can be had in
        these proportions; empty for all that there are. Types that it does not name stay whole.
    total : int or None
        Pictures that are drawn at most, with ``proportions``.
    weights : {"none", "inverse", "effective"}
        Weights of the classes in the loss, by their training pictures.
    seed : int
        Of drawing and splitting.
    scales : mapping of str to float
        Origin → how much larger than elsewhere the same is shown; see :data:`SCALES`.

    Raises
    ------
    UsageError
        If a number is out of range, or the shares do not sum to 1.
    UnknownNameError
        If a name is none of those above.
    """

    datasets: tuple[str, ...]
    taxonomy: str
    folds: int = 0
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
    val_share: float = 0.1
    split: Split = "drawn"
    origins: tuple[str, ...] = ()
    train_on: tuple[str, ...] = ()
    test_on: tuple[str, ...] = ()
    proportions: Mapping[str, float] = field(default_factory=dict)
    total: int | None = None
    weights: Weights = "none"
    seed: int = 0
    scales: Mapping[str, float] = field(default_factory=lambda: dict(SCALES))

    def __post_init__(self) -> None:
        taxonomies = (*TAXONOMIES, AS_LABELLED, AS_TYPED)
        for name, value, known in (
            ("taxonomy", self.taxonomy, taxonomies),
            ("split", self.split, get_args(Split)),
            ("weights", self.weights, get_args(Weights)),
        ):
            if value not in known:
                raise UnknownNameError(name, str(value), known)
        Shares(*self.shares)
        if not 0 < self.val_share < 1:
            raise UsageError(f"val_share must lie within (0, 1); received {self.val_share}")
        if self.folds < 0 or self.folds == 1:
            raise UsageError(f"folds must be 0 or at least 2; received {self.folds}")
        if self.folds and (self.train_on or self.test_on):
            raise UsageError(
                "folds and origins to train or test on do not go together: a cross-stain run has "
                "one split; leave one of them out"
            )
        if self.total is not None and self.total < 1:
            raise UsageError(f"total must be at least 1; received {self.total}")


@dataclass(frozen=True)
class ClassifierRecipe:
    """A classifier of single-cell pictures, of a paper or ours, as data.

    Parameters
    ----------
    name, title : str
    source : str
        The paper, or what the recipe is for.
    network : str
        One of :data:`smearlab.learn.models.classifiers.CLASSIFIERS`.
    data : PictureData
    view : PictureViewConfig
        How views are drawn; training only what is random in it.
    train : TrainConfig
    loss : Classification
    freeze : bool
        Train the head only, on weights that are given.
    segmented : {"RBC", "WBC", "PLT"}, optional
        The element that the pictures show alone, as ``smearlab data segment`` makes them. Where
        they are whole, the run says so.
    chooses : bool
        Whether the validation part chooses the epoch by its loss; else nobody looks at it while
        training, and the last epoch counts.
    pretrain : ClassifierRecipe or None
        Trained first; this one goes on from its weights.
    reported : mapping
        The paper's figures for this network as fractions, ``accuracy`` among them; ``where``
        names table or page.
    deviations : tuple of str
        Where the recipe departs from the paper, and why.
    """

    name: str
    title: str
    source: str
    network: str
    data: PictureData
    view: PictureViewConfig
    train: TrainConfig
    loss: Classification = field(default_factory=Classification)
    freeze: bool = False
    segmented: Element | None = None
    chooses: bool = True
    pretrain: ClassifierRecipe | None = None
    reported: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()


class _Cropped(TypingProtocol):
    """A view of which the middle is shown."""

    @property
    def crop_px(self) -> int | None: ...


class OfPictures(TypingProtocol):
    """What a recipe of any kind has that learns from single-cell pictures."""

    @property
    def name(self) -> str: ...
    @property
    def data(self) -> PictureData: ...
    @property
    def view(self) -> _Cropped: ...


_PARTS = ("train", "view", "loss", "data")
_BEFORE = "pretrain."


def with_settings(recipe: ClassifierRecipe, settings: Sequence[str]) -> ClassifierRecipe:
    """Apply ``train.lr=1e-3``, ``view.colour=1``, ``loss.label_smoothing=0.1`` or ``data.seed=2``.

    Parameters
    ----------
    recipe : ClassifierRecipe
    settings : sequence of str
        See :func:`smearlab.learn.recipe.override`. What comes before a fine-tuning is trained with
        the same settings, but for those of ``data``; settings after ``pretrain.`` are its own.

    Raises
    ------
    UnknownNameError
        If a part or a key does not exist.
    UsageError
        If a value does not fit, or there is nothing that is trained before.
    """
    own = [one for one in settings if not one.startswith(_BEFORE)]
    before = [one.removeprefix(_BEFORE) for one in settings if one.startswith(_BEFORE)]
    if recipe.pretrain is None:
        if before:
            raise UsageError(f"{recipe.name} has no training before its own; received {before[0]}")
        return override(recipe, own, _PARTS)
    shared = [one for one in own if not one.startswith("data.")]
    pretrain = override(recipe.pretrain, [*shared, *before], _PARTS)
    return replace(override(recipe, own, _PARTS), pretrain=pretrain)
