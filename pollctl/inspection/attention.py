"""What a person should look at: the first thing that ``status`` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from pollctl.api.outcomes import FAILURES
from pollctl.console.words import count

if TYPE_CHECKING:
    from pollctl.console.moments import Moments
    from pollctl.inspection.past import PastPasses
    from pollctl.inspection.status import PluginStatus

Urgency = Literal["failed", "warn"]


class Attention(Struct, frozen=True):
    """One thing to look at.

    Attributes:
        urgency: how urgent it is.
        plugin: whose it is.
        what: what it is, in a few words.
        why: what was said about it, with moments as the database has them.
        since: the moment from which on it has been so, where that is known.
        remedy: the command to type.
    """

    urgency: Urgency
    plugin: str
    what: str
    why: str = ""
    since: str | datetime | None = None
    remedy: str = ""

    def line(self, moments: Moments) -> str:
        """All of it for a screen; the command only where nothing was said about it."""
        since = f" since {moments.short(self.since)}" if self.since else ""
        said = ": ".join(filter(None, (f"{self.what}{since}", moments.in_text(self.why))))
        return said if self.why or not self.remedy else f"{said}; see `{self.remedy}`"


def attention(statuses: Sequence[PluginStatus], past: PastPasses) -> list[Attention]:
    """What needs somebody, failures first."""
    return most_urgent_first([one for status in statuses for one in _of_plugin(status, past)])


def most_urgent_first(found: Sequence[Attention]) -> list[Attention]:
    """Failures first, otherwise as they are."""
    return sorted(found, key=lambda one: one.urgency != "failed")


def _of_plugin(status: PluginStatus, past: PastPasses) -> Iterator[Attention]:
    name, problem, why = status.plugin, status.problem or "", f"pollctl why {status.plugin}"
    if status.outcome in FAILURES:
        often = f" {status.consecutive_failures} times in a row" if status.consecutive_failures > 1 else ""
        yield Attention("failed", name, f"{status.outcome}{often}", problem, past.failing_since(name), why)
    elif problem:
        yield Attention("warn", name, "partial" if status.outcome == "partial" else "", problem, remedy=why)
    if dead := status.outbox.get("dead", 0):
        yield Attention("failed", name, f"{count(dead, 'effect')} given up", remedy=_listing("dead"))
    if unknown := status.outbox.get("unknown", 0):
        what = f"{count(unknown, 'effect')} may or may not have arrived"
        yield Attention("warn", name, what, remedy=_listing("unknown"))


def _listing(status: str) -> str:
    return f"pollctl outbox list --status {status}"
