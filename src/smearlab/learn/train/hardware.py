"""What a training runs on: devices, processes, arithmetic."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.fabric import Fabric

from smearlab.errors import UsageError
from smearlab.learn.train.config import LoopSettings, Precision
from smearlab.learn.train.freed_memory import keep_freed_memory


def resolve_precision(asked: Precision) -> Literal["32-true", "bf16-mixed", "16-mixed"]:
    """The arithmetic that ``auto`` means here: bf16 where the hardware computes with it.

    A CPU that has to imitate bf16 is slower with it than with 32 bits (three times, measured).

    Parameters
    ----------
    asked : {"auto", "32-true", "bf16-mixed", "16-mixed"}

    Returns
    -------
    {"32-true", "bf16-mixed", "16-mixed"}
    """
    if asked != "auto":
        return asked
    if torch.cuda.is_available():
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if fast else "32-true"


def start_fabric(config: LoopSettings) -> Fabric:
    """Fabric on this machine's device, or as one of the processes that ``torchrun`` started.

    On a CPU, memory that a step frees stays with the process from now on.

    Parameters
    ----------
    config : TrainConfig or AdversarialConfig

    Returns
    -------
    Fabric
        Launched.

    Raises
    ------
    UsageError
        If the batch cannot be shared evenly by the processes, or float16 is asked of a CPU.
    """
    cuda = torch.cuda.is_available()
    if not cuda:
        keep_freed_memory()
    precision = resolve_precision(config.precision)
    if precision == "16-mixed" and not cuda:
        raise UsageError("precision 16-mixed needs a GPU: take bf16-mixed, 32-true or auto")
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if config.batch_size % processes:
        raise UsageError(
            f"batch_size {config.batch_size} cannot be shared evenly by {processes} processes: "
            "choose a multiple"
        )
    fabric = Fabric(
        accelerator="cuda" if cuda else "cpu",
        devices=here,
        num_nodes=processes // here,
        strategy="ddp" if processes > 1 else "auto",
        precision=precision,
    )
    fabric.launch()
    return fabric


def describe_hardware(precision: Precision) -> dict[str, Any]:
    """What the numbers of a run may hang on, for its record.

    Parameters
    ----------
    precision : str
        As it was asked for; resolved here.
    """
    cuda = torch.cuda.is_available()
    return {
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
        "torch": torch.__version__,
        "cuda": cuda,
        "device": torch.cuda.get_device_name() if cuda else _processor(),
        "precision": resolve_precision(precision),
    }


def is_first_process() -> bool:
    """Whether this is the process that writes files, of those that ``torchrun`` started."""
    return os.environ.get("RANK", "0") == "0"


def _processor() -> str:
    """Its name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "cpu"
