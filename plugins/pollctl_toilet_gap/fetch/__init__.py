"""What a pass asks for, in which order, and what of it becomes a batch."""

from __future__ import annotations

from pollctl_toilet_gap.fetch.rounds import batches

__all__ = ["batches"]
