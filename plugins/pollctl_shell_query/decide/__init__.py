"""The rules: what becomes of a run, given what the upstream answered. Pure; no I/O, no clock, no chance."""

from __future__ import annotations

from pollctl_shell_query.decide.batch import decide

__all__ = ["decide"]
