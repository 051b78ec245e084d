"""Bundles: a network as ONNX with its preprocessing inside, and the card that describes it.

A bundle is a folder with ``model.onnx`` and ``card.json``. Contracts, by kind:

``segmenter``
    Input ``pixels``: uint8 ``(1, H, W, 3)`` sRGB, sides multiples of the card's ``stride``.
    Output ``classes``: float32 ``(1, H/m, W/m, K)``, probabilities of the card's ``classes`` with
    ``background`` first, ``m`` = ``map_step``. With ``"decoder": "centres"`` also ``heat``: float32
    ``(1, H/g, W/g, E)`` in [0, 1], ``g`` = ``grid_step``, and ``sides``: float32
    ``(1, H/g, W/g, 4)``, px from the middle of the step to left, top, right and bottom.
``classifier``
    Input ``pixels``: uint8 ``(N, S, S, 3)`` sRGB crops, ``S`` = ``input_px``. Output
    ``probabilities``: float32 ``(N, K)`` over the card's ``classes``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.errors import BundleError
from smearlab.registry import SHIPPED_BUNDLES, look_up

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "segmenter": ("classes", "stride", "context_px", "map_step", "decoder", "cell_diameter_px"),
    "classifier": ("classes", "input_px", "context", "threshold"),
}
_SHIPPED = Path(__file__).resolve().parent.parent / "bundles"


class Bundle:
    """A network ready to run. Thread-safe: one bundle serves all workers.

    Parameters
    ----------
    folder : Path
        Holds ``model.onnx`` and ``card.json``.
    kind : str
        ``"segmenter"`` or ``"classifier"``.
    threads : int
        Threads of one call.

    Raises
    ------
    BundleError
        If a file is missing, the checksum differs, or the card does not keep the contract.
    """

    def __init__(self, folder: Path, kind: str, threads: int = 1) -> None:
        self.folder = folder
        self.card = read_card(folder, kind)
        model = folder / "model.onnx"
        try:
            data = model.read_bytes()
        except OSError as error:
            raise BundleError(f"{model} cannot be read ({error.strerror}): reinstall") from error
        self.sha256 = hashlib.sha256(data).hexdigest()
        if self.sha256 != self.card["sha256"]:
            raise BundleError(
                f"{model} has sha256 {self.sha256}, its card says {self.card['sha256']}: the file "
                "is damaged or was exchanged; restore the bundle"
            )
        self._session = _open(data, threads, model)

    @property
    def name(self) -> str:
        """Name on the card."""
        return str(self.card["name"])

    def run(self, **inputs: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Run the network: named arrays in, named arrays out."""
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(names, inputs), strict=True))


def read_card(folder: Path, kind: str) -> dict[str, Any]:
    """Read and check ``card.json``.

    Raises
    ------
    BundleError
        If it is missing, is not JSON, is of another kind, or lacks a key.
    """
    path = folder / "card.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(
            f"{folder} is no bundle: {path.name} cannot be read ({error.strerror}); a bundle is a "
            "folder with model.onnx and card.json"
        ) from error
    except ValueError as error:
        raise BundleError(f"{path} is not valid JSON ({error}); restore the bundle") from error
    if not isinstance(card, dict) or card.get("kind") != kind:
        found = card.get("kind") if isinstance(card, dict) else type(card).__name__
        raise BundleError(f"{folder} is a bundle of kind {found!r}; a {kind} is needed here")
    missing = [key for key in ("name", "sha256", *_REQUIRED[kind]) if key not in card]
    if missing:
        raise BundleError(f"{path} lacks {', '.join(missing)}; export the bundle again")
    return card


def find_bundle(kind: str, name: str) -> Path:
    """Folder of a shipped bundle by name, or the folder that ``name`` is a path to."""
    if ("/" in name or "\\" in name or Path(name).is_dir()) and Path(name).exists():
        return Path(name)
    return _SHIPPED / look_up(f"{kind} bundle", SHIPPED_BUNDLES[kind], name)


def _open(data: bytes, threads: int, path: Path) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no public base class
        raise BundleError(f"{path} is not a model that ONNX Runtime opens: {error}") from error
