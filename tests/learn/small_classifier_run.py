"""A finished run of a classifier on painted cells, as ``smearlab train`` leaves it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from manifest_rows import manifest_of
from smearlab.datasets.manifest.table import write_manifest
from smearlab.evaluation.runs import RunSummary
from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.held_out import HeldOutPictures
from smearlab.learn.manifest_samples import ManifestSamples, rows_of_split
from smearlab.learn.models.classifiers import build_classifier
from smearlab.learn.train.checkpoints import WEIGHTS
from smearlab.learn.transforms.affine_ranges import AffineRanges
from smearlab.learn.transforms.picture_views import PictureViewConfig

LABELS = ("ig", "NEUTROPHIL", "Lymph")
SIDE_PX = 72


def paint_pictures(folder: Path, labels: tuple[str, ...] = LABELS, each: int = 6) -> list[Any]:
    """Discs of a colour for each class; a third of them validates, a third tests."""
    rows = []
    rng = np.random.default_rng(1)
    for number, label in enumerate(labels):
        for n in range(each):
            pixels = np.full((SIDE_PX, SIDE_PX, 3), 230.0)
            colour = [60 + 60 * number, 40, 200 - 50 * number]
            cv2.circle(pixels, (36, 36), 16 + n % 3, colour, cv2.FILLED)
            pixels += rng.normal(0, 12, pixels.shape)
            name = f"{label}-{n}.png"
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
            part = ("train", "val", "test")[n % 3]
            rows.append({"path": name, "type": label, "label": label, "split": part})
    return rows


def write_run(
    folder: Path,
    network: str = "lwcnn",
    *,
    labels: tuple[str, ...] = LABELS,
    size_px: int = 64,
    clip_limit: float = 0.0,
) -> Path:
    """Pictures in ``FOLDER/pictures``, the run in ``FOLDER/run``; weights are random."""
    pictures, run = folder / "pictures", folder / "run"
    pictures.mkdir(parents=True)
    run.mkdir()
    manifest = manifest_of(paint_pictures(pictures, labels), pictures)
    write_manifest(run / "manifest.parquet", manifest)
    view = PictureViewConfig(size_px, SIDE_PX, AffineRanges(), clip_limit)
    data = PictureData((), "given")
    torch.manual_seed(2)
    model = build_classifier(network, len(labels)).eval()
    with torch.no_grad():  # answers that differ from picture to picture
        for parameter in model.parameters():
            parameter.mul_(1.6 if parameter.ndim > 1 else 1.0)
    save_file(model.state_dict(), run / WEIGHTS)
    asked = {
        "kind": "classifier",
        "recipe": "small",
        "network": network,
        "classes": list(labels),
        "data": {**asdict(data), "digest": "0"},
        "view": asdict(view),
    }
    (run / "config.json").write_text(json.dumps({"asked": asked, "hardware": {}}))
    for part in ("val", "test"):
        rows = rows_of_split(manifest, part)  # type: ignore[arg-type]
        samples = ManifestSamples(manifest, labels, view, rows=rows)
        HeldOutPictures(samples).predictions(model).save(run, part)  # type: ignore[arg-type]
    n = 2 * len(labels)
    RunSummary(
        recipe="small", network=network, protocol="honest", classes=labels, n_train=n, n_val=n,
        n_test=n, parameters=sum(p.numel() for p in model.parameters()), macs=None,
        input_px=size_px, epochs=1, best_epoch=1, train_seconds=None, images_per_s=None,
        hardware="none", precision="32-true", seed=0, datasets=("set",),
    ).save(run)  # fmt: skip
    return run
