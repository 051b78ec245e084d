"""Each loss once, each with a test whose answer is known."""
