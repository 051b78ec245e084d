"""Print the table of docs/networks.md: every classifier with its size and cost.

python docs/networks_table.py
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from smearlab.learn.models.classifiers import CLASSIFIERS
from smearlab.learn.models.complexity import multiply_accumulates
from smearlab.learn.train.checkpoints import parameter_count

#: Number of classes in the paper that a network is built for; the others are shown with twelve.
CLASSES = {
    "w_net": 5,
    "w_net_8_ways": 5,
    "lwcnn": 9,
    "vgg19_dense": 4,
    "vgg16_dense": 4,
    "alexnet": 5,
    "vgg_paper_c": 5,
    "lstm": 5,
    "resnet50_biased": 5,
    "cell_types": 9,
    "cell_types_compact": 9,
}
HEADER = (
    "| name | network | from | input, px | classes | parameters | MACs, millions |",
    "|---|---|---|--:|--:|--:|--:|",
)


def rows() -> Iterator[str]:
    """The lines of the table."""
    yield from HEADER
    for name, entry in CLASSIFIERS.items():
        classes = CLASSES.get(name, 12)
        with torch.device("meta"):  # shapes only: nothing is computed
            model = entry.build(classes)
        macs = multiply_accumulates(model, entry.input_px) / 1e6
        yield (
            f"| `{name}` | {entry.title} | {entry.source} | {entry.input_px} | {classes} | "
            f"{parameter_count(model):,} | {macs:,.0f} |"
        )


if __name__ == "__main__":
    print("\n".join(rows()))
