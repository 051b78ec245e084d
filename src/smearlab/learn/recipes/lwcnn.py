"""The classifier of BloodCell-Net (Mondal et al. 2024), and what another stain costs it."""

from dataclasses import replace

from smearlab.learn.classifier_recipe import ClassifierRecipe, PictureData
from smearlab.learn.recipes.trainings import TUNED
from smearlab.learn.transforms.affine_ranges import PAPER_A, TURNED
from smearlab.learn.transforms.picture_views import PictureViewConfig

#: What a network learns from one stain is worth on another.
ACROSS = PictureData(
    ("pbc", "txl_pbc"), "wbc5", train_on=("PBC",), test_on=("Raabin-WBC",), val_share=0.1
)

LWCNN = ClassifierRecipe(
    name="lwcnn",
    title="LWCNN, the light classifier of BloodCell-Net",
    source="Mondal et al. 2024, BloodCell-Net, section 3.5",
    network="lwcnn",
    data=PictureData(("pbc",), "cells9", folds=5),
    view=PictureViewConfig(64, 200, PAPER_A),
    train=replace(TUNED, epochs=40, lr=2e-3, optimizer="adam", weight_decay=0.0, batch_size=32),
    reported={
        "accuracy": 0.9710,
        "precision": 0.9719,
        "recall": 0.9701,
        "f1": 0.9710,
        "parameters": 653_129,
        "folds": [0.9707, 0.9741, 0.9672, 0.9746, 0.9682],
        "where": "Table 6",
    },
    deviations=(
        "the middle of the pictures, the same square of each, not the cell cut out by a watershed",
        "erythrocytes only where the manifest has them (smearlab data erythrocytes)",
        "no CLAHE, which slows the training (--set view.clip_limit=2 brings it back)",
        "40 epochs, batches of 32, a cosine and averaged weights; the paper names only Adam",
        "dropout 0.25; the paper gives no rate",
        "resized once, to 64 px; the text says 224, the network takes 64",
        "a tenth of the training part validates",
    ),
)
PLAIN = replace(
    LWCNN,
    name="lwcnn_plain",
    title="LWCNN trained on PBC, tested on Raabin-WBC",
    source="this project: what another stain costs",
    data=ACROSS,
    # Elsewhere cells lie and measure otherwise, too: what is left to learn about is the stain.
    view=replace(LWCNN.view, ranges=replace(TURNED, zoom=(0.75, 1.3))),
    train=replace(LWCNN.train, epochs=30),
    reported={},
    deviations=(),
)
STAINS = replace(
    PLAIN,
    name="lwcnn_stains",
    title="LWCNN trained on PBC in varied stains, tested on Raabin-WBC",
    view=replace(PLAIN.view, colour=1.0),
)

RECIPES = (LWCNN, PLAIN, STAINS)
