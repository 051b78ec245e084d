"""torchvision beside a torch that its compiled part was not built for.

Where a CPU build of torch meets a torchvision wheel built for CUDA, torchvision's compiled
operators cannot be loaded, and importing it fails because some of them are not even declared. The
transforms and the models need none of these operators: declaring them is enough. Lightning's
metrics import torchvision, too, so this happens before anything else of the workshop.
"""

from __future__ import annotations

import importlib
import importlib.util
import re

import torch

_MISSING = re.compile(r"operator torchvision::(\w+) does not exist")
_SCHEMA = "{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_MOST = 8
_declared: list[torch.library.Library] = []  # a declaration lives as long as its library


def make_importable() -> bool:
    """See to it that ``import torchvision`` works.

    Returns
    -------
    bool
        False where torchvision is not installed.

    Raises
    ------
    RuntimeError
        If torchvision cannot be imported for another reason.
    """
    if importlib.util.find_spec("torchvision") is None:
        return False
    for _ in range(_MOST):
        try:
            importlib.import_module("torchvision")
            return True
        except RuntimeError as error:
            missing = _MISSING.search(str(error))
            if missing is None:
                raise
            library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
            library.define(_SCHEMA.format(name=missing[1]))  # type: ignore[no-untyped-call]
            _declared.append(library)
    importlib.import_module("torchvision")
    return True
