"""What a recipe is that makes pictures of rare types: data that names the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.models.few_shot_gan import FewShotConfig
from smearlab.learn.models.figr import FIGRConfig
from smearlab.learn.recipe import override
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.episodes import MetaConfig
from smearlab.learn.transforms.diff_augment import DiffAugment
from smearlab.learn.transforms.picture_views import PictureViewConfig

#: ``meta``: weights are meta-trained on the common types; ``joint``: trained on all of them
#: together; ``none``: fresh for each rare type.
Beginning = Literal["meta", "joint", "none"]


@dataclass(frozen=True)
class RareTypes:
    """Which types are rare, and how many pictures of each may be learnt from.

    Parameters
    ----------
    types : tuple of str
        All different, at least one.
    pictures : tuple of int
        One for each type, at least 1: the training part is held down to them. What is held out
        stays whole.
    seed : int
        Of drawing them.

    Raises
    ------
    UsageError
        If a type is named twice, or a number is below 1.
    """

    types: tuple[str, ...] = ("monocyte", "immature granulocyte", "basophil")
    pictures: tuple[int, ...] = (26, 87, 15)
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.types or len(set(self.types)) < len(self.types):
            raise UsageError(f"rare.types must be different names; received {self.types}")
        if not self.pictures or min(self.pictures) < 1:
            raise UsageError(
                f"rare.pictures must be numbers of at least 1; received {self.pictures}"
            )
        if self.seed < 0:
            raise UsageError(f"rare.seed must be at least 0; received {self.seed}")

    @property
    def kept(self) -> dict[str, int]:
        """Type → pictures.

        Raises
        ------
        UsageError
            If there are not as many numbers as types.
        """
        if len(self.pictures) != len(self.types):
            raise UsageError(
                f"rare.pictures needs a number for each of {', '.join(self.types)}; received "
                f"{self.pictures}: set rare.types and rare.pictures together"
            )
        return dict(zip(self.types, self.pictures, strict=True))


@dataclass(frozen=True)
class Playing:
    """What counts in the game beside the adversarial loss, and what the critic sees.

    Parameters
    ----------
    encoder_l1, mode_seeking : float
        The thesis's λ_En and λ_MSR, of networks with an encoder; at least 0.
    augment : tuple of str
        See :class:`smearlab.learn.transforms.diff_augment.DiffAugment`; empty for nothing.

    Raises
    ------
    UsageError
        If a weight is negative.
    UnknownNameError
        If there is no such augmentation.
    """

    encoder_l1: float = 1.0
    mode_seeking: float = 1.0
    augment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("encoder_l1", "mode_seeking"):
            if not getattr(self, name) >= 0:
                raise UsageError(f"{name} must be at least 0; received {getattr(self, name)}")
        DiffAugment(self.augment)


@dataclass(frozen=True)
class Joint:
    """Training on all common pictures together, before meta-training.

    Episodes show the critic one type after the other. As long as the generator does not make of
    each what it is, what tells one type from the next hides what tells real from made.

    Parameters
    ----------
    epochs : int
        0 for none.

    Raises
    ------
    UsageError
        If it is below 0.
    """

    epochs: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 0:
            raise UsageError(f"joint.epochs must be at least 0; received {self.epochs}")


@dataclass(frozen=True)
class Adaptation:
    """How the weights are adapted to a rare type: the inner loop alone, on all its pictures.

    Parameters
    ----------
    steps : int
        At least 1.
    round_steps : int
        Steps that make an epoch, after which a sheet of pictures is written; at least 1.
    ema : float
        Decay of the averaged generator, in [0, 1).
    freeze : int
        So many of the critic's lower layers stay as they begin (FreezeD, Mo et al. 2020).

    Raises
    ------
    UsageError
        If a number is out of range.
    """

    steps: int = 1000
    round_steps: int = 100
    ema: float = 0.99
    freeze: int = 0

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("round_steps", 1), ("freeze", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} must be at least {least}; received {getattr(self, name)}")
        if not 0 <= self.ema < 1:
            raise UsageError(f"ema must lie within [0, 1); received {self.ema}")


_PARTS = ("generator", "data", "view", "train", "meta", "joint", "adapt", "rare", "play")


@dataclass(frozen=True)
class FewShotRecipe:
    """Generators of rare types, one for each, as data.

    Parameters
    ----------
    name, title : str
    source : str
        The paper, or what the recipe is for.
    begin : {"meta", "joint", "none"}
        What the networks begin with.
    generator : FewShotConfig or FIGRConfig
        Sizes of generator and critic; with features, there is an encoder.
    data : PictureData
    view : PictureViewConfig
    train : AdversarialConfig
        Of the game, in all its parts. Its ``epochs`` are those of the beginning: rounds of
        episodes, or epochs of all common pictures.
    meta : MetaConfig
        Of ``begin="meta"``.
    joint : Joint
        Of ``begin="meta"``, before the first episode.
    adapt : Adaptation
    rare : RareTypes
    play : Playing
    reported : mapping
        The paper's figures, with table or page.
    deviations : tuple of str
        Where the recipe departs from the paper, and why.

    Raises
    ------
    UnknownNameError
        If there is no such beginning.
    UsageError
        If the parts do not go together.
    """

    name: str
    title: str
    source: str
    begin: Beginning
    generator: FewShotConfig | FIGRConfig
    data: PictureData
    view: PictureViewConfig
    train: AdversarialConfig
    meta: MetaConfig = field(default_factory=MetaConfig)
    joint: Joint = field(default_factory=Joint)
    adapt: Adaptation = field(default_factory=Adaptation)
    rare: RareTypes = field(default_factory=RareTypes)
    play: Playing = field(default_factory=Playing)
    reported: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.begin not in get_args(Beginning):
            raise UnknownNameError("beginning", str(self.begin), get_args(Beginning))
        if self.adapt.freeze and self.begin == "none":
            raise UsageError(f"{self.name}: fresh layers cannot be frozen; adapt.freeze must be 0")
        if self.adapt.freeze and isinstance(self.generator, FIGRConfig):
            raise UsageError(f"{self.name}: FIGR's critic has no lower layers; set adapt.freeze=0")
        if self.data.folds:
            raise UsageError(
                f"{self.name}: a generator learns from one training part; data.folds must be 0, "
                f"received {self.data.folds}"
            )

    @property
    def game(self) -> str:
        """``encoded`` with an encoder, else ``noise``."""
        return "encoded" if getattr(self.generator, "features", 0) else "noise"

    def with_settings(self, settings: Sequence[str] = ()) -> FewShotRecipe:
        """The recipe with settings changed; networks follow the size of the views.

        Parameters
        ----------
        settings : sequence of str
            As ``rare.pictures="(5, 5, 5)"``; parts are ``generator``, ``data``, ``view``,
            ``train``, ``meta``, ``joint``, ``adapt``, ``rare`` and ``play``. See
            :func:`smearlab.learn.recipe.override`.

        Raises
        ------
        UnknownNameError
            If a part or a key does not exist.
        UsageError
            If a value does not fit, rare types and numbers of pictures do not go together, the
            networks were given another size than the views, or episodes are changed of which the
            recipe has none.
        """
        recipe = override(self, settings, _PARTS)
        if self.begin != "meta" and (recipe.meta, recipe.joint) != (self.meta, self.joint):
            raise UsageError(
                f"{self.name} has no episodes: settings of meta and joint would change nothing; "
                "leave them out"
            )
        _ = recipe.rare.kept  # refuses numbers that do not go with the types
        before, now, size = self.generator.size_px, recipe.generator.size_px, recipe.view.size_px
        if now not in (before, size):
            raise UsageError(
                f"generator.size_px is {now} and view.size_px {size}: set view.size_px alone, "
                "which networks follow"
            )
        return replace(recipe, generator=replace(recipe.generator, size_px=size))

    def adapting(self) -> FewShotRecipe:
        """The recipe with the training of an adaptation in the place of that of the beginning."""
        epochs = -(-self.adapt.steps // self.adapt.round_steps)
        steps = min(self.adapt.steps, self.train.max_steps or self.adapt.steps)
        train = replace(self.train, epochs=epochs, max_steps=steps, ema=self.adapt.ema)
        return replace(self, train=train)
