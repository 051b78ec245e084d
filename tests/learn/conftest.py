"""One thread for torch: small networks run faster so, and numbers do not hang on the machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import smearlab.learn  # noqa: F401 - makes torchvision importable, whatever file runs alone


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
