"""One file a model: a frozen config and one module."""
