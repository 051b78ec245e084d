"""ResNet-50 as paper C counts it: every convolution has a bias.

Jung et al. (2021), section 3.5: 23,544,837 trainable parameters for five classes, which is He et
al.'s (2016) network with the biases that Keras gives its convolutions. As there, the first 1×1
convolution of a stage halves the size (torchvision lets the 3×3 convolution do it).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from smearlab.learn.models.backbones import BACKBONES, Backbone


class ResNet50Biased(Backbone):
    """Type logits of crops; see the module's text.

    torchvision's weight files fit by name; the biases begin at zero.

    Parameters
    ----------
    classes : int
        At least 2.
    """

    def __init__(self, classes: int) -> None:
        super().__init__(BACKBONES["resnet50"], classes)
        for module in self.network.modules():
            if isinstance(module, nn.Conv2d):
                module.bias = nn.Parameter(torch.zeros(module.out_channels))
        for stage in (self.network.layer2, self.network.layer3, self.network.layer4):
            block = cast(nn.Sequential, stage)[0]
            first, middle = cast(nn.Conv2d, block.conv1), cast(nn.Conv2d, block.conv2)
            first.stride, middle.stride = middle.stride, first.stride
