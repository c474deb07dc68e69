"""征集: calls and their rules."""
