"""The checks that train nothing: figures of features, neighbours, cosines, the blind test."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.ties import unit_names
from smearlab.errors import ManifestError
from smearlab.evaluation.blind_test import KEY, draw_blind_test
from smearlab.evaluation.diversity import diversity
from smearlab.evaluation.picture_features import BundleFeatures
from smearlab.evaluation.results import RESAMPLES, SEED
from smearlab.evaluation.synthesis_figures import SeenPictures, by_type, mean_figure
from smearlab.io.atomic import write_bytes, write_text
from smearlab.io.images import read_field
from smearlab.learn.picture_networks import (
    InceptionFeatures,
    PerceptualDistance,
    blood_cell_lpips,
    lpips,
)
from smearlab.learn.verification.config import VerifyConfig
from smearlab.learn.verification.pictures import (
    LoadedPictures,
    VerifiedPictures,
    load_pictures,
    png_of,
)
from smearlab.metrics.cosine import similarity_across, similarity_within
from smearlab.metrics.intervals import clopper_pearson
from smearlab.metrics.manifolds import memorisation
from smearlab.metrics.picture_pairs import l1, l2, psnr, ssim
from smearlab.metrics.resampling import draw_weights, percentile_interval, units_of
from smearlab.metrics.segmented_pictures import SSIM_WINDOW_PX
from smearlab.report.blind_test_page import write_blind_pages
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet

#: Nearest pairs that are drawn.
SHOWN_PAIRS = 12
Say = Callable[[str], None]


class FeaturesAndAnswers(Protocol):
    """A feature network that also types pictures."""

    @property
    def name(self) -> str: ...

    def both(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Features ``(N, D)`` and probabilities ``(N, K)``."""
        ...


@dataclass(frozen=True, eq=False)
class Comparisons:
    """What these checks share; features are computed once.

    Parameters
    ----------
    pictures : VerifiedPictures
    config : VerifyConfig
    out : Path
        Folder of the verification.
    say : callable
    """

    pictures: VerifiedPictures
    config: VerifyConfig
    out: Path
    say: Say = lambda line: None

    @cached_property
    def network(self) -> FeaturesAndAnswers:
        """Of the features."""
        if self.config.inception is not None:
            return InceptionFeatures(self.config.inception)
        return BundleFeatures(self.config.features, usable_cores())

    @cached_property
    def perceptual(self) -> PerceptualDistance:
        """Of the diversity."""
        if self.config.lpips is not None:
            return lpips("alexnet", *self.config.lpips)
        return blood_cell_lpips()

    @cached_property
    def loaded(self) -> Mapping[str, LoadedPictures]:
        """``train``, ``test`` (real) and ``synthetic``, of the synthetic pictures' types."""
        most, seed, types = self.config.most_of_type, self.config.seed, self.pictures.types
        parts = {
            "train": self.pictures.part("train"),
            "test": self.pictures.part("test"),
            "synthetic": self.pictures.synthetic,
        }
        found = {name: load_pictures(one, types, most, seed) for name, one in parts.items()}
        for name, one in found.items():
            if one.pixels.shape[1:3] != (self.pictures.size_px,) * 2:
                raise ManifestError(f"{name}: pictures must be squares of one size")
        return found

    @cached_property
    def seen(self) -> Mapping[str, SeenPictures]:
        """The same as the feature network sees them."""
        found = {}
        for name, one in self.loaded.items():
            self.say(f"features of {len(one)} pictures ({name})")
            features, answers = self.network.both(one.pixels)
            found[name] = SeenPictures(features, one.types, one.groups, answers)
        return found


def figures(of: Comparisons) -> dict[str, Any]:
    """Distances of distributions, precision and recall, density and coverage, diversity.

    Returns
    -------
    dict
        Of :func:`smearlab.evaluation.synthesis_figures.by_type`, against the real training
        pictures, with real test pictures beside; and ``diversity``, of
        :func:`smearlab.evaluation.diversity.diversity`.
    """
    seen = of.seen
    found = by_type(
        seen["train"],
        seen["synthetic"],
        seen["test"],
        of.network.name,
        resamples=of.config.resamples,
        advance=lambda name: of.say(f"figures of {name}"),
    )
    real, fake = (
        (one.pixels, one.types, one.groups) for one in (of.loaded["train"], of.loaded["synthetic"])
    )
    of.say("diversity")
    network = of.perceptual
    found["diversity"] = diversity(
        real, fake, network.of_pairs, network.name, pairs=of.config.pairs
    )
    return found


def neighbours(of: Comparisons) -> dict[str, Any]:
    """The nearest real training picture of each synthetic one, by features and by pixels.

    Returns
    -------
    dict
        ``spaces``: ``features`` and ``pixels`` → ``rate`` (share of synthetic pictures nearer
        than the quantile of the held-out real ones), ``interval``, ``n_synthetic``, ``n_train``,
        ``n_held_out``, ``quantile``, ``threshold``, medians, ``types``, and ``nearest``: pairs,
        the nearest first; ``partners``: mean PSNR, SSIM, L1 and L2 of all pairs. ``sheets``:
        pictures of the nearest pairs, relative to the folder.
    """
    train, test, made = (of.loaded[name] for name in ("train", "test", "synthetic"))
    seen = of.seen
    spaces = {
        "features": tuple(seen[name].features for name in ("train", "synthetic", "test")),
        "pixels": tuple(_flat(one) for one in (train, made, test)),
    }
    found: dict[str, Any] = {"network": of.network.name, "spaces": {}, "sheets": {}}
    for space, (a, b, c) in spaces.items():
        near = memorisation(a, b, c, of.config.quantile)
        order = np.argsort(near.apart, kind="stable")[:SHOWN_PAIRS]
        apart = l2(made.pixels[order], train.pixels[near.places[order]])
        found["spaces"][space] = {
            "rate": near.rate,
            "interval": clopper_pearson(int(near.copied.sum()), len(made)),
            "n_synthetic": len(made),
            "n_train": len(train),
            "n_held_out": len(test),
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
            "partners": _partners(made.pixels, train.pixels[near.places]),
        }
        name = f"nearest-{space}.png"
        write_bytes(of.out / name, png_of(_sheet(made, train, order, near.places)))
        found["sheets"][space] = name
    return found


def _partners(made: NDArray[np.uint8], real: NDArray[np.uint8]) -> dict[str, Any]:
    """How like the nearest real pictures are, which stand for the partner that none has."""
    found = {"psnr": psnr(made, real), "l1": l1(made, real), "l2": l2(made, real)}
    if made.shape[1] >= SSIM_WINDOW_PX:
        found["ssim"] = ssim(made, real)
    told = {name: mean_figure(values[np.isfinite(values)]) for name, values in found.items()}
    return {name: {"value": one.value, "interval": one.interval} for name, one in told.items()}


def _flat(pictures: LoadedPictures) -> NDArray[np.float64]:
    """Pixels in [0, 1], a row a picture."""
    return pictures.pixels.reshape(len(pictures), -1) / 255.0


def _share(hits: NDArray[np.bool_]) -> dict[str, Any]:
    n = len(hits)
    rate = float(hits.mean()) if n else math.nan
    return {"rate": rate, "interval": clopper_pearson(int(hits.sum()), n), "n": n}


def _sheet(
    made: LoadedPictures,
    train: LoadedPictures,
    order: NDArray[np.intp],
    places: NDArray[np.intp],
) -> NDArray[np.uint8]:
    """Pairs, two in a row: the synthetic picture and the nearest real one."""
    rows = []
    for start in range(0, len(order), 2):
        chosen = order[start : start + 2]
        pictures = [p for n in chosen for p in (made.pixels[n], train.pixels[places[n]])]
        notes = [w for n in chosen for w in (f"synthetic {made.types[n]}", "nearest real")]
        missing = 4 - len(pictures)
        blank = np.full_like(pictures[0], 32)
        rows.append(SheetRow("", pictures + [blank] * missing, [*notes, *[""] * missing]))
    return draw_contact_sheet(rows)


def cosine(of: Comparisons) -> dict[str, Any]:
    """Check 3 of paper C: cosine similarity real with real, and real with synthetic, by type.

    The paper does not say of what; it is of pixels and of features here. Real pictures of one
    group are not compared with each other.

    Returns
    -------
    dict
        ``spaces``: ``pixels`` and ``features`` → ``types`` (``real``, ``synthetic``,
        ``difference``, each with interval, ``n_real``, ``n_synthetic``) and ``mean_difference``;
        ``reported``.
    """
    found: dict[str, Any] = {"network": of.network.name, "spaces": {}}
    real = [of.loaded["train"], of.loaded["test"]]
    types = np.concatenate([one.types for one in real])
    groups = np.concatenate([one.groups for one in real])
    made = of.loaded["synthetic"]
    for space in ("pixels", "features"):
        if space == "pixels":
            a, b = np.concatenate([_flat(one) for one in real]), _flat(made)
        else:
            a = np.concatenate([of.seen[name].features for name in ("train", "test")])
            b = of.seen["synthetic"].features
        rows = {
            name: _cosine(a[types == name], groups[types == name], b[made.types == name])
            for name in of.pictures.types
        }
        found["spaces"][space] = {
            "types": rows,
            "mean_difference": float(
                np.mean([one["difference"]["value"] for one in rows.values()])
            ),
        }
    reported = {"neutrophil": 0.04, "eosinophil": 0.03, "basophil": 0.07}
    reported |= {"lymphocyte": 0.06, "monocyte": 0.06}
    found["reported"] = {"difference": reported, "where": "Jung et al. 2021, Table 7"}
    return found


def _cosine(
    real: NDArray[np.float64], groups: NDArray[np.str_], made: NDArray[np.float64]
) -> dict[str, Any]:
    units, n_units = units_of(groups)

    def draws(of_groups: NDArray[Any], of_made: NDArray[Any]) -> tuple[NDArray[np.float64], ...]:
        within = similarity_within(real, units, of_groups)
        across = similarity_across(real, made, of_groups[:, units], of_made)
        return within, across, within - across

    values = draws(np.ones((1, n_units)), np.ones((1, len(made))))
    resampled = draws(
        draw_weights(n_units, resamples=RESAMPLES, seed=SEED),
        draw_weights(len(made), resamples=RESAMPLES, seed=SEED + 1),
    )
    return {
        "n_real": len(real),
        "n_synthetic": len(made),
        **{
            name: {"value": float(value[0]), "interval": percentile_interval(several)}
            for name, value, several in zip(
                ("real", "synthetic", "difference"), values, resampled, strict=True
            )
        },
    }


def blind_test(of: Comparisons) -> dict[str, Any]:
    """Check 4 of paper C: write the page, the sheet, blank answers, and apart from them the key.

    Returns
    -------
    dict
        ``test``, ``n``, ``types``, ``page``, ``sheet``, ``blank``, ``key``: files relative to
        the folder.
    """
    # Real test pictures: a memorised one would stand twice among training pictures.
    parts = {"real": of.pictures.part("test"), "synthetic": of.pictures.synthetic}
    told = {
        origin: {
            "types": one.column("type").astype(str),
            "paths": one.column("path").astype(str),
            "groups": unit_names(one),
        }
        for origin, one in parts.items()
    }
    drawn = draw_blind_test(told["real"], told["synthetic"], of.config.blind_each, of.config.seed)
    shown = [
        read_field(parts[origin].file(parts[origin].column("path")[row])).pixels
        for origin, row in drawn.rows
    ]
    folder, hidden = of.out / "blind-test", of.out / "blind-test-key"
    folder.mkdir(parents=True, exist_ok=True)
    hidden.mkdir(parents=True, exist_ok=True)
    key = drawn.key
    write_blind_pages(folder, key.test, key.types, shown)
    blank = {str(cell.number): {"type": None, "origin": None} for cell in key.cells}
    whole = {"test": key.test, "reader": None, "answers": blank}
    write_text(folder / "blank-answers.json", json.dumps(whole, indent=1) + "\n")
    key.save(hidden / KEY)
    return {
        "test": key.test,
        "n": len(key.cells),
        "types": list(key.types),
        "page": "blind-test/page.html",
        "sheet": "blind-test/sheet.html",
        "blank": "blind-test/blank-answers.json",
        "key": f"blind-test-key/{KEY}",
    }
