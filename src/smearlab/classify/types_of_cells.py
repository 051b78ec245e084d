"""Types for cells: crops through the classifier, and what the segmenter already knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import BundleError
from smearlab.io.bundles import Bundle
from smearlab.preprocess.contrast import equalise
from smearlab.preprocess.crops import crop_cell
from smearlab.types import CELL_TYPES, ELEMENT_OF_TYPE, UNIDENTIFIED, Element

#: Cells in one call of the network: bounds memory.
BATCH = 32
_NUCLEATED = tuple(name for name in CELL_TYPES if ELEMENT_OF_TYPE.get(name) == "WBC")


class Classifier:
    """Runs a classifier bundle on cells of a field.

    Parameters
    ----------
    bundle : Bundle
        Of kind ``classifier``.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.classes: tuple[str, ...] = tuple(bundle.card["classes"])
        self.threshold = float(bundle.card["threshold"])

    def probabilities(
        self, pixels: NDArray[np.uint8], boxes: Sequence[Sequence[float]]
    ) -> NDArray[np.float32]:
        """Type probabilities of cells.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (H, W, 3)
            The field.
        boxes : sequence of (x0, y0, x1, y1)
            N boxes, field px.

        Returns
        -------
        ndarray of float32, shape (N, K)
            Over ``self.classes``; each row sums to 1.

        Raises
        ------
        BundleError
            If the network does not give one row of K for each cell.
        """
        answers = [np.empty((0, len(self.classes)), np.float32)]
        for start in range(0, len(boxes), BATCH):
            crops = np.stack([self._crop(pixels, box) for box in boxes[start : start + BATCH]])
            rows = self.bundle.run(pixels=crops)["probabilities"]
            if rows.shape != (len(crops), len(self.classes)):
                raise BundleError(
                    f"bundle {self.bundle.name!r} gives probabilities of shape {rows.shape} for "
                    f"{len(crops)} cells; its card promises {len(self.classes)} for each"
                )
            answers.append(rows)
        return np.concatenate(answers)

    def _crop(self, pixels: NDArray[np.uint8], box: Sequence[float]) -> NDArray[np.uint8]:
        """A cell as the network was shown cells."""
        card = self.bundle.card
        crop = crop_cell(pixels, box, card["input_px"], card["context"])
        return equalise(crop, **card["clahe"]) if card.get("clahe") else crop

    def decide(self, probabilities: NDArray[np.float32]) -> tuple[str, float, dict[str, float]]:
        """Type, confidence and probability per type of one cell.

        Parameters
        ----------
        probabilities : ndarray of float32, shape (K,)
            Over ``self.classes``.

        Returns
        -------
        type : str
            The most probable; ``unidentified`` when that is below the card's threshold.
        confidence : float
            Of the most probable type.
        probabilities : dict of str to float
        """
        shares = dict(zip(self.classes, probabilities.astype(float).tolist(), strict=True))
        best = max(shares, key=shares.__getitem__)
        confidence = shares[best]
        return (best if confidence >= self.threshold else UNIDENTIFIED), confidence, shares


def from_shares(
    element: Element, shares: Mapping[Element, float]
) -> tuple[str, float, dict[str, float]]:
    """Type of a red cell or platelet, as far as the segmenter tells the elements apart.

    The share of nucleated cells is spread evenly over their types, about which the segmenter
    says nothing.

    Parameters
    ----------
    element : {"RBC", "PLT"}
        What the cell was found as; no other element has a larger share.
    shares : mapping of str to float
        Element → share; sums to 1.

    Returns
    -------
    type : str
    confidence : float
    probabilities : dict
        Per type; sums to 1.
    """
    probabilities = {"erythrocyte": shares["RBC"], "platelet": shares["PLT"]}
    probabilities |= {name: shares["WBC"] / len(_NUCLEATED) for name in _NUCLEATED}
    best = "erythrocyte" if element == "RBC" else "platelet"
    return best, probabilities[best], probabilities
