"""Bundles of generators: what a sound one gives, and what is said of one that is not."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.errors import BundleError, UnknownNameError
from smearlab.io.bundles import Bundle, find_bundle, read_card
from tiny_generators import LATENT, SIZE, foretold, generator_model, write_generator


@pytest.mark.parametrize("n", [1, 5])
def test_a_generator_runs_on_any_number(tmp_path: Path, n: int) -> None:
    bundle = Bundle(write_generator(tmp_path / "colours"), "generator")
    latent = np.random.default_rng(0).standard_normal((n, LATENT)).astype(np.float32)
    types = np.eye(3, dtype=np.float32)[np.arange(n) % 3]
    pixels = bundle.run(latent=latent, types=types)["pixels"]
    assert (pixels.dtype, pixels.shape) == (np.uint8, (n, SIZE, SIZE, 3))
    np.testing.assert_array_equal(pixels, foretold(latent, types))


@pytest.mark.parametrize("key", ["name", "classes", "latent_size", "size_px"])
def test_a_missing_key_of_a_generator_is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(BundleError, match=f"lacks {key}; export the bundle again"):
        read_card(write_generator(tmp_path / "lacking", **{key: None}), "generator")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"classes": []}, "at least one"),
        ({"classes": "basophil"}, "lists the classes 'basophil'"),
        ({"classes": ["a", "A"]}, "different names"),
        ({"classes": ["../a"]}, "beginning with a letter or digit"),
        ({"classes": ["a/b"]}, r"\['a/b'\]"),
        ({"classes": ["a."]}, r"\['a\.'\]"),
        ({"latent_size": 0}, "latent_size is 0; it must be a whole number from 1"),
        ({"size_px": "64"}, "size_px is '64'"),
    ],
)
def test_a_generator_that_the_bench_does_not_know_is_said(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(BundleError, match=said):
        read_card(write_generator(tmp_path / "strange", **changed), "generator")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"latent_size": 6}, "takes latent of 5 numbers but its card says 6"),
        ({"classes": ["a", "b"]}, "takes types of 3 numbers but its card says 2"),
        ({"size_px": 32}, "uint8 pictures of 32 px, as its card says"),
    ],
)
def test_a_card_that_contradicts_its_network_is_said(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(BundleError, match=said):
        Bundle(write_generator(tmp_path / "other", **changed), "generator")


def test_other_inputs_than_the_contract_has_are_said(tmp_path: Path) -> None:
    folder = write_generator(tmp_path / "noise", sha256=None)
    model = generator_model(3, latent="noise")
    (folder / "model.onnx").write_bytes(model)
    checksum = hashlib.sha256(model).hexdigest()
    card = (folder / "card.json").read_text()
    (folder / "card.json").write_text(card.replace("{", f'{{"sha256": "{checksum}", ', 1))
    with pytest.raises(BundleError, match=r"takes .*noise.*contract is float32 latent and types"):
        Bundle(folder, "generator")


def test_a_generator_is_no_segmenter(tmp_path: Path) -> None:
    folder = write_generator(tmp_path / "colours")
    with pytest.raises(BundleError, match="of kind 'generator'; a segmenter is needed here"):
        read_card(folder, "segmenter")


def test_no_generator_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown generator bundle 'cells'\. Known: none"):
        find_bundle("generator", "cells")
    with pytest.raises(BundleError, match=r"no generator bundle \./cells.*there is none"):
        find_bundle("generator", "./cells")
    write_generator(tmp_path / "cells")
    monkeypatch.setenv("SMEARLAB_MODELS", str(tmp_path))
    assert find_bundle("generator", "cells") == tmp_path / "cells"
