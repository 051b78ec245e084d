"""The workshop wing: where models are built, trained and exported. Needs the [train] extra."""

from smearlab.learn.vision import make_importable

make_importable()
