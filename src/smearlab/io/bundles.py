"""Bundles: a network as ONNX with its preprocessing inside, and the card that describes it.

A bundle is a folder with ``model.onnx`` and ``card.json``. Contracts, by kind:

``segmenter``
    Input ``pixels``: uint8 ``(1, H, W, 3)`` sRGB, sides multiples of the card's ``stride``.
    Output ``classes``: float32 ``(1, H/m, W/m, K)``, probabilities of the card's ``classes`` with
    ``background`` first, ``m`` = ``map_step``. With ``"decoder": "centres"`` the classes are
    ``background``, ``RBC``, ``WBC``, ``PLT``, and there are also ``heat``: float32
    ``(1, H/g, W/g, 3)`` in [0, 1], ``g`` = ``grid_step``, and ``sides``: float32
    ``(1, H/g, W/g, 4)``, px from the middle of the step to left, top, right and bottom.
    With ``presence`` on the card, an element's heat becomes the probability that people count the
    cell (:class:`smearlab.instances.presence.Presence`).
``classifier``
    Input ``pixels``: uint8 ``(N, S, S, 3)`` sRGB crops, ``S`` = ``input_px``. Output
    ``probabilities``: float32 ``(N, K)`` over the card's ``classes``. With ``clahe`` on the card,
    crops are equalised before they are given.
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
from smearlab.types import CELL_TYPES, ELEMENTS, UNIDENTIFIED

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "segmenter": ("classes", "stride", "context_px", "map_step", "decoder", "cell_diameter_px"),
    "classifier": ("classes", "input_px", "context", "threshold"),
}
#: What the card of a segmenter needs besides, by its decoder.
_REQUIRED_BY_DECODER: Mapping[str, tuple[str, ...]] = {
    "centres": ("grid_step", "suppress"),
    "watershed": (),
}
#: Of a segmenter that takes fields of any size.
_REQUIRED_FOR_SCALE = ("first_look_px", "cell_diameter_range_px")
_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "centres": ("classes", "heat", "sides"),
    "watershed": ("classes",),
    "classifier": ("probabilities",),
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
        If a file is missing, the checksum differs, or card or network do not keep the contract.
    """

    def __init__(self, folder: Path, kind: str, threads: int = 1) -> None:
        self.folder = folder
        self.card = read_card(folder, kind)
        model = folder / "model.onnx"
        try:
            data = model.read_bytes()
        except OSError as error:
            raise BundleError(
                f"{model} cannot be read ({error.strerror}); restore the bundle"
            ) from error
        self.sha256 = hashlib.sha256(data).hexdigest()
        if self.sha256 != self.card["sha256"]:
            raise BundleError(
                f"{model} has sha256 {self.sha256}, its card says {self.card['sha256']}: the file "
                "is damaged or was exchanged; restore the bundle"
            )
        self._session = _open(data, threads, model)
        self._outputs = _check_network(self._session, self.card, model)

    @property
    def name(self) -> str:
        """Name on the card."""
        return str(self.card["name"])

    def run(self, **inputs: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Run the network: named arrays in, named arrays out.

        Parameters
        ----------
        **inputs : ndarray
            As the contract of the bundle's kind asks.

        Returns
        -------
        dict of str to ndarray of float32

        Raises
        ------
        BundleError
            If the network fails on these inputs.
        """
        try:
            answers = self._session.run(self._outputs, inputs)
        except MemoryError:
            raise
        except Exception as error:  # ONNX Runtime's errors share no public base class
            shapes = ", ".join(
                f"{name} {value.dtype} {value.shape}" for name, value in inputs.items()
            )
            raise BundleError(f"bundle {self.name!r} failed on {shapes}: {error}") from error
        return dict(zip(self._outputs, answers, strict=True))


def read_card(folder: Path, kind: str) -> dict[str, Any]:
    """Read and check ``card.json``.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    kind : str
        ``"segmenter"`` or ``"classifier"``.

    Raises
    ------
    BundleError
        If it is missing, is not JSON, is of another kind, lacks a key, or names what the bench
        does not know.
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
    required = ["name", "sha256", *_REQUIRED[kind]]
    if kind == "segmenter":
        required += _REQUIRED_BY_DECODER.get(card.get("decoder", ""), ())
        required += () if "size_px" in card else _REQUIRED_FOR_SCALE
    missing = [key for key in required if key not in card]
    if missing:
        raise BundleError(f"{path} lacks {', '.join(missing)}; export the bundle again")
    _check_words(path, card)
    return card


def find_bundle(kind: str, name: str) -> Path:
    """Folder of a shipped bundle by name, or the folder that ``name`` is a path to.

    Parameters
    ----------
    kind : str
        ``"segmenter"`` or ``"classifier"``.
    name : str
        A name of :data:`~smearlab.registry.SHIPPED_BUNDLES` comes first; a folder of the same
        name is reached as ``./name``.

    Raises
    ------
    BundleError
        If it is a path, and no folder is there.
    UnknownNameError
        If it is neither; the message lists the names.
    """
    shipped = SHIPPED_BUNDLES[kind]
    if name not in shipped:
        if Path(name).is_dir():
            return Path(name)
        if "/" in name or "\\" in name:
            raise BundleError(
                f"there is no {kind} bundle {name}: no such folder; give a folder with model.onnx "
                f"and card.json, or a name: {', '.join(sorted(shipped))}"
            )
    return _SHIPPED / look_up(f"{kind} bundle", shipped, name)


def _check_words(path: Path, card: Mapping[str, Any]) -> None:
    """The card's decoder, classes and steps are such as the bench understands."""
    if card["kind"] == "classifier":
        strange = [name for name in card["classes"] if name not in CELL_TYPES[:-1]]
        if strange or len(set(card["classes"])) != len(card["classes"]):
            raise BundleError(
                f"{path} lists the classes {card['classes']}; each must be one of "
                f"{', '.join(CELL_TYPES[:-1])}, once ({UNIDENTIFIED} comes from the threshold)"
            )
        return
    if card["decoder"] not in _REQUIRED_BY_DECODER:
        raise BundleError(
            f"decoder {card['decoder']!r} of {path} is unknown; known: "
            f"{', '.join(_REQUIRED_BY_DECODER)}"
        )
    wanted = ["background", *ELEMENTS] if card["decoder"] == "centres" else ["background"]
    if list(card["classes"])[: len(wanted)] != wanted or len(card["classes"]) < 2:
        raise BundleError(
            f"{path} lists the classes {card['classes']}; they must begin with "
            f"{', '.join(wanted)}, in this order"
        )
    for name in ("stride", "map_step", "grid_step"):
        step = card.get(name, 1)
        if not isinstance(step, int) or step < 1 or card["stride"] % step:
            raise BundleError(
                f"{path}: {name} is {step!r}; it must be a whole number from 1 on that divides "
                f"the stride, {card['stride']!r}"
            )


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


def _check_network(session: Any, card: Mapping[str, Any], path: Path) -> list[str]:
    """Names of the outputs the contract asks for, once the network is seen to have them."""
    inputs = {entry.name: entry.type for entry in session.get_inputs()}
    if inputs != {"pixels": "tensor(uint8)"}:
        raise BundleError(f"{path} takes {inputs}; the contract is one uint8 input, pixels")
    outputs = {entry.name: entry.shape for entry in session.get_outputs()}
    wanted = _OUTPUTS[card.get("decoder", card["kind"])]
    missing = [name for name in wanted if name not in outputs]
    if missing:
        raise BundleError(
            f"{path} gives {', '.join(outputs)}; its kind also needs {', '.join(missing)}"
        )
    first = wanted[0]
    channels = outputs[first][-1] if outputs[first] else None
    if isinstance(channels, int) and channels != len(card["classes"]):
        raise BundleError(
            f"{path} gives {channels} channels of {first} but its card lists "
            f"{len(card['classes'])} classes; export the bundle again"
        )
    return list(wanted)
