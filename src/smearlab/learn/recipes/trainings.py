"""The two ways to train that recipes begin from."""

from smearlab.learn.train.config import TrainConfig

#: No warm-up, no averaging, no clipping, a constant rate: the paper names none of them.
BARE = TrainConfig(
    optimizer="adam", weight_decay=0.0, warmup_share=0.0, schedule="constant", ema=0.0,
    clip_norm=0.0, precision="auto", workers=2,
)  # fmt: skip
#: How we train.
TUNED = TrainConfig(
    epochs=80, batch_size=64, lr=1e-3, weight_decay=0.01, warmup_share=0.05, ema=0.998,
    precision="auto", workers=2,
)  # fmt: skip
