"""When slots come: each is delayed by its jitter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pollctl.schedule.slots import Schedule

MILLISECOND = timedelta(milliseconds=1)


class Arrivals:
    """The slots of a schedule as they come: each delayed by its jitter.

    A jitter longer than the pause between slots may swap them; then the one that comes last counts.
    """

    def __init__(self, schedule: Schedule, jitter: timedelta, spread: str) -> None:
        self._schedule = schedule
        self._jitter = jitter
        self._spread = spread

    def latest(self, moment: datetime) -> tuple[datetime, datetime]:
        """Of the slots that have come by *moment*, the last to come, and when it came."""
        slot = self._schedule.latest(moment)
        best: tuple[datetime, datetime] | None = None
        while best is None or slot + self._jitter > best[1]:
            due_at = self.due_at(slot)
            if due_at <= moment and (best is None or due_at > best[1]):
                best = slot, due_at
            slot = self._schedule.latest(slot - MILLISECOND)
        return best

    def after(self, moment: datetime) -> datetime:
        """When the next slot comes, strictly after *moment*."""
        soonest = datetime.max.replace(tzinfo=UTC)
        for slot in self._schedule.slots_after(moment - self._jitter):
            if slot >= soonest:
                return soonest
            due_at = self.due_at(slot)
            if due_at > moment:
                soonest = min(soonest, due_at)
        raise AssertionError("slots have no end")

    def due_at(self, slot: datetime) -> datetime:
        """When *slot* comes: whole milliseconds, which is what the database keeps."""
        if not self._jitter:
            return slot
        from hashlib import blake2b

        digest = blake2b(f"{self._spread} {slot:%Y-%m-%dT%H:%M:%S}".encode(), digest_size=8).digest()
        return slot + (self._jitter // MILLISECOND * int.from_bytes(digest) >> 64) * MILLISECOND
