"""One table for all datasets: what it holds, and what may be done with it."""
