"""OpenCV's threads end and come back."""

from __future__ import annotations

import cv2
import pytest

from smearlab.preprocess.opencv_threads import one_opencv_thread


def test_there_is_one_thread_within_and_as_many_as_before_after() -> None:
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        with pytest.raises(KeyError), one_opencv_thread():
            assert cv2.getNumThreads() == 1
            raise KeyError
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)
