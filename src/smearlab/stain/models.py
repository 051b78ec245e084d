"""Fitted models as files, and any normaliser by path or name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from smearlab import __version__
from smearlab.errors import BundleError, UnknownNameError, UsageError
from smearlab.io.atomic import write_bytes
from smearlab.io.bundles import Bundle, find_bundle, own_models
from smearlab.registry import SHIPPED_BUNDLES
from smearlab.stain.methods import method_called
from smearlab.stain.networks import NetworkNormaliser
from smearlab.stain.normaliser import Look, Normaliser, ReferenceNormaliser
from smearlab.stain.references import REFERENCES
from smearlab.stain.stains import STAINS

#: Version of the file; a reader understands its own only.
FORMAT = 1
_KIND = "stain"


def write_model(
    path: str | Path, normaliser: ReferenceNormaliser, facts: Mapping[str, Any] | None = None
) -> None:
    """Write a fitted model, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Ends in ``.json``.
    normaliser : ReferenceNormaliser
    facts : mapping, optional
        What it was made from and measured on, as JSON can hold it.

    Raises
    ------
    UsageError
        If the name ends otherwise.
    OSError
        If the file cannot be written.
    """
    refuse_other_suffix(path)
    body = {
        "format": FORMAT,
        "kind": _KIND,
        "name": normaliser.name,
        "method": normaliser.method,
        "ground": normaliser.ground,
        "estimate": normaliser.estimate,
        "stains": list(STAINS),
        "target": _plain(normaliser.target),
        "source": None if normaliser.source is None else _plain(normaliser.source),
        "facts": dict(facts or {}),
        "smearlab": __version__,
    }
    text = json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(path, text.encode())


def refuse_other_suffix(path: str | Path) -> None:
    """Refuse a model file that is not called ``….json``.

    Raises
    ------
    UsageError
    """
    if Path(path).suffix.lower() != ".json":
        raise UsageError(f"{path}: the file of a stain model must end in .json; name another")


def read_model(path: str | Path) -> ReferenceNormaliser:
    """Read what :func:`write_model` wrote.

    Raises
    ------
    BundleError
        If the file cannot be read, is no stain model or of another version, or its numbers are not
        those of its method.
    UnknownNameError
        If its method is not known here.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        body = json.loads(data)
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); check the name") from error
    except ValueError as error:
        raise BundleError(f"{path} is not valid JSON ({error}); fit the model again") from error
    if not isinstance(body, dict) or body.get("kind") != _KIND or "format" not in body:
        raise BundleError(
            f"{path} is no stain model; one is written by smearlab stain fit, or is the folder of "
            "a bundle"
        )
    if body["format"] != FORMAT:
        raise BundleError(
            f"{path} is a stain model of version {body['format']!r}, written by smearlab "
            f"{body.get('smearlab', '?')}; this one reads version {FORMAT}: fit the model again"
        )
    try:
        source = None if body["source"] is None else _look(body["method"], body["source"])
        words = {key: body[key] for key in ("name", "method", "ground", "estimate")}
        sha256 = hashlib.sha256(data).hexdigest()
        return ReferenceNormaliser(
            name=body["name"],
            method=body["method"],
            target=_look(body["method"], body["target"]),
            source=source,
            ground=body["ground"],
            estimate=body["estimate"],
            card={**words, "kind": _KIND, "sha256": sha256, **body["facts"]},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{path} lacks what a stain model has ({error!r}); fit the model again"
        ) from error


def load_normaliser(model: str | Path, threads: int = 1) -> Normaliser:
    """Open a normaliser.

    Parameters
    ----------
    model : str or Path
        A file that ``smearlab stain fit`` wrote; the folder of a bundle of kind ``stain``; the
        name of either in ``$SMEARLAB_MODELS``; or the name of a reference that ships
        (:data:`smearlab.stain.references.REFERENCES`).
    threads : int
        Of one call of a network.

    Returns
    -------
    Normaliser

    Raises
    ------
    BundleError
        If it is not there, damaged, or of another kind or version.
    UnknownNameError
        If it is a name, and there is none; the message lists the names.

    Examples
    --------
    >>> load_normaliser("romanowsky").name
    'romanowsky'
    """
    name = str(model)
    if name in REFERENCES:
        return REFERENCES[name]
    if Path(name).is_file() or name.lower().endswith(".json"):
        return read_model(name)
    own = own_models()
    if not Path(name).is_dir() and own is not None and (own / f"{name}.json").is_file():
        return read_model(own / f"{name}.json")
    try:
        folder = find_bundle(_KIND, name)
    except UnknownNameError as error:
        known = [*REFERENCES, *SHIPPED_BUNDLES[_KIND], *_own_names(own)]
        raise UnknownNameError("stain model", name, known) from error
    return NetworkNormaliser(Bundle(folder, _KIND, threads))


def _own_names(own: Path | None) -> list[str]:
    """What of the user's own folder can be a stain model: fitted ones, and bundles of the kind."""
    if own is None:
        return []
    found = [path.stem for path in own.glob("*.json")]
    for card in own.glob("*/card.json"):
        try:
            kind = json.loads(card.read_text(encoding="utf-8")).get("kind")
        except (OSError, ValueError, AttributeError):
            continue
        found += [card.parent.name] if kind == _KIND else []
    return found


def _plain(look: Look) -> dict[str, Any]:
    numbers = {name: value.tolist() for name, value in look.numbers.items()}
    return {"ground": look.ground.tolist(), "numbers": numbers}


def _look(method: str, body: Mapping[str, Any]) -> Look:
    """A look whose numbers are those of its method, finite and of its shapes."""
    numbers = {}
    wanted = {"ground": (3,), **method_called(method).shapes}
    for name, shape in wanted.items():
        given = body["ground"] if name == "ground" else body["numbers"][name]
        numbers[name] = np.array(given, np.float64)
        if numbers[name].shape != shape or not np.isfinite(numbers[name]).all():
            raise ValueError(f"{name} must be {shape} finite numbers")
    ground = numbers.pop("ground")
    return Look(ground, numbers)
