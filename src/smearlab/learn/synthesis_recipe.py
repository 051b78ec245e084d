"""What a recipe that makes pictures of cells is: data that names the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.models.c_wgan_gp import ResidualCriticConfig, ResidualGeneratorConfig
from smearlab.learn.models.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from smearlab.learn.models.fast_generator import TypedFastConfig
from smearlab.learn.recipe import override
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.transforms.picture_views import PictureViewConfig

#: ``typed``: generator and critic know the type, or there is one; ``auxiliary``: the critic says
#: it; ``classifier``: a third network does; ``codes``: an ally reads codes that nobody named.
SynthesisGame = Literal["typed", "auxiliary", "classifier", "codes"]
_NETWORKS = ("generator", "critic", "teacher")


@dataclass(frozen=True)
class TeachingWeights:
    """What the generator's losses beside the adversarial one count.

    Parameters
    ----------
    types : float
        Of the cross-entropy of types, in the games ``auxiliary`` and ``classifier``; at least 0.
    information : float
        Of what cannot be read of the codes, in the game ``codes``; at least 0.

    Raises
    ------
    UsageError
        If one is negative.
    """

    types: float = 1.0
    information: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0:
                raise UsageError(f"{name} must be at least 0; received {value}")


@dataclass(frozen=True)
class SynthesisRecipe:
    """A generator of cells and those who teach it, of a paper or ours, as data.

    The numbers of types in the networks are those of the pictures, whatever is written here.

    Parameters
    ----------
    name, title : str
    source : str
        The paper, or what the recipe is for.
    game : {"typed", "auxiliary", "classifier", "codes"}
        See :mod:`smearlab.learn.games.conditional`.
    generator : DCGANGeneratorConfig, ResidualGeneratorConfig or TypedFastConfig
    critic : DCGANDiscriminatorConfig or ResidualCriticConfig
    data : PictureData
        Its training part is learnt from.
    view : PictureViewConfig
    train : AdversarialConfig
    teacher : ResidualCriticConfig or None
        The separate classifier of ``classifier``, the reader of ``codes``; None in other games.
    weights : TeachingWeights
    per_type : bool
        Whether each type has networks of its own, asked for with ``--type``.
    reported : mapping
        The paper's figures, with table or page.
    deviations : tuple of str
        Where the recipe departs from the paper, and why.

    Raises
    ------
    UnknownNameError
        If there is no such game.
    UsageError
        If game and networks do not go together, or the pictures are split into folds.
    """

    name: str
    title: str
    source: str
    game: SynthesisGame
    generator: DCGANGeneratorConfig | ResidualGeneratorConfig | TypedFastConfig
    critic: DCGANDiscriminatorConfig | ResidualCriticConfig
    data: PictureData
    view: PictureViewConfig
    train: AdversarialConfig
    teacher: ResidualCriticConfig | None = None
    weights: TeachingWeights = field(default_factory=TeachingWeights)
    per_type: bool = False
    reported: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.game not in get_args(SynthesisGame):
            raise UnknownNameError("game", str(self.game), get_args(SynthesisGame))
        if (self.teacher is not None) != (self.game in ("classifier", "codes")):
            raise UsageError(
                f"{self.name}: the games classifier and codes have a teacher, others none; the "
                f"game is {self.game}, the teacher {type(self.teacher).__name__}"
            )
        says = getattr(self.critic, "auxiliary", False)
        if says != (self.game == "auxiliary"):
            raise UsageError(
                f"{self.name}: the critic of the game auxiliary says the type (auxiliary=True), "
                f"others do not; the game is {self.game}, auxiliary {says}"
            )
        if self.game == "codes" and getattr(self.critic, "told", "planes") != "nothing":
            raise UsageError(f"{self.name}: in the game codes the critic cannot be told the type")
        if self.per_type and not isinstance(self.generator, DCGANGeneratorConfig):
            raise UsageError(f"{self.name}: only a DCGAN makes a single type")
        if self.data.folds:
            raise UsageError(
                f"{self.name}: a generator learns from one training part; data.folds must be 0, "
                f"received {self.data.folds}"
            )

    def with_settings(self, settings: Sequence[str] = ()) -> SynthesisRecipe:
        """The recipe with settings changed; networks follow the size of the views.

        Parameters
        ----------
        settings : sequence of str
            As ``view.size_px=128``; parts are ``generator``, ``critic``, ``teacher`` if there is
            one, ``data``, ``view``, ``train`` and ``weights``. See
            :func:`smearlab.learn.recipe.override`.

        Raises
        ------
        UnknownNameError
            If a part or a key does not exist.
        UsageError
            If a value does not fit, or a network was given another size than the views.
        """
        parts = ["generator", "critic", "data", "view", "train", "weights"]
        parts += ["teacher"] if self.teacher else []
        of_views = [one for one in settings if one.startswith("view.")]
        viewed = override(self, of_views, parts)
        # Smaller pictures let go of layers, larger ones need more: sizes go before or after.
        begun = viewed._resized(strict=False)
        others = [one for one in settings if not one.startswith("view.")]
        recipe = override(begun, others, parts)
        for part in _NETWORKS:
            before, now = getattr(begun, part), getattr(recipe, part)
            if now is not None and now.size_px not in (before.size_px, recipe.view.size_px):
                raise UsageError(
                    f"{part}.size_px is {now.size_px} and view.size_px {recipe.view.size_px}: set "
                    "view.size_px alone, which networks follow"
                )
        return recipe._resized(strict=True)

    def _resized(self, *, strict: bool) -> SynthesisRecipe:
        """With networks of the views' size; not strict: those that can be."""
        sizes: dict[str, Any] = {}
        for part in _NETWORKS:
            if getattr(self, part) is None:
                continue
            try:
                sizes[part] = replace(getattr(self, part), size_px=self.view.size_px)
            except UsageError:
                if strict:
                    raise
        return replace(self, **sizes)

    def for_types(self, number: int) -> SynthesisRecipe:
        """The recipe with networks for so many types.

        Raises
        ------
        UsageError
            If the networks do not make so many.
        """
        sizes = {
            part: replace(getattr(self, part), classes=number)
            for part in _NETWORKS
            if getattr(self, part) is not None
        }
        return replace(self, **sizes)
