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
    With ``"decoder": "watershed"`` a class that is an element (RBC, WBC, PLT) gives cells of it;
    cells of any other class are typed by the classifier. The card may also have:

    ``element``
        The one element that the network segments; must be among its classes.
    ``blend``: ``{"tile_px": 256, "overlap_px": 96}``
        The network is given tiles of exactly ``tile_px`` (a multiple of the ``stride``), padded by
        reflection; answers of overlapping tiles are averaged with weights that fall towards the
        tile's edge (:mod:`smearlab.segment.blend`).
    ``segmented``: ``true``
        There is an output ``segmented``: float32 ``(1, H/m, W/m, 3)`` in [0, 1], the element in
        its colours on black (:mod:`smearlab.segment.segmented_picture`).
    ``noise``: ``{"size": 43008, "keep": 0.5}``
        There is an input ``keep``: float32 ``(1, size)``, the factors of the network's dropout.
        Ones switch it off; 0 or 1/keep, drawn at random, are one draw
        (:mod:`smearlab.segment.noise`). Needs ``blend``.

    A field is scaled so that its red cells measure ``cell_diameter_px`` (their size is known from
    the pixel pitch, or measured by the shipped segmenter), or, with ``size_px``, so that its longer
    side has that length.
``classifier``
    Input ``pixels``: uint8 ``(N, S, S, 3)`` sRGB crops, ``S`` = ``input_px``. Output
    ``probabilities``: float32 ``(N, K)`` over the card's ``classes``. With ``clahe`` on the card,
    crops are equalised before they are given.
``generator``
    Inputs ``latent``: float32 ``(N, Z)``, drawn from N(0, 1), ``Z`` = ``latent_size``, and
    ``types``: float32 ``(N, K)``, one-hot over the card's ``classes``. Output ``pixels``: uint8
    ``(N, S, S, 3)`` sRGB, ``S`` = ``size_px``. A picture must not depend on those beside it.
``upscaler``
    Input ``pixels``: uint8 ``(N, H, W, 3)`` sRGB of any size. Output ``upscaled``: uint8
    ``(N, f H, f W, 3)``, ``f`` = the card's ``factor``; pixel (0, 0) of the input covers the first
    ``f`` × ``f`` of the output. No pixel depends on what is further than ``context_px`` px of the
    input away from it, or on the other pictures.
``stain``
    A picture in another stain. Input ``pixels``: uint8 ``(N, H, W, 3)`` sRGB, sides multiples of
    the card's ``multiple_px`` (what is smaller is padded by reflection at the right and the
    bottom). Output ``normalised``: uint8 ``(N, H, W, 3)``, nothing is shifted. No pixel depends on
    what is further than ``context_px`` px away from it, or on the other pictures; so tiles that
    begin at multiples of ``multiple_px``, cut out of windows with that much context, are the
    answer to the whole. ``tile_px`` is the side of a tile's core that suits the network. The card
    names the stains ``from`` and ``to``, and the ``network``; a ``ground``, if it has one, is the
    colour (three numbers of 0 to 255) that the ground of a picture is given before it is asked.
    With ``context_px`` 0 and ``multiple_px`` 1 a pixel's answer may hang on its colour alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from smearlab.errors import BundleError, UnknownNameError, UsageError
from smearlab.io.bundle_cards import elements_seen, read_card
from smearlab.registry import SHIPPED_BUNDLES

__all__ = [
    "MODELS_FOLDER",
    "Bundle",
    "bundle_of_run",
    "elements_seen",
    "find_bundle",
    "own_models",
    "read_card",
]

#: Environment variable that names the folder of a user's own bundles.
MODELS_FOLDER = "SMEARLAB_MODELS"

_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "centres": ("classes", "heat", "sides"),
    "watershed": ("classes",),
    "classifier": ("probabilities",),
    "generator": ("pixels",),
    "upscaler": ("upscaled",),
    "stain": ("normalised",),
}
_PIXELS: Mapping[str, str] = {"pixels": "tensor(uint8)"}
#: Inputs of a kind, where they are not pixels alone: name → type.
_INPUTS: Mapping[str, Mapping[str, str]] = {
    "generator": {"latent": "tensor(float)", "types": "tensor(float)"},
}
_SHIPPED = Path(__file__).resolve().parent.parent / "bundles"


class Bundle:
    """A network ready to run. Thread-safe: one bundle serves all workers.

    Parameters
    ----------
    folder : Path
        Holds ``model.onnx`` and ``card.json``.
    kind : str
        ``"segmenter"``, ``"classifier"``, ``"generator"``, ``"upscaler"`` or ``"stain"``.
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

    def run(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run the network: named arrays in, named arrays out.

        Parameters
        ----------
        **inputs : ndarray
            As the contract of the bundle's kind asks.

        Returns
        -------
        dict of str to ndarray
            float32; pictures of a generator, an upscaler or a stain uint8.

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


def find_bundle(kind: str, name: str) -> Path:
    """Folder of a bundle: a shipped one by name, one by its path, or one of the user's by name.

    Parameters
    ----------
    kind : str
        ``"segmenter"``, ``"classifier"``, ``"generator"``, ``"upscaler"`` or ``"stain"``.
    name : str
        A name of :data:`~smearlab.registry.SHIPPED_BUNDLES` comes first (a folder of the same
        name is reached as ``./name``), then the path of a folder, then a folder in
        ``$SMEARLAB_MODELS``.

    Raises
    ------
    BundleError
        If it is a path, and no folder is there; or ``$SMEARLAB_MODELS`` is no folder.
    UnknownNameError
        If it is none of them; the message lists the names.
    """
    shipped = SHIPPED_BUNDLES[kind]
    if name in shipped:
        return _SHIPPED / shipped[name]
    if Path(name).is_dir():
        return Path(name)
    own = own_models()
    if own is not None and not name.startswith((".", "/")) and (own / name).is_dir():
        return own / name
    known = sorted({*shipped, *_names_of(own, kind)})
    if "/" in name or "\\" in name:
        raise BundleError(
            f"there is no {kind} bundle {name}: no such folder; give a folder with model.onnx "
            f"and card.json, or a name: {', '.join(known) or 'there is none'}"
        )
    raise UnknownNameError(f"{kind} bundle", name, known)


def bundle_of_run(kind: str, name: str) -> Path:
    """Folder of a bundle: as :func:`find_bundle` has it, or in the folder of a finished run.

    Parameters
    ----------
    kind, name : str
        See :func:`find_bundle`; ``name`` may also lead to a run that has a bundle.

    Raises
    ------
    BundleError, UnknownNameError
        As of :func:`find_bundle`.
    UsageError
        If it is a run without a bundle, or a folder of several runs.
    """
    folder = find_bundle(kind, name)
    if (folder / "card.json").exists():
        return folder
    if (folder / "bundle" / "card.json").exists():
        return folder / "bundle"
    if (folder / "summary.json").exists():
        raise UsageError(
            f"{folder} is a run without a bundle; make it with: smearlab export {folder}"
        )
    if (folder / "config.json").exists():
        raise UsageError(
            f"{folder} is a run that is not finished; go on with the smearlab train that began it"
        )
    runs = sorted(found.parent.parent.name for found in folder.glob("*/bundle/card.json"))
    if runs:
        raise UsageError(f"{folder} holds the runs {', '.join(runs)}: name them instead")
    return folder


def own_models() -> Path | None:
    """The folder of the user's own bundles, ``$SMEARLAB_MODELS``; None where that is not set.

    Raises
    ------
    BundleError
        If it is set and is no folder.
    """
    named = os.environ.get(MODELS_FOLDER)
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise BundleError(
            f"${MODELS_FOLDER} is {named}, which is no folder; make it, or unset the variable"
        )
    return folder


def _names_of(own: Path | None, kind: str) -> list[str]:
    """Bundles of a kind in the user's folder, by name; those by element as ``name/element``."""
    if own is None:
        return []
    cards = [*own.glob("*/card.json"), *own.glob("*/*/card.json")]
    return [card.parent.relative_to(own).as_posix() for card in cards if _kind_of(card) == kind]


def _kind_of(card: Path) -> str | None:
    try:
        found = json.loads(card.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(found.get("kind")) if isinstance(found, dict) else None


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
    if "noise" in card:
        if inputs != {"pixels": "tensor(uint8)", "keep": "tensor(float)"}:
            raise BundleError(
                f"{path} takes {inputs}; with noise on the card the contract is uint8 pixels and "
                "float32 keep"
            )
    elif inputs != _INPUTS.get(card["kind"], _PIXELS):
        contract = "one uint8 input, pixels"
        if card["kind"] in _INPUTS:
            contract = f"float32 {' and '.join(_INPUTS[card['kind']])}"
        raise BundleError(f"{path} takes {inputs}; the contract is {contract}")
    outputs = {entry.name: entry.shape for entry in session.get_outputs()}
    wanted = _OUTPUTS[card.get("decoder", card["kind"])]
    wanted += ("segmented",) if card.get("segmented") else ()
    missing = [name for name in wanted if name not in outputs]
    if missing:
        raise BundleError(
            f"{path} gives {', '.join(outputs)}; its kind also needs {', '.join(missing)}"
        )
    if card["kind"] == "generator":
        _check_generator(session, card, path)
        return list(wanted)
    if card["kind"] in ("upscaler", "stain"):
        return list(wanted)
    first = wanted[0]
    channels = outputs[first][-1] if outputs[first] else None
    if isinstance(channels, int) and channels != len(card["classes"]):
        raise BundleError(
            f"{path} gives {channels} channels of {first} but its card lists "
            f"{len(card['classes'])} classes; export the bundle again"
        )
    return list(wanted)


def _check_generator(session: Any, card: Mapping[str, Any], path: Path) -> None:
    """Widths of the inputs and sides of the pictures are those on the card."""
    size, wanted = card["size_px"], {"latent": card["latent_size"], "types": len(card["classes"])}
    for entry in session.get_inputs():
        if isinstance(entry.shape[-1], int) and entry.shape[-1] != wanted[entry.name]:
            raise BundleError(
                f"{path} takes {entry.name} of {entry.shape[-1]} numbers but its card says "
                f"{wanted[entry.name]}; export the bundle again"
            )
    (pixels,) = (entry for entry in session.get_outputs() if entry.name == "pixels")
    sides = [side for side in pixels.shape[1:3] if isinstance(side, int)]
    if pixels.type != "tensor(uint8)" or any(side != size for side in sides):
        raise BundleError(
            f"{path} gives pixels of type {pixels.type}, shape {pixels.shape}; the contract is "
            f"uint8 pictures of {size} px, as its card says; export the bundle again"
        )
