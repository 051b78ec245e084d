"""Which pictures show the same cells: exact copies, altered copies, overlapping photographs."""
