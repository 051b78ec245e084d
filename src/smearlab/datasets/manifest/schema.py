"""The columns of a manifest."""

from __future__ import annotations

import pyarrow as pa

#: A box, px, half-open.
BOX = pa.struct(
    [("label", pa.string()), *((side, pa.float32()) for side in ("x0", "y0", "x1", "y1"))]
)
#: Keys of a box.
BOX_NAMES = tuple(field.name for field in BOX)
#: Every column: name → type. Those of :data:`REQUIRED` are never null.
SCHEMA = pa.schema(
    [
        ("path", pa.string()),  # of the picture, relative to the root, "/" between folders
        ("sha256", pa.string()),  # of the file's bytes
        ("dataset", pa.string()),  # name of the adapter
        ("source", pa.string()),  # archive that the picture came from at first
        ("source_image", pa.string()),  # name of the original picture there
        ("group", pa.string()),  # rows of one group never part
        ("patient", pa.string()),
        ("label", pa.string()),  # as the archive calls it
        ("subtype", pa.string()),
        ("type", pa.string()),  # in the manifest's taxonomy
        ("boxes", pa.list_(BOX)),  # px, half-open
        ("mask", pa.string()),  # path of a mask, relative to the root
        ("width_px", pa.int32()),
        ("height_px", pa.int32()),
        ("um_per_px", pa.float32()),
        ("stain", pa.string()),
        ("published_split", pa.string()),  # as the archive has it
        ("split", pa.string()),  # train, val or test
        ("fold", pa.int16()),
        ("synthetic", pa.bool_()),
    ]
)
REQUIRED = ("path", "dataset")
