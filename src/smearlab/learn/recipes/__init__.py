"""Recipes: one file a system, data rather than code."""
