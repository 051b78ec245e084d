"""The workshop wing: where models are built, trained and exported. Needs the [train] extra."""
