"""What a recipe of a network from stain to stain is: data that names the parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.models.patch_critic import PatchCriticConfig
from smearlab.learn.models.stain_ways import StainConfig
from smearlab.learn.objectives import Upscaling
from smearlab.learn.recipe import override
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.picture_views import PictureViewConfig

#: ``unpaired``: two stains, both ways; ``jittered``: from any stain to one, by pairs that are made;
#: ``taught``: one way, by the answers of a trained network.
Learning = Literal["unpaired", "jittered", "taught"]


@dataclass(frozen=True)
class StainWeights:
    """What the parts of the losses count, beside the adversarial one.

    Parameters
    ----------
    cycle, identity : float
        Of ``unpaired``: see :class:`smearlab.learn.games.unpaired.UnpairedPictures`.
    l1 : float
        Of ``jittered``: see :class:`smearlab.learn.games.paired.PairedPictures`.
    jitter : float
        Of ``jittered``: how far stains are moved, see
        :func:`smearlab.learn.transforms.colour.stain_jitter`.

    Raises
    ------
    UsageError
        If one is negative.
    """

    cycle: float = 10.0
    identity: float = 5.0
    l1: float = 100.0
    jitter: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0:
                raise UsageError(f"{name} must be at least 0; received {value}")


@dataclass(frozen=True)
class StainRecipe:
    """A network that gives pictures another stain, of a paper or ours, as data.

    Parameters
    ----------
    name, title : str
    source : str
        The paper, or what the recipe is for.
    learning : {"unpaired", "jittered", "taught"}
    network : StainUNetConfig, StainResNetConfig or StainNetConfig
        Of each way.
    critic : PatchCriticConfig or None
        Of each stain; of pairs where it learns ``jittered``; None where it is ``taught``.
    data : PictureData
    stains : (str, str)
        Stains A and B: values of the manifest's ``source``.
    view : PictureViewConfig
    train : AdversarialConfig or TrainConfig
        The first with a critic, the second without.
    weights : StainWeights
    loss : Upscaling
        Where it is taught.
    settle : float
        Share of the steps after which instance norms go by their running statistics, in [0, 1];
        see :mod:`smearlab.learn.nn.settling_norm`.
    same_ground : bool
        Whether pictures are put on one ground before a network sees them, in training and in use:
        the median of those of their stain that it learns from. One that is taught does as its
        teacher does.
    judged, judged_px : int
        Pictures of each stain that figures are made of, at most, and their side, px: the middle
        of the pictures as finely as an unchanged view shows it. At least 1 and 11.
    reported : mapping
        The paper's figures, with table or page.
    deviations : tuple of str
        Where the recipe departs from the paper, and why.

    Raises
    ------
    UnknownNameError
        If there is no such way of learning.
    UsageError
        If the parts do not go together, or a number lies outside its range.
    """

    name: str
    title: str
    source: str
    learning: Learning
    network: StainConfig
    critic: PatchCriticConfig | None
    data: PictureData
    stains: tuple[str, str]
    view: PictureViewConfig
    train: AdversarialConfig | TrainConfig
    weights: StainWeights = field(default_factory=StainWeights)
    loss: Upscaling = field(default_factory=lambda: Upscaling("l1"))
    settle: float = 0.5
    same_ground: bool = False
    judged: int = 128
    judged_px: int = 96
    reported: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.learning not in get_args(Learning):
            raise UnknownNameError("way of learning", str(self.learning), get_args(Learning))
        played = self.learning != "taught"
        if played != (self.critic is not None) or played != isinstance(
            self.train, AdversarialConfig
        ):
            raise UsageError(
                f"{self.name}: a network that is {self.learning} "
                f"{'needs' if played else 'has no'} critic and AdversarialConfig; received "
                f"{type(self.critic).__name__} and {type(self.train).__name__}"
            )
        if self.data.folds or self.data.train_on or self.data.test_on:
            raise UsageError(
                f"{self.name} learns from the training parts of two stains, which --from and --to "
                "name: data.folds, data.train_on and data.test_on do not go with that"
            )
        if not 0 <= self.settle <= 1:
            raise UsageError(f"settle must lie within [0, 1]; received {self.settle}")
        for key, value, least in (("judged", self.judged, 1), ("judged_px", self.judged_px, 11)):
            if value < least:
                raise UsageError(f"{key} must be at least {least}; received {value}")

    @property
    def judged_view(self) -> PictureViewConfig:
        """The view that figures are made of."""
        crop = self.view.crop_px
        wide = None if crop is None else round(crop * self.judged_px / self.view.size_px)
        return replace(self.view, size_px=self.judged_px, crop_px=wide)

    def with_settings(
        self, settings: Sequence[str] = (), stains: tuple[str | None, str | None] = (None, None)
    ) -> StainRecipe:
        """The recipe with settings changed, whose sizes then go together.

        Parameters
        ----------
        settings : sequence of str
            As ``view.size_px=128``, ``judged=64``, ``settle=0.7`` or ``same_ground=False``; parts
            are ``network``, ``data``, ``view``, ``train``, ``weights``, and ``critic`` or
            ``loss``. See :func:`smearlab.learn.recipe.override`.
        stains : (str or None, str or None)
            Other stains A and B; None keeps the recipe's.

        Raises
        ------
        UnknownNameError
            If a part or a key does not exist.
        UsageError
            If a value does not fit, sizes do not go together, or both stains are one.
        """
        own = [one for one in settings if "." not in one.partition("=")[0]]
        parts = ["network", "data", "view", "train", "weights"]
        parts += ["critic"] if self.critic else ["loss"]
        recipe = override(self, [one for one in settings if one not in own], parts)
        recipe = replace(recipe, **dict(_own(one) for one in own))
        a, b = (new or old for new, old in zip(stains, self.stains, strict=True))
        if a == b:
            raise UsageError(f"stains A and B are both {a}: name two with --from and --to")
        recipe = replace(recipe, stains=(a, b))
        step = recipe.network.multiple_px
        for key, side in (("view.size_px", recipe.view.size_px), ("judged_px", recipe.judged_px)):
            if side % step:
                raise UsageError(
                    f"{key} must be a multiple of {step} px for this network; received {side}"
                )
        least = 1 if recipe.critic is None else recipe.critic.least_px
        if recipe.view.size_px < least:
            raise UsageError(
                f"view.size_px must be at least {least} px for this critic; received "
                f"{recipe.view.size_px}"
            )
        return recipe


def _truth(text: str) -> bool:
    if text not in ("True", "False"):
        raise ValueError(text)
    return text == "True"


#: Keys of the recipe itself that can be set, how they are read, and what they are.
_OWN: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "settle": (float, "a number"),
    "judged": (int, "a whole number"),
    "judged_px": (int, "a whole number"),
    "same_ground": (_truth, "True or False"),
}


def _own(setting: str) -> tuple[str, Any]:
    key, _, text = setting.partition("=")
    if key not in _OWN:
        raise UnknownNameError("setting", key, [*_OWN, "view.…", "train.…", "network.…"])
    read, kind = _OWN[key]
    try:
        return key, read(text)
    except ValueError:
        raise UsageError(f"{key} must be {kind}; received {setting!r}") from None
