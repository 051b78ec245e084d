"""OpenCV's own threads, and keeping them out of the way of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """End OpenCV's threads for a while; afterwards it may have as many as before.

    For work that is shared out to threads of our own, and for forking: a forked process inherits
    OpenCV's pool without its threads, and may wait for them forever.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
