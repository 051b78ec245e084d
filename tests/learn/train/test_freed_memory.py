"""What is freed is not asked of the system again."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the C library is another one than glibc"
)
SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "freed_memory.py"
_PAGES = 64 << 20 >> 12  # of an array of 64 MiB, 4 KiB each
_TIMES = 10
_CODE = f"""
import resource
import numpy as np
from smearlab.learn.train.freed_memory import keep_freed_memory
if KEEP:
    assert keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
before = faults()
for _ in range({_TIMES}):
    np.full(64 << 17, 1.0)
print(faults() - before)
"""


def faults(keep: bool) -> int:
    """Pages that the system had to give for the same array, made and freed again and again."""
    code = _CODE.replace("KEEP", str(keep))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return int(done.stdout)


def test_pages_are_taken_once() -> None:
    kept = faults(True)
    assert kept < 1.5 * _PAGES
    assert faults(False) > 3 * kept


def test_the_benchmark_compares_both_ways() -> None:
    options = "--networks lwcnn --batch 2 --steps 5 --skipped 1 --rounds 1 --threads 1"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options.split()],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert (found["batch"], found["hardware"]["threads"]) == (2, 1)
    figures = found["lwcnn"]
    ratio = figures["handed_back_s"] / figures["kept_s"]
    assert figures["kept_over_handed_back"] == pytest.approx(ratio, rel=0.1)
    assert figures["kept_peak_mb"] > 50 and figures["handed_back_peak_mb"] > 50
