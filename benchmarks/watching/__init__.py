"""The parts of ``benchmarks/watchers.py``."""
