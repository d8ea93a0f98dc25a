"""What a person should look at: the first thing that ``status`` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """One thing to look at: how urgent it is, whose it is, what it is."""

    urgency: Urgency
    plugin: str
    text: str


def attention(statuses: Sequence[PluginStatus], past: PastPasses, moments: Moments) -> list[Attention]:
    """What needs somebody, failures first."""
    found = [one for status in statuses for one in _of_plugin(status, past, moments)]
    return sorted(found, key=lambda one: one.urgency != "failed")


def _of_plugin(status: PluginStatus, past: PastPasses, moments: Moments) -> Iterator[Attention]:
    name, problem = status.plugin, moments.in_text(status.problem or "")
    if status.outcome in FAILURES:
        since = past.failing_since(name)
        often = f" {status.consecutive_failures} times in a row" if status.consecutive_failures > 1 else ""
        when = f" since {moments.short(since)}" if since else ""
        yield Attention("failed", name, f"{status.outcome}{often}{when}{': ' if problem else ''}{problem}")
    elif problem:
        yield Attention("warn", name, f"{status.outcome}: {problem}" if status.outcome == "partial" else problem)
    if dead := status.outbox.get("dead", 0):
        yield Attention("failed", name, f"{count(dead, 'effect')} given up; see `pollctl outbox list --status dead`")
    if unknown := status.outbox.get("unknown", 0):
        what = f"{count(unknown, 'effect')} may or may not have arrived"
        yield Attention("warn", name, f"{what}; see `pollctl outbox list --status unknown`")
