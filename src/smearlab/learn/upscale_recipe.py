"""What a recipe that makes pictures larger is: data that names the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smearlab.errors import UsageError
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.models.content_features import ContentConfig
from smearlab.learn.models.srgan import SRGANDiscriminatorConfig, SRGANGeneratorConfig
from smearlab.learn.objectives import Upscaling
from smearlab.learn.recipe import override
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.upscale_views import UpscaleViewConfig


@dataclass(frozen=True)
class UpscaleWeights:
    """What the parts of SRGAN's loss count.

    Parameters
    ----------
    content, adversarial, pixels : float
        See :class:`smearlab.learn.games.super_resolution.SuperResolution`; at least 0.

    Raises
    ------
    UsageError
        If one is negative.
    """

    content: float = 1.0
    adversarial: float = 1e-3
    pixels: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0:
                raise UsageError(f"{name} must be at least 0; received {value}")


@dataclass(frozen=True)
class UpscaleRecipe:
    """A network that makes pictures larger, of a paper or ours, as data.

    Parameters
    ----------
    name, title : str
    source : str
        The paper, or what the recipe is for.
    network : SRGANGeneratorConfig
    critic : SRGANDiscriminatorConfig or None
        None for a network that learns by the difference of pixels alone (SRResNet).
    data : PictureData
    view : UpscaleViewConfig
    train : AdversarialConfig or TrainConfig
        The first with a critic, the second without.
    content : ContentConfig
        Which features the content loss compares, with a critic.
    weights : UpscaleWeights
        With a critic.
    loss : Upscaling
        Without one.
    per_type : bool
        Whether each type has a network of its own, asked for with ``--type``.
    judged : int
        Validation pictures that an epoch is judged by at most, at least 1.
    reported : mapping
        The paper's figures, with table or page.
    deviations : tuple of str
        Where the recipe departs from the paper, and why.

    Raises
    ------
    UsageError
        If critic and way of training do not go together.
    """

    name: str
    title: str
    source: str
    network: SRGANGeneratorConfig
    critic: SRGANDiscriminatorConfig | None
    data: PictureData
    view: UpscaleViewConfig
    train: AdversarialConfig | TrainConfig
    content: ContentConfig = field(default_factory=ContentConfig)
    weights: UpscaleWeights = field(default_factory=UpscaleWeights)
    loss: Upscaling = field(default_factory=Upscaling)
    per_type: bool = False
    judged: int = 64
    reported: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.critic is not None) != isinstance(self.train, AdversarialConfig):
            raise UsageError(
                f"{self.name}: a critic and an AdversarialConfig go together; received "
                f"{type(self.critic).__name__} and {type(self.train).__name__}"
            )
        if self.judged < 1:
            raise UsageError(f"judged must be at least 1; received {self.judged}")

    def with_settings(self, settings: Sequence[str] = ()) -> UpscaleRecipe:
        """The recipe with settings changed, whose sizes then go together.

        Parameters
        ----------
        settings : sequence of str
            As ``view.patch_px=64``; parts are ``network``, ``critic``, ``data``, ``view``,
            ``train``, ``content``, ``weights`` and ``loss``, as far as the recipe has them. See
            :func:`smearlab.learn.recipe.override`.

        Raises
        ------
        UnknownNameError
            If a part or a key does not exist.
        UsageError
            If a value does not fit, or sizes do not go together.
        """
        parts = ["network", "data", "view", "train"]
        parts += ["critic", "content", "weights"] if self.critic else ["loss"]
        recipe = override(self, settings, parts)
        recipe.view.refuse_factor(recipe.network.factor)
        patch, critic = recipe.view.learned_px, recipe.critic
        if critic is not None and critic.input_px != patch:
            raise UsageError(
                f"pictures of {patch} px are learned from (view.patch_px, or view.high_px) and "
                f"critic.input_px is {critic.input_px}: set both alike"
            )
        return recipe
