"""How passes end and where effects stand: each word once, for the core, the tables and what people read."""

from __future__ import annotations

from typing import Literal

Outcome = Literal["ok", "partial", "failed", "interrupted", "crashed"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "partial", "failed", "interrupted", "crashed")
FAILURES: tuple[Outcome, ...] = ("failed", "crashed")
"""Outcomes that count as a failure: for backoff, for failures in a row and for those who are notified."""

EffectStatus = Literal["pending", "sending", "delivered", "unknown", "dead"]
EFFECT_STATUSES: tuple[EffectStatus, ...] = ("pending", "sending", "delivered", "unknown", "dead")
CHANGEABLE: tuple[EffectStatus, ...] = ("pending", "unknown", "dead")
"""Where an effect may be retried or dropped by hand."""
