"""What a network sees in pictures, as numbers: the ground of every figure about synthesis."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.errors import BundleError
from smearlab.io.bundles import Bundle, find_bundle
from smearlab.io.network_outputs import feature_name, with_output
from smearlab.preprocess.contrast import equalise

Pictures = NDArray[np.uint8]
#: Pictures in one call of a network: bounds memory.
BATCH = 32


class Features(Protocol):
    """A network that makes features of pictures.

    Attributes
    ----------
    name : str
        What every figure made of them is to be called by.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, pictures: Pictures) -> NDArray[np.float64]:
        """uint8 ``(N, H, W, 3)`` sRGB → float64 ``(N, D)``."""
        ...


@runtime_checkable
class TypedFeatures(Features, Protocol):
    """Features of a network that answers types, too."""

    def both(self, pictures: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Features, shape (N, D), and probabilities of the types, shape (N, K)."""
        ...


class BundleFeatures:
    """What the last linear layer of a classifier bundle is given; no torch is needed.

    Parameters
    ----------
    bundle : str
        Name of a classifier bundle that ships, or its folder.
    threads : int
        Threads of one call.

    Raises
    ------
    BundleError
        If the bundle is not sound, or its network does not end in a linear layer.
    UnknownNameError
        If there is no such bundle.
    """

    def __init__(self, bundle: str = "default", threads: int = 1) -> None:
        folder = find_bundle("classifier", bundle)
        # Opened once as it is: that checks card, checksum and contract.
        self._card = Bundle(folder, "classifier", threads).card
        model = (folder / "model.onnx").read_bytes()
        found = feature_name(model)
        if found is None:
            raise BundleError(
                f"{folder} ends in no linear layer, so it has no features to compare pictures by: "
                "take another classifier bundle"
            )
        self._output = found
        self._session = _session(with_output(model, found), threads, folder)
        self.classes: tuple[str, ...] = tuple(self._card["classes"])

    @property
    def name(self) -> str:
        """Name of the bundle and the beginning of its checksum."""
        return f"{self._card['name']}, pooled features (bundle {self._card['sha256'][:12]})"

    def __call__(self, pictures: Pictures) -> NDArray[np.float64]:
        """Features of pictures; see :class:`Features`."""
        return self.both(pictures)[0]

    def probabilities(self, pictures: Pictures) -> NDArray[np.float64]:
        """Probabilities of ``classes``, shape (N, K), for the inception score."""
        return self.both(pictures)[1]

    def both(self, pictures: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Features and probabilities in one pass.

        Parameters
        ----------
        pictures : ndarray of uint8, shape (N, H, W, 3)
            N at least 1. Resized to what the network takes.

        Returns
        -------
        features : ndarray of float64, shape (N, D)
            The mean over the quarter turns, where the network averages over them.
        probabilities : ndarray of float64, shape (N, K)
        """
        side = int(self._card["input_px"])
        features, answers = [], []
        for start in range(0, len(pictures), BATCH):
            crops = np.stack([self._crop(one, side) for one in pictures[start : start + BATCH]])
            seen, answered = self._session.run([self._output, "probabilities"], {"pixels": crops})
            rows = np.asarray(seen, np.float64).reshape(-1, len(crops), seen.shape[-1])
            features.append(rows.mean(0))
            answers.append(np.asarray(answered, np.float64))
        return np.concatenate(features), np.concatenate(answers)

    def _crop(self, picture: Pictures, side: int) -> Pictures:
        crop = resized(picture, side)
        clahe = self._card.get("clahe")
        return equalise(crop, **clahe) if clahe else crop


def resized(picture: Pictures, side: int) -> Pictures:
    """A picture squeezed or stretched to a square: averaged down, or interpolated linearly.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
    side : int
        px.
    """
    if picture.shape[:2] == (side, side):
        return picture
    smaller = min(picture.shape[:2]) >= side
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (side, side), interpolation=how), np.uint8)


def _session(model: bytes, threads: int, folder: Path) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no public base class
        raise BundleError(f"{folder}: its features cannot be had: {error}") from error
