"""Single-cell pictures of simulated fields, so that every recipe can be tried without data."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from smearlab.datasets.manifest.table import Manifest, read_manifest, write_manifest
from smearlab.datasets.simulated_files import DATASET, MANIFEST
from smearlab.datasets.simulator import WBC_TYPES, SmearConfig, simulate_field
from smearlab.io.atomic import write_bytes
from smearlab.preprocess.crops import crop_cell

#: Half of the fields come from each, so that cross-stain recipes have where to train and to test.
SOURCES = ("simulated-1", "simulated-2")
N_FIELDS = 12
_CONFIG = SmearConfig(
    height_px=224, width_px=224, rbc_diameter_px=24, n_wbc=len(WBC_TYPES), n_rbc=4, n_plt=2
)
_SIDE_PX, _CONTEXT = 80, 1.6
#: In every third field these stand for what cannot be simulated.
_STAND_INS: Mapping[str, str] = {
    "immature granulocyte": "promyelocyte",
    "lymphocyte": "myeloblast",
    "monocyte": "monoblast",
    "erythroblast": "smudge cell",
}


def simulated_pictures(folder: Path) -> Manifest:
    """Pictures of single cells of every kind that a taxonomy knows, made where they are missing.

    Cells are cut from twelve fields; those of one field are one group. Promyelocytes, blasts and
    smudge cells are other cells under their name: good for seeing whether a recipe runs, for
    nothing else. The rows do not count as synthetic, for else nothing could be held out; their
    ``dataset`` says what they are.

    Parameters
    ----------
    folder : Path
        Made if it is missing; what an earlier call left is used again.

    Returns
    -------
    Manifest
    """
    path = folder / MANIFEST
    if path.is_file():
        return read_manifest(path)
    rows: list[dict[str, Any]] = []
    for seed in range(N_FIELDS):
        truth = simulate_field(seed, _CONFIG)
        for number, cell in enumerate(truth.cells):
            assert cell.type is not None
            label = _STAND_INS.get(cell.type, cell.type) if seed % 3 == 2 else cell.type
            name = f"{label.replace(' ', '_')}/{seed:02}-{number:02}.png"
            pixels = crop_cell(truth.field.pixels, cell.bbox, _SIDE_PX, _CONTEXT)
            buffer = BytesIO()
            Image.fromarray(pixels).save(buffer, "PNG")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_bytes(folder / name, buffer.getvalue())
            rows.append(
                {
                    "path": name,
                    "dataset": DATASET,
                    "source": SOURCES[seed % 2],
                    "source_image": f"{truth.field.name}/{number}",
                    "group": f"{DATASET}/{truth.field.name}",
                    "label": label,
                    "width_px": _SIDE_PX,
                    "height_px": _SIDE_PX,
                    "published_split": "test" if seed % 4 == 3 else "train",
                }
            )
    manifest = Manifest.from_rows(rows, folder, "simulate", fields=N_FIELDS)
    write_manifest(path, manifest)
    return manifest
