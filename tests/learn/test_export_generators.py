"""A generator's bundle makes the pictures of its network, and says what it learned from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generator_run_folders import TYPES, write_generator_run
from manifest_rows import manifest_of
from smearlab.datasets.manifest.balance import with_synthetic
from smearlab.datasets.manifest.leaks import find_leaks
from smearlab.datasets.manifest.table import write_manifest
from smearlab.errors import SmearlabError
from smearlab.io.bundles import Bundle
from smearlab.learn.export_generators import GeneratorGraph, export_generator
from smearlab.learn.generator_run import load_generator_run
from smearlab.learn.models.c_wgan_gp import ResidualGeneratorConfig
from smearlab.learn.recipes import SYNTHESIS_RECIPES
from smearlab.synthesis.generator import Generator
from smearlab.synthesis.latents import draw_latents
from smearlab.synthesis.pictures import make_pictures


@pytest.mark.parametrize("types", [TYPES, ("basophil",)], ids=["conditional", "one type"])
@pytest.mark.parametrize("weights", ["half", "float"])
def test_the_bundle_makes_the_pictures_of_the_network(
    tmp_path: Path, types: Sequence[str], weights: str
) -> None:
    run = load_generator_run(write_generator_run(tmp_path / "run", types))
    bundle = export_generator(run, tmp_path / "bundle", weights)  # type: ignore[arg-type]
    network, last = run.network().eval(), len(types) - 1
    latent = draw_latents(types[last], range(5), 7, 6)
    one_hot = np.eye(len(types), dtype=np.float32)[[last] * 5]
    with torch.inference_mode():
        made = network(torch.from_numpy(latent), torch.from_numpy(one_hot))
    wanted = (made.permute(0, 2, 3, 1).double() * 255).round().numpy()
    found = Bundle(bundle, "generator").run(latent=latent, types=one_hot)["pixels"]
    assert np.abs(found - wanted).max() <= 1
    assert wanted.std() > 5  # the network does not paint everything grey
    pictures = list(Generator.load(bundle).generate(types[last], 5, 7))
    assert np.abs(np.stack(pictures) - wanted).max() <= 1


def test_another_network_is_exported_by_the_same_way(tmp_path: Path) -> None:
    config = ResidualGeneratorConfig(3, 16, 4, 5, (1, 1, 1))
    run = load_generator_run(write_generator_run(tmp_path / "run", config=config))
    export_generator(run, tmp_path / "run" / "bundle")
    model = Generator.load(tmp_path / "run")
    assert (model.types, model.latent_size, model.size_px) == (TYPES, 5, 16)
    assert next(model.generate("monocyte", 1, 0)).shape == (16, 16, 3)


def test_the_card_says_what_the_model_is(tmp_path: Path) -> None:
    run = load_generator_run(write_generator_run(tmp_path / "run"))
    card = json.loads((export_generator(run, tmp_path / "b") / "card.json").read_text())
    assert (card["name"], card["network"]) == ("dcgan", "DCGANGenerator")
    assert card["parameters"] == sum(p.numel() for p in run.network().parameters())
    assert card["source"] == SYNTHESIS_RECIPES["dcgan"].source
    assert card["data"][0].endswith("(pbc, CC BY 4.0)") and card["attribution"]
    assert card["parity"]["largest_difference"] <= 1 and card["parity"]["pictures"] == 6
    alone = load_generator_run(write_generator_run(tmp_path / "alone", ["monocyte"]))
    card = json.loads((export_generator(alone, tmp_path / "c") / "card.json").read_text())
    assert (card["name"], card["classes"]) == ("dcgan-monocyte", ["monocyte"])


def test_what_it_learned_from_is_not_tested_on(tmp_path: Path) -> None:
    parts = ("train", "train", "val", "test")
    rows: list[dict[str, Any]] = [
        {"type": kind, "split": part, "sha256": f"{n}{m}" * 32, "path": f"{kind}-{m}.png"}
        for n, kind in enumerate(TYPES) for m, part in enumerate(parts)
    ]  # fmt: skip
    manifest = manifest_of(rows, tmp_path)
    folder = write_generator_run(tmp_path / "run", TYPES[:2])
    write_manifest(folder / "manifest.parquet", manifest)
    bundle = export_generator(load_generator_run(folder), tmp_path / "b")
    model = Generator.load(bundle)
    told = model.card["learned_from"]
    assert told["pictures"] == 4, "training pictures of the types that it makes"
    made = make_pictures({TYPES[0]: 1}, {TYPES[0]: model}, tmp_path / "made", seed=0)
    assert find_leaks(with_synthetic(manifest, made.wanted)) == ()
    split_anew = manifest.with_columns(split=list(parts[::-1]) * len(TYPES))
    (val, test) = find_leaks(with_synthetic(split_anew, made.wanted))
    assert (val.tie, len(val.rows), len(test.rows)) == ("generator", 2, 2)


def test_what_has_diverged_is_not_written(tmp_path: Path) -> None:
    run = load_generator_run(write_generator_run(tmp_path / "run", spoil=float("nan")))
    with pytest.raises(SmearlabError, match="numbers that are not finite: its training has div"):
        export_generator(run, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_bytes_are_rounded_not_cut() -> None:
    class Grey(torch.nn.Module):
        def forward(self, latent: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
            return latent[:, :1, None, None].expand(-1, 3, 2, 2) / 255

    graph = GeneratorGraph(Grey(), 2)
    latent = torch.tensor([[-3.0], [0.4], [0.6], [254.7], [300.0]])
    (pixels,) = graph(latent, torch.zeros(5, 2))
    assert (pixels.dtype, pixels.shape) == (torch.uint8, (5, 2, 2, 3))
    assert pixels[:, 0, 0, 0].tolist() == [0, 0, 1, 255, 255]
