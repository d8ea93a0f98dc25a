"""The rounds of a pass."""
