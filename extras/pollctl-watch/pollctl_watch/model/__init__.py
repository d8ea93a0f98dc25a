"""The keys of a watch, its condition, and what is read of a page."""

from __future__ import annotations

from pollctl_watch.model.condition import Condition
from pollctl_watch.model.seen import Number, Seen
from pollctl_watch.model.watch import Watch

__all__ = ["Condition", "Number", "Seen", "Watch"]
