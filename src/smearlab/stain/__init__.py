"""Stain normalisation at the bench: one smear made to look as if stained like another."""
