"""What the thesis's pipeline is asked for (Hazra 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from smearlab.errors import UnknownNameError, UsageError
from smearlab.learn.classifier_recipe import PROTOCOLS, Protocol
from smearlab.learn.models.classifiers import CLASSIFIERS
from smearlab.learn.recipes import FEW_SHOT_RECIPES, STAIN_RECIPES, SYNTHESIS_RECIPES
from smearlab.registry import look_up
from smearlab.stain.methods import METHODS

Module = Literal["stain", "cwgan", "fewshot", "ge"]
#: What can be left out, and what that is.
MODULES: Mapping[Module, str] = {
    "stain": "stain normalisation",
    "cwgan": "C-WGAN-GP",
    "fewshot": "few-shot GAN",
    "ge": "gather-excite",
}
#: Classifier → the same one without gather-excite.
WITHOUT_GE = {"senet154_ge": "senet154_fused", "seresnet18_ge": "seresnet18_fused"}


@dataclass(frozen=True)
class HazraConfig:
    """How the pipeline runs.

    Parameters
    ----------
    sources : (str, str)
        Two origins of pictures, values of the manifest's ``source``.
    datasets : tuple of str
        Sets that are read of a folder of public sets; all when empty.
    taxonomy : str
    protocol : {"paper", "honest"}
        ``paper``: each type of the smaller source is normalised, in all parts, as the thesis has
        it, which tells a stain by the label; pictures are split one by one. ``honest``: one source
        is normalised whatever the type, and splits are by source image and near-duplicate group.
    size_px : int
        Side of the pictures that everything works on; at least 16.
    crop_px : int
        Side of the middle square of real pictures that they show; 0 for all.
    rare : mapping of str to int
        Types whose training pictures are cut down to so many, in the place of types that are
        rare by themselves.
    stain : str
        A recipe of :data:`smearlab.learn.recipes.STAIN_RECIPES`, or a method of
        :data:`smearlab.stain.methods.METHODS`.
    many, few : str
        Recipes of the generators of common and of rare types.
    few_below : int
        Types with fewer real training pictures are rare.
    target : int
        Training pictures that each type gets; 0 for those of the largest.
    classifier : str
        One of :data:`smearlab.learn.models.classifiers.CLASSIFIERS`.
    settings : mapping of str to tuple of str
        ``stain``, ``many``, ``few`` and ``classifier`` → settings of their recipes.
    without : tuple of str
        Modules that are left out, of :data:`MODULES`. Where one generator is, the other takes its
        types, as in the thesis's section 4.5; without both nothing is made.
    seed : int

    Raises
    ------
    UnknownNameError
        If a name does not exist.
    UsageError
        If a number is out of range, the sources are one, or gather-excite is to be left out of a
        network that has none.
    """

    sources: tuple[str, str] = ("PBC", "Raabin-WBC")
    datasets: tuple[str, ...] = ("pbc", "txl_pbc")
    taxonomy: str = "cells12"
    protocol: Protocol = "honest"
    size_px: int = 64
    crop_px: int = 200
    rare: Mapping[str, int] = field(default_factory=dict)
    stain: str = "w_cyclegan_gp"
    many: str = "c_wgan_gp"
    few: str = "few_shot_gan"
    few_below: int = 100
    target: int = 0
    classifier: str = "senet154_ge"
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without: tuple[Module, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.sources) != 2 or self.sources[0] == self.sources[1]:
            raise UsageError(f"two different sources are needed; received {self.sources}")
        look_up("protocol", {one: one for one in PROTOCOLS}, self.protocol)
        look_up("stain normaliser", {**STAIN_RECIPES, **METHODS}, self.stain)
        one_way = [name for name, one in STAIN_RECIPES.items() if one.learning != "unpaired"]
        if self.stain in one_way:
            both = [name for name in STAIN_RECIPES if name not in one_way]
            raise UsageError(
                f"{self.stain} leads one way, and which source is normalised follows from the "
                f"pictures: choose {', '.join([*both, *METHODS])}"
            )
        look_up("generator", SYNTHESIS_RECIPES, self.many)
        look_up("few-shot generator", FEW_SHOT_RECIPES, self.few)
        look_up("classifier", CLASSIFIERS, self.classifier)
        for name in self.settings:
            look_up("part", dict.fromkeys(("stain", "many", "few", "classifier")), name)
        for name in self.without:
            if name not in get_args(Module):
                raise UnknownNameError("module", str(name), MODULES)
        for key, value, least in (
            ("size_px", self.size_px, 16), ("crop_px", self.crop_px, 0),
            ("few_below", self.few_below, 0), ("target", self.target, 0), ("seed", self.seed, 0),
        ):  # fmt: skip
            if value < least:
                raise UsageError(f"{key} must be at least {least}; received {value}")
        for name, number in self.rare.items():
            if number < 1:
                raise UsageError(f"rare types keep at least 1 picture; received {name}={number}")
        if "ge" in self.without and self.classifier not in WITHOUT_GE:
            raise UsageError(
                f"{self.classifier} has no gather-excite to leave out; {', '.join(WITHOUT_GE)} have"
            )

    @property
    def network(self) -> str:
        """The classifier that is trained."""
        return WITHOUT_GE[self.classifier] if "ge" in self.without else self.classifier

    def settings_of(self, part: str) -> list[str]:
        """Settings of one of the recipes."""
        return [*self.settings.get(part, ())]
