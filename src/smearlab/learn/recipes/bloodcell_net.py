"""BloodCell-Net (Mondal et al. 2024): U-Net, watershed, LWCNN, nine types."""

from dataclasses import replace

from smearlab.learn.export import ForegroundGraph, TypesGraph
from smearlab.learn.models.lwcnn import LWCNN
from smearlab.learn.models.unet import UNet
from smearlab.learn.objectives import Classification, foreground
from smearlab.learn.recipe import Recipe, Stage
from smearlab.learn.train.config import TrainConfig
from smearlab.learn.transforms.cell_views import CellViewConfig
from smearlab.learn.transforms.whole_views import WholeViewConfig
from smearlab.types import CELL_TYPES

#: What both networks share.
PAPER = TrainConfig(
    epochs=30, optimizer="adam", weight_decay=0.0, schedule="constant", ema=0.0, workers=1
)

RECIPE = Recipe(
    name="bloodcell_net",
    title="BloodCell-Net: all nine blood cells by U-Net, watershed and a light CNN",
    source="Mondal et al. 2024, BloodCell-Net",
    stages=(
        Stage(
            name="bloodcell_unet",
            kind="segmenter",
            model=UNet,
            graph=ForegroundGraph,
            objective=foreground,
            samples="foreground",
            view=WholeViewConfig(),
            train=replace(PAPER, batch_size=8, lr=1e-4, precision="auto"),
            card={
                "classes": ["background", "cell"],
                "decoder": "watershed",
                "watershed": {"min_area_px": 40.0, "marker_depth": 0.12},
                "clahe": {"clip_limit": 2.0},
                "stride": 16,
                "context_px": 160,
                "map_step": 1,
                "size_px": 256,
                "cell_diameter_px": 45,
                "data": ["TXL-PBC (train, MIT)", "BCCD (train, MIT)"],
                "licence": "Apache-2.0",
                "use": "Research use only; the paper's network, for comparison.",
            },
        ),
        Stage(
            name="bloodcell_lwcnn",
            kind="classifier",
            model=LWCNN,
            graph=TypesGraph,
            objective=Classification(),
            samples="cells",
            view=CellViewConfig(
                input_px=64, context=1.1, turn=20.0, shift=0.05, zoom=0.05, shear=0.05, colour=0.0
            ),
            train=replace(PAPER, batch_size=32, lr=1e-3, schedule="cosine", ema=0.998),
            card={
                "classes": list(CELL_TYPES[:-1]),
                "input_px": 64,
                "context": 1.1,
                "data": [
                    "PBC, four fifths (CC BY 4.0)",
                    "red cells and platelets of PBC in TXL-PBC",
                ],
                "licence": "Apache-2.0; attribution to PBC",
                "use": "Research use only; the paper's network, for comparison.",
            },
            # Nothing but PBC: were red cells of other stains learnt without white ones, all that is
            # of another stain would be taken for red cells.
            exclude_origins=(
                "Raabin-WBC/txl_pbc",
                "BCCD/bccd4",
                "Raabin-WBC/fields",
                "BCCD/fields",
                "BCDD/fields",
            ),
        ),
    ),
    reported={
        "segmentation (section 4.1)": {
            "pixel_accuracy": 0.9823,
            "precision": 0.9840,
            "sensitivity": 0.9825,
            "iou": 0.9597,
            "dice": 0.9792,
        },
        "classification, 5 folds (section 4.2)": {
            "accuracy": 0.9710,
            "precision": 0.9719,
            "recall": 0.9701,
            "f1": 0.9710,
        },
    },
    deviations=(
        "masks come from boxes (colour segmentation inside each box): PBC has no masks",
        "one resize, to each network's own input (256 and 64), not through 224 (the text's)",
        "eq. 2 is read with the denominator x_max − x_min",
        "dropout 0.25; the paper gives no rate",
        "LWCNN: a cosine and averaged weights; the paper names only Adam",
        "class sizes are those of the public part of PBC here; Table 2 sums to 10,124 while the "
        "text says 10,614",
        "split by source, a fifth held out, instead of five folds over pictures",
        "epochs are set by two CPU cores; the paper trains longer",
    ),
)
