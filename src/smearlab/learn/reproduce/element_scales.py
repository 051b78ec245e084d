"""How much of RWP-GAN's table the smaller scales train and measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smearlab.types import Element

#: How much of the training the smaller scales do. A step of a GAN sees one picture, one of the
#: U-Net four. The penalty is a third of a step, so one step in four has it, four times as heavy.
SMOKE = ("train.max_steps=2", "train.workers=0", "data.judged_tiles=2", "data.per_picture=1")
#: Every picture once: 868 steps of BCCD and TXL-PBC, the later half with falling rates.
_ONCE = ("data.per_picture=1", "train.epochs=1", "train.schedule=linear", "train.decay_from=0.5")
_SPARED = ("train.penalty_every=4",)
CPU: Mapping[str, Sequence[str]] = {
    "rwp_gan": (*_ONCE, *_SPARED),
    # 2,400 steps: there are 150 pictures with masks
    "rwp_gan_masks": (*_ONCE, *_SPARED, "data.per_picture=8", "train.epochs=2"),
    "pix2pix": _ONCE,
    "unet_bce_dice": ("train.max_steps=100", "train.batch_size=4"),
}
#: Platelets cover some thousandths of a field: what sees every picture once learns black. So they
#: are in every view; for a GAN they are also twice as large, count as much as the ground at first,
#: and are seen three times. (The U-Net would take a minute for a field at twice the size.)
_IN_VIEW = "view.on_element=1.0"
_SMALL = ("view.cell_px=128", _IN_VIEW, "weights.element=100", "train.epochs=3")
CPU_OF_ELEMENT: Mapping[Element, Mapping[str, Sequence[str]]] = {
    "PLT": {"rwp_gan": _SMALL, "pix2pix": _SMALL, "unet_bce_dice": (_IN_VIEW,)}
}
#: Test fields of each kind of target: the U-Net takes three seconds for one of BCCD on a core.
FIELDS: Mapping[str, int] = {"smoke": 2, "cpu": 50}
#: Recipes of one element alone: masks that people drew are of white cells.
OF_ONE: Mapping[Element, Sequence[str]] = {"WBC": ("rwp_gan_masks",)}
#: Networks that are measured a second time: recipe → draws of noise, whose mean is taken.
SAMPLED: Mapping[str, int] = {"rwp_gan_masks": 4}
