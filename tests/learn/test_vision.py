"""torchvision can be imported wherever the workshop is, without a warning."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from smearlab.learn import vision

CODE = """
import smearlab.learn
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2
mask = tv_tensors.Mask(torch.arange(12).reshape(3, 4))
assert v2.functional.horizontal_flip(mask)[0].tolist() == [3, 2, 1, 0]
"""


def test_transforms_work_in_a_fresh_process_without_a_warning() -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE], capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_missing_operator_is_declared_and_the_import_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def strict_import(name: str) -> object:
        """Imports only where the operator exists, as torchvision's own registration does."""
        if not hasattr(torch.ops.torchvision, "smear_test"):
            raise RuntimeError("operator torchvision::smear_test does not exist")
        return SimpleNamespace()

    monkeypatch.setattr(vision.importlib, "import_module", strict_import)
    assert vision.make_importable() is True
    with pytest.raises(NotImplementedError):  # declared, not made
        torch.ops.torchvision.smear_test(torch.zeros(1, 4), torch.zeros(1), 0.5)


def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_import(name: str) -> object:
        raise RuntimeError("another thing is broken")

    monkeypatch.setattr(vision.importlib, "import_module", broken_import)
    with pytest.raises(RuntimeError, match="another thing is broken"):
        vision.make_importable()


def test_without_torchvision_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision.importlib.util, "find_spec", lambda name: None)
    assert vision.make_importable() is False
