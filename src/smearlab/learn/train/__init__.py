"""Training loops: one for each kind of training."""
