"""Where what ``run.get_many`` asks is asked from: this machine, or others too (docs/decisions/0021-fan-out.md)."""
