"""Every SQL statement of a pass."""
