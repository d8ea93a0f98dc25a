"""What a pass asks, round by round, and what becomes a batch."""

from __future__ import annotations

from pollctl_shell_query.fetch.rounds import batches

__all__ = ["batches"]
