"""How the cell classifier inside the package was trained, round by round."""

from dataclasses import replace

from smearlab.learn.export import TypesGraph
from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.objectives import Classification
from smearlab.learn.recipe import Stage
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.cell_views import CellViewConfig
from smearlab.types import CELL_TYPES

#: Every type but ``unidentified``.
TYPES = CELL_TYPES[:-1]

FIRST_TYPES = Stage(
    name="cell_types_first",
    kind="classifier",
    model=lambda: CellTypes(CellTypesConfig(classes=len(TYPES))),
    graph=TypesGraph,
    objective=Classification(label_smoothing=0.05),
    samples="cells",
    view=CellViewConfig(),
    train=TrainConfig(
        epochs=16,
        batch_size=48,
        lr=2e-3,
        weight_decay=0.02,
        precision="auto",
        workers=1,
        ema=0.998,
    ),
    card={
        "classes": list(TYPES),
        "input_px": 96,
        "context": 1.3,
        "data": [
            "PBC, four fifths (Acevedo et al. 2020, CC BY 4.0, doi:10.17632/snkd93bnjr.1)",
            "TXL-PBC train: Raabin white cells, red cells, platelets (MIT)",
            "bccd4 train (from BCCD, MIT)",
        ],
        "licence": "Apache-2.0; attribution to PBC",
        "use": "Research use only.",
    },
    origin_weights={"Raabin-WBC/txl_pbc": 4.0, "BCCD/bccd4": 0.8},
    per_epoch=9000,
)

#: Settles on colours nearer to those of real smears.
SECOND_TYPES = replace(
    FIRST_TYPES,
    name="cell_types_second",
    view=CellViewConfig(colour=0.35, stain_share=0.25, zoom=0.09, shift=0.06),
    objective=Classification(label_smoothing=0.02),
    train=replace(FIRST_TYPES.train, epochs=15, lr=1e-3),
    start_from="cell_types_first",
    origin_weights={"Raabin-WBC/txl_pbc": 3.0},
)

#: Grows by a residual block at strides 8 and 16; the strange stains come back.
CLASSIFIER = replace(
    SECOND_TYPES,
    name="cell_types",
    model=lambda: CellTypes(CellTypesConfig(classes=len(TYPES), blocks=(2, 2, 3, 3))),
    view=CellViewConfig(colour=0.6, stain_share=0.4, zoom=0.1, shift=0.06),
    train=replace(SECOND_TYPES.train, epochs=26, lr=1.5e-3),
    start_from="cell_types_second",
)

ROUNDS = (FIRST_TYPES, SECOND_TYPES, CLASSIFIER)
