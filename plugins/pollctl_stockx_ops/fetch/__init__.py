"""The rounds of a pass: which requests are made, in which order, and what becomes a batch."""
