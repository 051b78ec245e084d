from __future__ import annotations

import threading
import warnings

import pytest
from PIL import ImageMode

from smearlab.io.hush import hushed


def warn_as(module: str) -> None:
    """Warn as code in that module does."""
    warnings.warn_explicit("spoilt", UserWarning, f"{module}.py", 1, module=module)


def test_only_the_image_libraries_are_hushed() -> None:
    assert ImageMode.__name__ == "PIL.ImageMode"
    with hushed():
        warn_as("PIL.TiffImagePlugin")
        warn_as("tifffile.tifffile")
        with pytest.warns(UserWarning, match="spoilt"):
            warn_as("smearlab.io")
        with pytest.warns(UserWarning, match="spoilt"):
            warn_as("PILLOWCASE")


def test_filters_are_as_before_when_the_last_thread_leaves() -> None:
    before = list(warnings.filters)
    inside, leave = threading.Barrier(3), threading.Event()

    def stay() -> None:
        with hushed():
            inside.wait(10)
            leave.wait(10)

    threads = [threading.Thread(target=stay) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    with hushed():
        pass
    warn_as("PIL.Image")  # two are still reading
    leave.set()
    for thread in threads:
        thread.join()
    assert warnings.filters == before
    with pytest.warns(UserWarning, match="spoilt"):
        warn_as("PIL.Image")


def test_an_error_leaves_no_filter_behind() -> None:
    before = list(warnings.filters)
    with pytest.raises(OSError, match="disk"), hushed():
        raise OSError("disk")
    assert warnings.filters == before
