"""The keys of a watch, its condition, and what is read of a page."""

from __future__ import annotations

from pollctl_watch.model.before import Before
from pollctl_watch.model.condition import Condition
from pollctl_watch.model.seen import Number, Page, Remembered, Seen
from pollctl_watch.model.settings import WatchSettings
from pollctl_watch.model.watch import Asked, Watch

__all__ = ["Asked", "Before", "Condition", "Number", "Page", "Remembered", "Seen", "Watch", "WatchSettings"]
