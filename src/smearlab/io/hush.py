"""Keeping the image libraries off the screen: what they have to say comes as notes and errors."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import logging
import re
import threading
import warnings
from collections.abc import Iterator

# Without a handler, logging prints messages from "warning" upwards to stderr.
for _library in ("PIL", "tifffile"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

_MODULES = r"(PIL|tifffile)\."
_FILTER = ("ignore", None, Warning, re.compile(_MODULES), 0)
_lock = threading.Lock()
_readers = 0


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Ignore warnings raised inside Pillow and tifffile while any thread is in such a block.

    ``warnings.catch_warnings`` keeps and restores *all* filters and is therefore unsafe when
    several threads overlap; here one filter is put in by the first thread and taken out by the
    last, and nothing else is touched.
    """
    global _readers
    with _lock:
        _readers += 1
        if _FILTER not in warnings.filters:
            warnings.filterwarnings("ignore", module=_MODULES)
    try:
        yield
    finally:
        with _lock:
            _readers -= 1
            if _readers == 0 and isinstance(warnings.filters, list):
                with contextlib.suppress(ValueError):
                    warnings.filters.remove(_FILTER)


@functools.cache
def silence_libtiff() -> None:
    """Stop Pillow's libtiff from printing to stderr; its errors still come as return codes.

    Done once, and only where the library's switch can be found (Linux and macOS); elsewhere a
    damaged compressed TIFF prints a line beside the error that is raised.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(importlib.import_module("PIL._imaging").__file__)
        for switch in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
            switch.argtypes = [ctypes.c_void_p]
            switch.restype = ctypes.c_void_p
            switch(None)
