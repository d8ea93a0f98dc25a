"""The rules: what an answer is worth, what it changes, and who is notified. Pure: no I/O, no clock."""

from __future__ import annotations

from pollctl_soc_sections.decide.batches import decide

__all__ = ["decide"]
