"""What all tests share: how thorough properties are tried, real pictures, no network."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parents[1]

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", derandomize=True, max_examples=40, **_COMMON)
settings.register_profile("thorough", max_examples=500, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real pictures: SMEARLAB_DATA, or ../shared/data beside the repository."""
    named = os.environ.get("SMEARLAB_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real pictures: SMEARLAB_DATA is not set and ../shared/data is not there")
    return folder


@pytest.fixture(scope="session")
def data_part(data_dir: Path) -> Callable[[str], Path]:
    """Gives one set of the real pictures by its path, e.g. ``fields/bccd``; skips if missing."""

    def part(name: str) -> Path:
        folder = data_dir / name
        if not folder.exists():
            pytest.skip(f"no real pictures of {name}: it is not in the data folder")
        return folder

    return part


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family != socket.AF_UNIX and host not in ("127.0.0.1", "::1", "localhost", ""):
            raise OSError(f"the tests may not use the network; something connects to {host}")
        connect(self, address)  # type: ignore[arg-type]

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect_here)
    yield
    patch.undo()
