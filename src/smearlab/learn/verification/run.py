"""A whole verification: every check once, kept in its folder, and gone on with from there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from smearlab import __version__
from smearlab.datasets.manifest.fingerprints import fingerprints
from smearlab.datasets.simulated_files import DATASET as SIMULATED
from smearlab.evaluation.results import plain
from smearlab.evaluation.verification_grids import verification_grids
from smearlab.evaluation.verification_result import RESULT
from smearlab.io.atomic import write_text
from smearlab.learn.verification import comparisons, trainings
from smearlab.learn.verification.comparisons import Comparisons
from smearlab.learn.verification.config import CHECKS, VerifyConfig
from smearlab.learn.verification.neighbours import neighbours
from smearlab.learn.verification.pictures import VerifiedPictures, read_verified
from smearlab.learn.verification.trainings import Trainings
from smearlab.report.verification_page import write_verification_page

PAGE = "verification.html"
Say = Callable[[str], None]
#: Settings that a check follows from, beside the pictures.
_TRAINED = ("network", "epochs", "batch_size", "lr", "seed")
_SEEN = ("features", "inception", "most_of_type", "seed")
_FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "figures": (*_SEEN, "lpips", "resamples", "pairs", "against"),
    "neighbours": (*_SEEN, "quantile"),
    "cosine": _SEEN,
    "blind-test": ("blind_each", "seed"),
    "real-on-synthetic": _TRAINED,
    "synthetic-on-real": _TRAINED,
    "added": (*_TRAINED, "seeds", "shares"),
    "balanced": (*_TRAINED, "seeds", "balance_to"),
}
#: How often what a check does was changed: what was found in another way is not taken.
_REVISIONS: Mapping[str, int] = {
    "real-on-synthetic": 1, "synthetic-on-real": 1, "added": 1, "balanced": 2,
}  # fmt: skip
_COMPARED: Mapping[str, Callable[[Comparisons], dict[str, Any]]] = {
    "figures": comparisons.figures,
    "neighbours": neighbours,
    "cosine": comparisons.cosine,
    "blind-test": comparisons.blind_test,
}
_TRAINS: Mapping[str, Callable[[Trainings], dict[str, Any]]] = {
    "real-on-synthetic": trainings.real_on_synthetic,
    "synthetic-on-real": trainings.synthetic_on_real,
    "added": trainings.added,
    "balanced": trainings.balanced,
}


def verify(
    synthetic: Path,
    real: str,
    config: VerifyConfig,
    out: Path,
    *,
    shared: Path | None = None,
    show: bool = True,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Verify synthetic pictures, or go on with it.

    Parameters
    ----------
    synthetic, real
        See :func:`smearlab.learn.verification.pictures.read_verified`.
    config : VerifyConfig
    out : Path
        ``verification.json``, ``verification.html`` and what the checks leave. A check that is
        done is not done again unless pictures or settings changed; others that are kept stay in
        the report.
    shared : Path, optional
        Folder of what follows from the real pictures alone, for several verifications against the
        same: their views and features, and the classifiers trained on nothing else.
    show : bool
        Whether to draw progress bars.
    say : callable
        Told in a line what goes on.

    Returns
    -------
    dict
        ``synthetic`` (counts by type, source, fingerprints of the pictures), ``real`` (counts),
        ``size_px``, ``settings`` and ``checks``: name → result.

    Raises
    ------
    UsageError, DataError, RunError
        See the parts.
    """
    out.mkdir(parents=True, exist_ok=True)
    pictures = read_verified(synthetic, real, config, shared or out, show=show, say=say)
    compared = Comparisons(pictures, config, out, say, shared)
    alone = None if shared is None else shared / "runs"
    train = Trainings(pictures, config, out / "runs", show, say, alone)
    for name in config.wanted:
        if name == "balanced" and name not in config.checks and not train.rarer:
            say(f"{name} is left out: no type has fewer than {train.level} training pictures")
            continue
        place, follows = out / "checks" / f"{name}.json", _digest(name, pictures, config)
        if _kept(place, follows) is not None:
            say(f"{name} is done")
            continue
        say(f"{name}: {CHECKS[name]}")
        result = _COMPARED[name](compared) if name in _COMPARED else _TRAINS[name](train)
        place.parent.mkdir(exist_ok=True)
        kept = {"follows": follows, "result": plain(result)}
        write_text(place, json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    whole = _whole(pictures, config, out)
    text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(out / RESULT, text + "\n")
    write_verification_page(out / PAGE, whole, verification_grids(whole), out)
    return whole


def _digest(name: str, pictures: VerifiedPictures, config: VerifyConfig) -> str:
    told = {key: config.said(key) for key in _FOLLOWS[name]}
    revision = [_REVISIONS[name]] if name in _REVISIONS else []
    follows = [name, __version__, pictures.digest, told, *revision]
    return hashlib.sha256(json.dumps(follows, sort_keys=True).encode()).hexdigest()[:16]


def _kept(place: Path, follows: str) -> dict[str, Any] | None:
    """A result that is still good."""
    try:
        kept = json.loads(place.read_text(encoding="utf-8"))
        return dict(kept["result"]) if kept["follows"] == follows else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _whole(pictures: VerifiedPictures, config: VerifyConfig, out: Path) -> dict[str, Any]:
    """All checks that are done with these pictures and settings, asked for now or before."""
    found = {
        name: _kept(out / "checks" / f"{name}.json", _digest(name, pictures, config))
        for name in CHECKS
    }
    parts = pictures.real.column("split")
    settings = {key: str(value) for key, value in dataclasses.asdict(config).items()}
    made = pictures.synthetic.column("type")
    return {
        "synthetic": {
            "n": len(pictures.synthetic),
            "types": {name: int((made == name).sum()) for name in pictures.types},
            "source": pictures.source,
            "fingerprints": fingerprints(pictures.synthetic.column("sha256")),
        },
        "real": {name: int((parts == name).sum()) for name in ("train", "val", "test")},
        "size_px": pictures.size_px,
        "simulated": bool((pictures.real.column("dataset") == SIMULATED).any()),
        "settings": settings,
        "smearlab": __version__,
        "checks": {name: one for name, one in found.items() if one is not None},
    }
