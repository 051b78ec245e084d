"""Is a synthetic picture any use? Paper C's four checks, and what it adds to a classifier."""
