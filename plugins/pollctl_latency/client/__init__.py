"""How a target is probed: which probe suits it, what is sent, and what its answer says."""
