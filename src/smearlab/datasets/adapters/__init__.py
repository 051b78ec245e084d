"""Public picture sets: one adapter a set, which knows its layout, its counts and its traps."""
