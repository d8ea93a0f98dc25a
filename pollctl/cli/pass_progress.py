"""How far a pass has come, for the line at the bottom of a terminal."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from pollctl.console import Event, Progress, log_event
from pollctl.console.moments import Moments
from pollctl.console.words import count


class PassProgress:
    """Listens to the events of one pass.

    Args:
        line: where it is shown.
        moments: how moments are shown.
    """

    def __init__(self, line: Progress, moments: Moments) -> None:
        self._line = line
        self._moments = moments
        self._batches = 0
        self._failed = 0
        self._stats: Counter[str] = Counter()
        self._until: datetime | None = None

    def __call__(self, event: Event) -> None:
        """Show what an event adds; the log has it as well, if it is wanted there."""
        log_event(event)
        match event.event:
            case "pass.started":
                self._until = event.facts["until"]
            case "batch.applied":
                self._batches += 1
                self._stats.update(event.facts["stats"])
            case "batch.failed" | "target.failed" | "effect.failed":
                self._failed += 1
        self._line.show(f"{event.plugin}: {self._sentence()}")

    def _sentence(self) -> str:
        """``3 batches, samples 24, 1 failure so far, until 20:54:50 at most``."""
        stats = (f"{name.replace('_', ' ')} {number}" for name, number in self._stats.items() if number)
        failed = [count(self._failed, "failure")] if self._failed else []
        until = f", until {self._moments.short(self._until)} at most" if self._until else ""
        return f"{', '.join([count(self._batches, 'batch', 'batches'), *stats, *failed])} so far{until}"
