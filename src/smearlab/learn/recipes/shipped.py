"""The two networks that ship: cell-centre segmenter and compact cell classifier."""

from dataclasses import replace

from smearlab.learn.export import CentresGraph, MirroredCentresGraph, TypesGraph
from smearlab.learn.models.cell_centres import CellCentres, CellCentresConfig
from smearlab.learn.models.cell_types import CellTypes, CellTypesConfig
from smearlab.learn.objectives import Classification, cell_centres
from smearlab.learn.recipe import Recipe, Stage
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.cell_views import CellViewConfig
from smearlab.learn.transforms.views import ViewConfig
from smearlab.types import CELL_TYPES, ELEMENTS

#: Classes of the classifiers: every type but ``unidentified``.
TYPES = CELL_TYPES[:-1]

FIRST = Stage(
    name="cell_centres_first",
    kind="segmenter",
    model=CellCentres,
    graph=CentresGraph,
    objective=cell_centres,
    samples="centres",
    view=ViewConfig(),
    train=TrainConfig(
        epochs=80,
        max_steps=1850,
        batch_size=24,
        lr=2e-3,
        precision="bf16-mixed",
        workers=1,
        ema=0.0,
    ),
    card={
        "classes": ["background", *ELEMENTS],
        "decoder": "centres",
        "stride": 16,
        "context_px": 160,
        "map_step": 2,
        "grid_step": 4,
        "cell_diameter_px": 56,
        "cell_diameter_range_px": [32, 90],
        "first_look_px": 352,
        "suppress": {"same": 0.6, "other": 0.7},
        "min_visible": {"RBC": 0.4},
        "data": ["TXL-PBC (train, MIT)", "BCCD (train, MIT) with white-cell masks (Banik 2020)"],
        "licence": "Apache-2.0",
        "use": "Research use only; smears in May-Grünwald-Giemsa, Wright or Giemsa.",
    },
)

_DATA = [
    *FIRST.card["data"],
    "PBC, single cells of the training part with boxes from the first round (CC BY 4.0)",
    "simulated fields (smearlab simulate)",
]

#: Adds what box sets lack: erythroblasts, immature and giant cells, odd shapes and stains.
SECOND = replace(
    FIRST,
    name="cell_centres_second",
    train=replace(FIRST.train, epochs=44, max_steps=1984, lr=1.2e-3, ema=0.998),
    start_from="cell_centres_first",
    simulated=330,
    taught=270,
    card={**FIRST.card, "data": _DATA},
)

#: Learns the annotators' rule: a cell mostly cut off by the edge is no cell.
THIRD = replace(
    SECOND,
    name="cell_centres_third",
    view=ViewConfig(diameters_px=(38.0, 82.0), mosaic_share=0.15, colour=0.8, visible=(0.36, 0.44)),
    train=replace(SECOND.train, epochs=18, max_steps=None, lr=7e-4),
    start_from="cell_centres_second",
    simulated=200,
    taught=180,
)

#: Settles on whole fields, as the bench shows them, mostly with people's boxes.
FOURTH = replace(
    THIRD,
    name="cell_centres_fourth",
    graph=MirroredCentresGraph,
    view=ViewConfig(
        size=352, diameters_px=(48.0, 74.0), mosaic_share=0.0, colour=0.5, visible=(0.36, 0.44)
    ),
    train=replace(THIRD.train, epochs=8, batch_size=12, lr=4e-4),
    start_from="cell_centres_third",
    complete_only=True,
    simulated=40,
    taught=60,
)

#: Grows by a residual block at strides 4 and 8, and sees everything again, with the edge rule.
FIFTH = replace(
    THIRD,
    name="cell_centres_fifth",
    model=lambda: CellCentres(CellCentresConfig(blocks=(2, 3, 2))),
    view=ViewConfig(
        diameters_px=(36.0, 84.0), mosaic_share=0.15, colour=0.85, visible=(0.36, 0.44)
    ),
    train=replace(THIRD.train, epochs=22, lr=1.4e-3),
    start_from="cell_centres_fourth",
    simulated=420,
    taught=180,
    card={**THIRD.card, "context_px": 176},
)

#: Settles once more, longer.
SEGMENTER = replace(
    FIFTH,
    name="cell_centres",
    graph=MirroredCentresGraph,
    view=replace(FOURTH.view, colour=0.6),
    train=replace(FOURTH.train, epochs=13, lr=5e-4),
    start_from="cell_centres_fifth",
    complete_only=True,
    simulated=90,
    taught=90,
)

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
        precision="bf16-mixed",
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

RECIPE = Recipe(
    name="shipped",
    title="The segmenter and the classifier inside the package",
    source="smearlab",
    stages=(
        *(FIRST, SECOND, THIRD, FOURTH, FIFTH, SEGMENTER),
        *(FIRST_TYPES, SECOND_TYPES, CLASSIFIER),
    ),
)
