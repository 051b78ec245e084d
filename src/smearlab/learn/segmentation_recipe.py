"""What a recipe that segments one element is: data that names the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from smearlab.datasets.pair_files import TRUTHS
from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.classifier_recipe import Protocol
from smearlab.learn.models.rwp_discriminator import RWPDiscriminatorConfig
from smearlab.learn.models.rwp_generator import RWPGeneratorConfig
from smearlab.learn.models.unet import UNetConfig
from smearlab.learn.recipe import override
from smearlab.learn.train.adversarial_config import AdversarialConfig
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.pair_views import PairViewConfig
from smearlab.types import Element


@dataclass(frozen=True)
class PairData:
    """Which pairs a segmenter learns from.

    Parameters
    ----------
    truths : tuple of {"mask", "boxes"}
        Targets drawn by people, and those made from boxes by classical segmentation.
    simulated : int
        Simulated fields that are learnt from besides; at least 0.
    per_picture : int
        Samples of a picture in an epoch, at least 1.
    judged_tiles : int
        Tiles of held-out pictures that an epoch is judged by at most, at least 1.
    seed : int
        Of what is drawn and simulated.

    Raises
    ------
    UsageError
        If a number is too small, or no kind of target is named.
    UnknownNameError
        If a kind of target is unknown.
    """

    truths: tuple[str, ...] = ("mask", "boxes")
    simulated: int = 0
    per_picture: int = 8
    judged_tiles: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        for name in self.truths:
            if name not in TRUTHS[:2]:
                raise UnknownNameError("kind of target", name, TRUTHS[:2])
        if not self.truths:
            raise UsageError(f"truths must name {' or '.join(TRUTHS[:2])}, or both; it is empty")
        for name, least in (("simulated", 0), ("per_picture", 1), ("judged_tiles", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} must be at least {least}; received {getattr(self, name)}")


@dataclass(frozen=True)
class LossWeights:
    """What the parts of the loss count.

    Parameters
    ----------
    l1 : float
        λ of the difference to the target, beside the adversarial loss; at least 0.
    element : float
        Of the difference on the element's pixels alone, beside the adversarial loss, at least 0;
        it falls with the learning rates.
    dice : float
        Of Dice beside cross-entropy, without a critic; at least 0.

    Raises
    ------
    UsageError
        If a weight is negative.
    """

    l1: float = 100.0
    element: float = 0.0
    dice: float = 1.0

    def __post_init__(self) -> None:
        for name in ("l1", "element", "dice"):
            if not getattr(self, name) >= 0:
                raise UsageError(f"{name} must be at least 0; received {getattr(self, name)}")


@dataclass(frozen=True)
class SegmentationRecipe:
    """A network for each element, of a paper or ours, as data.

    Parameters
    ----------
    name, title : str
    source : str
        The paper, or what the recipe is for.
    network : RWPGeneratorConfig or UNetConfig
        A generator plays against ``critic``; a U-Net learns by cross-entropy and Dice.
    critic : RWPDiscriminatorConfig or None
        None with a U-Net.
    view, honest_view : PairViewConfig
        How samples are drawn in the paper's protocol, and in the honest one.
    train : AdversarialConfig or TrainConfig
        The first with a critic, the second without.
    epochs : mapping of str to int
        Of each element.
    weights : LossWeights
    data : PairData
    watershed : mapping of str to mapping
        Element → how its cells are told apart in an exported bundle, see
        :func:`smearlab.instances.watershed.split_touching`; px of the network's scale.
    reported : mapping
        The paper's figures, with table or page.
    deviations, honest_deviations : tuple of str
        Where the recipe departs from the paper, and why; where the honest protocol does, besides.

    Raises
    ------
    UsageError
        If network, critic and way of training do not go together.
    """

    name: str
    title: str
    source: str
    network: RWPGeneratorConfig | UNetConfig
    critic: RWPDiscriminatorConfig | None
    view: PairViewConfig
    honest_view: PairViewConfig
    train: AdversarialConfig | TrainConfig
    epochs: Mapping[Element, int]
    weights: LossWeights = field(default_factory=LossWeights)
    data: PairData = field(default_factory=PairData)
    watershed: Mapping[Element, Mapping[str, float]] = field(default_factory=dict)
    reported: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    honest_deviations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        played = (
            isinstance(self.network, RWPGeneratorConfig),
            self.critic is not None,
            isinstance(self.train, AdversarialConfig),
        )
        if len(set(played)) > 1:
            raise UsageError(
                f"{self.name}: a generator has a critic and an AdversarialConfig, a U-Net has "
                f"neither; received {type(self.network).__name__}, {type(self.critic).__name__}, "
                f"{type(self.train).__name__}"
            )

    def asked_for(
        self, element: Element, protocol: Protocol, settings: Sequence[str] = ()
    ) -> SegmentationRecipe:
        """The recipe of one element under a protocol, with settings changed.

        Parameters
        ----------
        element : {"RBC", "WBC", "PLT"}
        protocol : {"paper", "honest"}
        settings : sequence of str
            As ``train.lr_generator=1e-4``; parts are ``network``, ``critic``, ``view``,
            ``train``, ``weights`` and ``data``. See :func:`smearlab.learn.recipe.override`.

        Raises
        ------
        UnknownNameError
            If a part or a key does not exist.
        UsageError
            If a value does not fit, or views are of another size than the network's pictures.
        """
        view, said = self.view, self.deviations
        if protocol == "honest":
            view, said = self.honest_view, (*said, *self.honest_deviations)
        train = replace(self.train, epochs=self.epochs[element])
        parts = ["network", "view", "train", "weights", "data"]
        parts += ["critic"] if self.critic else []
        asked = replace(self, view=view, train=train, deviations=said, honest_deviations=())
        recipe = override(asked, settings, parts)
        recipe.refuse_wrong_size()
        return recipe

    def refuse_wrong_size(self) -> None:
        """Views have the size of the network's pictures.

        Raises
        ------
        UsageError
            If they have not.
        """
        size, network = self.view.size, self.network
        if isinstance(network, RWPGeneratorConfig) and size != network.input_px:
            raise UsageError(
                f"view.size is {size} and network.input_px {network.input_px}: set both alike"
            )
        if isinstance(network, UNetConfig) and size % network.stride:
            raise UsageError(
                f"view.size must be a multiple of {network.stride} for this U-Net; received {size}"
            )
