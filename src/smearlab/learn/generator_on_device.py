"""A run of a generator as the bench's generator, computed by torch on a device of one's choice."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray

from smearlab.errors import UsageError
from smearlab.learn.export_generators import GeneratorGraph, card_of
from smearlab.learn.generator_run import GeneratorRun
from smearlab.learn.train.checkpoints import result_weights
from smearlab.synthesis.generator import Generator


def device_generator(run: GeneratorRun, device: str) -> Generator:
    """The generator of a run on a GPU, say.

    Parameters
    ----------
    run : GeneratorRun
    device : str
        As torch calls it: ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"cpu"``.

    Returns
    -------
    Generator
        Latents are those of the bundle; pictures may differ from the bundle's by a level here and
        there. Its ``sha256`` is that of weights and kind of device, so that folders of both do not
        mix.

    Raises
    ------
    UsageError
        If torch cannot use the device.
    RunError
        If the weights cannot be read.
    """
    try:
        place = torch.device(device)
        torch.zeros(1, device=place)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"torch cannot use --device {device} ({reason}); leave it out to compute on the "
            "processor"
        ) from error
    # There first: what a few-shot generator takes of its shots follows where it is evaluated.
    graph = GeneratorGraph(run.network().to(place), len(run.classes)).eval()

    def answer(latent: NDArray[np.float32], types: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Run the network."""
        with torch.inference_mode():
            given = (torch.from_numpy(value).to(place) for value in (latent, types))
            (pixels,) = graph(*given)
        return np.asarray(pixels.cpu().numpy(), np.uint8)

    card = card_of(run)
    weights = result_weights(run.folder).read_bytes()
    checksum = hashlib.sha256(weights + place.type.encode()).hexdigest()
    sizes = (run.latent_size, run.size_px)
    return Generator(str(card["name"]), checksum, run.classes, *sizes, card, answer)
