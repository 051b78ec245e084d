"""Adversarial games: which networks play, what is generated, what the critic judges."""
