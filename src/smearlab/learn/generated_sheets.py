"""What a generator makes while it learns: the same latents again and again, a row a type."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from smearlab.io.atomic import write_bytes
from smearlab.learn.train.run_folder import read_log
from smearlab.report.contact_sheet import SheetRow, draw_contact_sheet

#: Folder of the sheets in a run's folder.
SAMPLES = "samples"
_COLUMNS, _TILE_PX, _AT_ONCE = 8, 128, 32


def as_pixels(pictures: Tensor) -> NDArray[np.uint8]:
    """float (N, 3, H, W) in [0, 1] → uint8 (N, H, W, 3), rounded."""
    levels = (pictures.detach().float() * 255).round().clamp(0, 255).to(torch.uint8)
    return np.asarray(levels.permute(0, 2, 3, 1).cpu().numpy(), np.uint8)


class GeneratedSheets:
    """Writes ``samples/epoch-NNNNN.png`` at every validation of a run.

    Parameters
    ----------
    run : Path
        Folder of the run, whose log tells the epoch.
    names : sequence of str
        What each row shows: the generator's types, in order.
    latent_size : int
    seed : int
        Of the latents, which are those of every row and every epoch.
    """

    def __init__(self, run: Path, names: Sequence[str], latent_size: int, seed: int) -> None:
        self.run, self.names = run, tuple(names)
        chance = torch.Generator().manual_seed(seed)
        self.latent = torch.randn(_COLUMNS, latent_size, generator=chance)

    def __call__(self, generator: nn.Module) -> dict[str, float]:
        """Write the sheet of the epoch that has just ended; no figures."""
        epoch = int(read_log(self.run)[-1]["epoch"]) + 1
        rows = [
            SheetRow(name, list(pictures), [""] * _COLUMNS)
            for name, pictures in zip(self.names, self.pictures(generator), strict=True)
        ]
        sheet = cv2.cvtColor(draw_contact_sheet(rows, _TILE_PX), cv2.COLOR_RGB2BGR)
        done, png = cv2.imencode(".png", sheet)
        assert done
        folder = self.run / SAMPLES
        folder.mkdir(exist_ok=True)
        write_bytes(folder / f"epoch-{epoch:05}.png", png.tobytes())
        return {}

    def pictures(self, generator: nn.Module) -> NDArray[np.uint8]:
        """What it makes of the latents, shape (K, 8, S, S, 3); a generator in evaluation mode."""
        device = next(generator.parameters()).device
        types = torch.eye(len(self.names)).repeat_interleave(_COLUMNS, 0)
        latent = self.latent.repeat(len(self.names), 1)
        with torch.inference_mode():
            made = [
                as_pixels(generator(z.to(device), one_hot.to(device)))
                for z, one_hot in zip(
                    torch.split(latent, _AT_ONCE), torch.split(types, _AT_ONCE), strict=True
                )
            ]
        together = np.concatenate(made)
        return together.reshape(len(self.names), _COLUMNS, *together.shape[1:])
