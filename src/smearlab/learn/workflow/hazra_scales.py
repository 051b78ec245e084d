"""How much of the pipeline is done: to see whether it runs, on two cores, as in the thesis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smearlab.learn.reproduce.experiment import Scale

_TWO_STEPS = ("train.max_steps=2", "train.batch_size=2", "train.workers=0")
_NARROW = ("generator.width=4", "critic.width=4", "teacher.width=4", "generator.blocks=(0,1,0)",
           "critic.blocks=(0,1,0)", "teacher.blocks=(0,1,0)")  # fmt: skip
#: Scale → fields of HazraConfig.
SCALES: Mapping[Scale, Mapping[str, Any]] = {
    "smoke": {
        "taxonomy": "cells8",
        "size_px": 32,
        "few_below": 3,
        "target": 8,
        "stain": "reinhard",
        "classifier": "seresnet18_ge",
        "rare": {"basophil": 2},
        "settings": {
            "many": (*_TWO_STEPS, *_NARROW),
            "few": (*_TWO_STEPS[:2], "generator.noise=4", "generator.width=2",
                    "generator.features=3", "meta.inner_steps=2"),
            # Two pictures whose last maps are 1×1: batch norm's gradient of that is beyond bf16.
            "classifier": (*_TWO_STEPS, "train.epochs=1", "train.precision=32-true"),
        },
    },
    "cpu": {
        "classifier": "seresnet18_ge",
        # One for C-WGAN-GP, two for the few-shot GAN.
        "rare": {"eosinophil": 200, "monocyte": 87, "basophil": 26},
        "target": 600,
        "many": "c_wgan_gp_fast",  # clear outlines in the time that there is
        "settings": {
            "stain": ("train.epochs=8",),
            "many": ("train.epochs=20",),
            "classifier": ("train.epochs=8",),
        },
    },
    "paper": {
        "size_px": 128,
        "stain": "w_cyclegan_gp_256",
        "many": "c_wgan_gp_128",
        # Nothing that is here is as rare as monoblasts, promyelocytes and smudge cells.
        "rare": {"monocyte": 87, "basophil": 26},
        "settings": {"classifier": ("train.epochs=200",)},
    },
}  # fmt: skip
