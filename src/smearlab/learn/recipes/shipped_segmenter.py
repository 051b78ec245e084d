"""How the segmenter inside the package was trained, round by round."""

from dataclasses import replace

from smearlab.learn.export import CentresGraph, MirroredCentresGraph
from smearlab.learn.models.cell_centres import CellCentres, CellCentresConfig
from smearlab.learn.objectives import cell_centres
from smearlab.learn.recipe import Stage
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.views import ViewConfig
from smearlab.types import ELEMENTS

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
        precision="auto",
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
        "cell_diameter_range_px": [38, 90],
        "first_look_px": 352,
        "suppress": {"same": 0.6, "other": 0.7},
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
SIXTH = replace(
    FIFTH,
    name="cell_centres_sixth",
    graph=MirroredCentresGraph,
    view=replace(FOURTH.view, colour=0.6),
    train=replace(FOURTH.train, epochs=13, lr=5e-4),
    start_from="cell_centres_fifth",
    complete_only=True,
    simulated=90,
    taught=90,
)

#: Learns that red cells may be as dark as nuclei; platelets are seen more often.
SEGMENTER = replace(
    SIXTH,
    name="cell_centres",
    view=replace(SIXTH.view, size=288, diameters_px=(44.0, 76.0), dark_reds=0.3),
    train=replace(SIXTH.train, epochs=12, batch_size=16, lr=6e-4),
    start_from="cell_centres_sixth",
    simulated=150,
    taught=60,
    twice=("PLT",),
)

ROUNDS = (FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEGMENTER)
