"""The nearest real training picture of each synthetic one: what was memorised.

Copies are looked for among all training pictures. By pixels they are found mirrored and turned by
quarters, too, as generators learn from such versions; by features nothing needs to be turned where
the network averages over quarter turns, as the one that ships does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smearlab.evaluation.synthesis_figures import mean_figure
from smearlab.io.atomic import write_bytes
from smearlab.learn.verification.comparisons import Comparisons
from smearlab.learn.verification.pictures import (
    LoadedPictures,
    load_pictures,
    pixel_rows,
    png_of,
)
from smearlab.metrics.intervals import clopper_pearson
from smearlab.metrics.manifolds import Memorisation, as_near, memorisation, nearest_version
from smearlab.metrics.picture_pairs import l1, l2, psnr, ssim
from smearlab.metrics.segmented_pictures import SSIM_WINDOW_PX
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet

#: Nearest pairs that are drawn.
SHOWN_PAIRS = 12
#: Side at which pixels are compared: a copy is one at any size.
COMPARED_PX = 32
#: Mirrored or not, by quarter turns.
_VERSIONS = tuple((mirrored, turns) for mirrored in (False, True) for turns in range(4))
Pixels = NDArray[np.uint8]


def neighbours(of: Comparisons) -> dict[str, Any]:
    """The nearest real training picture of each synthetic one, by features and by pixels.

    By pixels, of every synthetic picture; by features of as many of a type as other figures are of.

    Returns
    -------
    dict
        ``spaces``: ``features`` and ``pixels`` → ``rate`` (share of synthetic pictures nearer
        than the quantile of the held-out real ones), ``interval``, ``n_synthetic``, ``n_train``,
        ``n_held_out``, ``quantile``, ``threshold``, medians, ``types``, and ``nearest``: pairs,
        the nearest first; ``partners``: mean PSNR, SSIM, L1 and L2 of all pairs, in the version
        that is nearest. ``sheets``: pictures of the nearest pairs, relative to the folder.
    """
    train, test, made = (
        load_pictures(part, of.pictures.types, None, of.config.seed)
        for part in (of.pictures.part("train"), of.pictures.part("test"), of.pictures.synthetic)
    )
    found: dict[str, Any] = {"network": of.network.name, "spaces": {}, "sheets": {}}
    of.say(f"features of {len(train)} pictures (all of training)")
    features, _ = of.kept.both(train)
    some = of.loaded["synthetic"]
    seen = of.seen
    near = memorisation(
        features, seen["synthetic"].features, seen["test"].features, of.config.quantile
    )
    _tell(of, found, "features", near, some, some.pixels, train)
    version, near = _by_pixels(train.pixels, made.pixels, test.pixels, of.config.quantile)
    _tell(of, found, "pixels", near, made, as_versions(made.pixels, version), train)
    return found


def _by_pixels(
    train: Pixels, made: Pixels, held_out: Pixels, quantile: float
) -> tuple[NDArray[np.intp], Memorisation]:
    """Which version of each made picture is nearest to a training picture, and how near."""
    members = pixel_rows(_small(train))
    version, places, apart = nearest_version(_flat_versions(made), members)
    beside = nearest_version(_flat_versions(held_out), members)[2]
    return version, as_near(places, apart, beside, quantile)


def as_versions(pictures: Pixels, version: NDArray[np.intp]) -> Pixels:
    """Each picture as mirrored and turned as its version says, shape as given.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (N, S, S, 3)
    version : ndarray of int, shape (N,)
        0 to 7: as it is, turned by one, two, three quarters; the same of its mirror image.
    """
    changed = np.empty_like(pictures)
    for number, (mirrored, turns) in enumerate(_VERSIONS):
        rows = np.flatnonzero(version == number)
        changed[rows] = _version(pictures[rows], mirrored, turns)
    return changed


def _version(pictures: NDArray[Any], mirrored: bool, turns: int) -> NDArray[Any]:
    return np.rot90(pictures[:, :, ::-1] if mirrored else pictures, turns, (1, 2))


def _flat_versions(pictures: Pixels) -> Iterator[NDArray[np.float64]]:
    small = _small(pictures)
    for mirrored, turns in _VERSIONS:
        yield pixel_rows(_version(small, mirrored, turns))


def _small(pictures: Pixels) -> Pixels:
    """At most :data:`COMPARED_PX`; areas are averaged."""
    side = min(COMPARED_PX, pictures.shape[1])
    return np.stack(
        [cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in pictures]
    )


def _tell(
    of: Comparisons,
    found: dict[str, Any],
    space: str,
    near: Memorisation,
    made: LoadedPictures,
    shown: Pixels,
    train: LoadedPictures,
) -> None:
    """Add what was found in a space; ``shown`` are the made pictures in their nearest version."""
    partners = train.pixels[near.places]
    order = np.argsort(near.apart, kind="stable")[:SHOWN_PAIRS]
    apart = l2(shown[order], partners[order])
    found["spaces"][space] = {
        "rate": near.rate,
        "interval": clopper_pearson(int(near.copied.sum()), len(made)),
        "n_synthetic": len(made),
        "n_train": len(train),
        "n_held_out": len(near.held_out_apart),
        "quantile": near.quantile,
        "threshold": near.threshold,
        "median": float(np.median(near.apart)),
        "median_held_out": float(np.median(near.held_out_apart)),
        "types": {name: _share(near.copied[made.types == name]) for name in of.pictures.types},
        "nearest": [
            {
                "synthetic": made.paths[n],
                "real": train.paths[near.places[n]],
                "type": made.types[n],
                "real_type": train.types[near.places[n]],
                "distance": float(near.apart[n]),
                "l2": float(error),
            }
            for n, error in zip(order, apart, strict=True)
        ],
        "partners": _partners(shown, partners),
    }
    name = f"nearest-{space}.png"
    write_bytes(of.out / name, png_of(_sheet(made.types[order], shown[order], partners[order])))
    found["sheets"][space] = name


def _partners(made: Pixels, real: Pixels) -> dict[str, Any]:
    """How like the nearest real pictures are, which stand for the partner that none has."""
    found = {"psnr": psnr(made, real), "l1": l1(made, real), "l2": l2(made, real)}
    if made.shape[1] >= SSIM_WINDOW_PX:
        found["ssim"] = ssim(made, real)
    told = {name: mean_figure(values[np.isfinite(values)]) for name, values in found.items()}
    return {name: {"value": one.value, "interval": one.interval} for name, one in told.items()}


def _share(hits: NDArray[np.bool_]) -> dict[str, Any]:
    n = len(hits)
    rate = float(hits.mean()) if n else math.nan
    return {"rate": rate, "interval": clopper_pearson(int(hits.sum()), n), "n": n}


def _sheet(types: NDArray[np.str_], made: Pixels, real: Pixels) -> Pixels:
    """Pairs, two in a row: the synthetic picture and the nearest real one."""
    rows = []
    for start in range(0, len(types), 2):
        chosen = range(start, min(start + 2, len(types)))
        pictures = [one for n in chosen for one in (made[n], real[n])]
        notes = [said for n in chosen for said in (f"synthetic {types[n]}", "nearest real")]
        missing = 4 - len(pictures)
        blank = np.full_like(pictures[0], 32)
        rows.append(SheetRow("", pictures + [blank] * missing, [*notes, *[""] * missing]))
    return draw_contact_sheet(rows)
