"""Augmentations: numpy in, numpy out, every draw from the generator that is handed in."""
