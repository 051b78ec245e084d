"""The trained network that another one learns a stain from: a bundle, or a run that holds one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import BundleError, UsageError
from smearlab.io.bundles import Bundle, find_bundle, read_card
from smearlab.learn.stain_record import is_stain_run

Pictures = NDArray[np.uint8]
_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class StainTeacher:
    """Answers of a stain bundle.

    Parameters
    ----------
    bundle : Bundle
        Of the kind ``stain``.
    """

    bundle: Bundle

    @classmethod
    def load(cls, named: str, stains: tuple[str, str], sides_px: tuple[int, ...]) -> StainTeacher:
        """Open one.

        Parameters
        ----------
        named : str
            Folder of a bundle, name of one in ``$SMEARLAB_MODELS``, or folder of a run with its
            bundles.
        stains : (str, str)
            From and to: the bundle must lead the same way.
        sides_px : tuple of int
            Sides of the pictures that it will be asked.

        Raises
        ------
        BundleError, UnknownNameError
            If there is no such bundle, or it is damaged.
        UsageError
            If it leads another way, or does not take pictures of such sides.
        """
        if is_stain_run(Path(named)):
            named = str(_bundle_of(Path(named), stains))
        bundle = Bundle(find_bundle("stain", named), "stain")
        leads = (str(bundle.card["from"]), str(bundle.card["to"]))
        if leads != stains:
            raise UsageError(
                f"teacher {bundle.name} leads from {leads[0]} to {leads[1]}, and {stains[0]} to "
                f"{stains[1]} shall be learned: name another bundle, or these stains with --from "
                "and --to"
            )
        step = int(bundle.card["multiple_px"])
        wrong = [side for side in sides_px if side % step]
        if wrong:
            raise UsageError(
                f"teacher {bundle.name} takes sides that are multiples of {step} px; received "
                f"{wrong[0]}: set view.size_px and judged_px"
            )
        return cls(bundle)

    @property
    def ground(self) -> list[float] | None:
        """The ground that it wants pictures on, 0-255; None where they keep their own."""
        ground: list[float] | None = self.bundle.card.get("ground")
        return ground

    @property
    def facts(self) -> dict[str, str]:
        """Name and checksum."""
        return {"name": self.bundle.name, "sha256": self.bundle.sha256}

    def __call__(self, pictures: Pictures) -> Pictures:
        """uint8 (N, H, W, 3) → the same in the other stain."""
        parts = [
            self.bundle.run(pixels=np.ascontiguousarray(pictures[start : start + _AT_ONCE]))
            for start in range(0, len(pictures), _AT_ONCE)
        ]
        return np.asarray(np.concatenate([part["normalised"] for part in parts]), np.uint8)


def _bundle_of(run: Path, stains: tuple[str, str]) -> Path:
    """The bundle of a run that leads from the first stain to the second."""
    for card in sorted(run.glob("bundle/*/card.json")):
        told = read_card(card.parent, "stain")
        if (told["from"], told["to"]) == stains:
            return card.parent
    raise BundleError(
        f"{run} holds no bundle from {stains[0]} to {stains[1]}: make it with smearlab export {run}"
    )
