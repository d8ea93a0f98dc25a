"""Rounds of probes: which jobs are due, which probes are in flight, and what has completed."""
