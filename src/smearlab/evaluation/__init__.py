"""How good is it: an analyser's answers against fields, masks and cells that people labelled."""
