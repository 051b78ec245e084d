"""Whole systems from sources to report, in stages that are kept and gone on with."""
