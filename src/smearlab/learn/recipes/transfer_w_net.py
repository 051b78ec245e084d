"""W-Net further trained on a small set of another stain (Jung et al. 2021, section 3.8)."""

from dataclasses import replace

from smearlab.learn.classifier_recipe import PictureData
from smearlab.learn.recipes.w_net import W_NET, W_NET_TUNED, fold_seconds

#: Pictures of each type of LISC, section 3.8.
LISC = {
    "neutrophil": 56.0,
    "eosinophil": 39.0,
    "basophil": 55.0,
    "lymphocyte": 56.0,
    "monocyte": 48.0,
}
_SMALL = PictureData(
    ("txl_pbc",), "wbc5", folds=10, origins=("Raabin-WBC",), proportions=LISC, total=254
)
_DATA = (
    "254 pictures of Raabin-WBC, drawn in the proportions of LISC, in LISC's place; they are of "
    "another hospital and stain than PBC, as LISC is of another than the paper's own"
)
#: Two of the paper's trainings on the small set: from scratch, and from W-Net.
SCRATCH = replace(
    W_NET,
    name="transfer_w_net_scratch",
    title="W-Net on the small set alone",
    source="Jung et al. 2021, section 3.8",
    data=_SMALL,
    train=replace(W_NET.train, epochs=4000),
    reported={"accuracy": 0.91, "train_seconds": fold_seconds(10.33), "where": "Table 15"},
    deviations=(_DATA, *W_NET.deviations[1:]),
)
TRANSFER = replace(
    SCRATCH,
    name="transfer_w_net",
    title="W-Net trained on the large set, then on the small one",
    pretrain=replace(W_NET, data=replace(W_NET.data, folds=0)),
    reported={"accuracy": 0.96, "train_seconds": fold_seconds(10.83), "where": "Table 16"},
)
#: The same two, trained our way.
_FINE = replace(W_NET_TUNED.train, epochs=150, batch_size=32)
SCRATCH_TUNED = replace(
    SCRATCH,
    name="transfer_w_net_scratch_tuned",
    title="W-Net on the small set alone, trained our way",
    view=W_NET_TUNED.view,
    train=_FINE,
    loss=W_NET_TUNED.loss,
    deviations=(_DATA, *W_NET_TUNED.deviations[1:]),
)
TRANSFER_TUNED = replace(
    SCRATCH_TUNED,
    name="transfer_w_net_tuned",
    title="W-Net trained on the large set, then on the small one, our way",
    train=replace(_FINE, lr=3e-4),
    pretrain=replace(W_NET_TUNED, data=replace(W_NET.data, folds=0)),
    reported=TRANSFER.reported,
)

RECIPES = (TRANSFER, SCRATCH, TRANSFER_TUNED, SCRATCH_TUNED)
