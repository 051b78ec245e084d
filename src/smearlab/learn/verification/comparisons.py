"""The checks that train nothing: figures of features, cosines, the blind test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearlab.batch.workers import usable_cores
from smearlab.datasets.manifest.ties import unit_names
from smearlab.errors import ManifestError
from smearlab.evaluation.blind_test import KEY, draw_blind_test
from smearlab.evaluation.diversity import diversity
from smearlab.evaluation.picture_features import BundleFeatures, TypedFeatures
from smearlab.evaluation.results import RESAMPLES, SEED
from smearlab.evaluation.synthesis_figures import SeenPictures, by_type
from smearlab.io.atomic import write_text
from smearlab.io.images import read_field
from smearlab.learn.picture_networks import (
    InceptionFeatures,
    PerceptualDistance,
    blood_cell_lpips,
    lpips,
)
from smearlab.learn.verification.config import VerifyConfig
from smearlab.learn.verification.kept_features import KeptFeatures
from smearlab.learn.verification.pictures import (
    LoadedPictures,
    VerifiedPictures,
    load_pictures,
    pixel_rows,
)
from smearlab.metrics.cosine import similarity_across, similarity_within
from smearlab.metrics.resampling import draw_weights, percentile_interval, units_of
from smearlab.report.blind_test_page import write_blind_pages

Say = Callable[[str], None]


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
    shared : Path, optional
        Folder of what follows from the real pictures alone; ``out`` when left out.
    """

    pictures: VerifiedPictures
    config: VerifyConfig
    out: Path
    say: Say = lambda line: None
    shared: Path | None = None

    @cached_property
    def network(self) -> TypedFeatures:
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
            if name == "synthetic":
                features, answers = self.network.both(one.pixels)
            else:
                features, answers = self.kept.both(one)
            found[name] = SeenPictures(features, one.types, one.groups, answers)
        return found

    @cached_property
    def kept(self) -> KeptFeatures:
        """Of real pictures: computed once, for all that is compared with them."""
        return KeptFeatures((self.shared or self.out) / "features", self.network)


def figures(of: Comparisons) -> dict[str, Any]:
    """Distances of distributions, precision and recall, density and coverage, diversity.

    Returns
    -------
    dict
        Of :func:`smearlab.evaluation.synthesis_figures.by_type`, against real pictures of the part
        that was asked for, with those of the other part beside; ``diversity``, of
        :func:`smearlab.evaluation.diversity.diversity`; and ``against``, the part.
    """
    seen, against = of.seen, of.config.against
    found = by_type(
        seen[against],
        seen["synthetic"],
        seen["test" if against == "train" else "train"],
        of.network.name,
        resamples=of.config.resamples,
        advance=lambda name: of.say(f"figures of {name}"),
    )
    real, fake = (
        (one.pixels, one.types, one.groups) for one in (of.loaded[against], of.loaded["synthetic"])
    )
    of.say("diversity")
    network = of.perceptual
    found["diversity"] = diversity(
        real, fake, network.of_pairs, network.name, pairs=of.config.pairs
    )
    found["against"] = against
    return found


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
            a, b = np.concatenate([pixel_rows(one.pixels) for one in real]), pixel_rows(made.pixels)
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
