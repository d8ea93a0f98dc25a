"""What a pass did or a plan would do, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from pollctl import console
from pollctl.console import cells
from pollctl.console.moments import Moments, read
from pollctl.console.words import count
from pollctl.passes.report import Report
from pollctl.redaction import one_line


class Values(NamedTuple):
    """How the values of decisions are written.

    Attributes:
        moments: how moments are shown; None: whole.
        longest: how many characters of a value are shown; 0 for all.
    """

    moments: Moments | None = None
    longest: int = 0

    def shown(self, value: Any) -> str:
        """A value as a person writes it."""
        text = cells.shown(value, "text", Moments())
        if self.moments and read(value):
            return self.moments.short(value)
        is_cut = 0 < self.longest < len(text)
        return f"{text[: self.longest - 1].rstrip()}…" if is_cut else text

    def sentence(self, text: str) -> str:
        """A sentence, its moments as a person reads them."""
        return self.moments.in_text(text) if self.moments else text


_WHOLE = Values()


def print_report(report: Report, values: Values = _WHOLE) -> None:
    """Say in a line what a pass did; of a plan, every decision."""
    if isinstance(report.decisions, list):
        _print_plan(report, report.decisions, values)
        return
    effects = report.effects
    counted = ", ".join(
        [
            *([count(report.batches, "batch", "batches")] if report.batches else []),
            count(report.decisions, "decision"),
            *([f"{count(effects.queued, 'effect')} queued"] if effects.queued else []),
            *([f"{count(effects.known, 'effect')} known already"] if effects.known else []),
            *([f"{effects.delivered} delivered"] if effects.delivered else []),
            *([f"{effects.failed} undelivered"] if effects.failed else []),
        ]
    )
    counted_stats = ", ".join(f"{name} {number}" for name, number in report.stats.items() if number)
    stats = f" ({counted_stats})" if counted_stats else ""
    took = f"{report.duration_ms / 1000:.1f} s"
    console.print_sentence(f"{report.plugin}: {report.outcome} in {took}: {counted}{stats}")


def print_child_report(report: Mapping[str, object] | None, values: Values = _WHOLE) -> None:
    """The same from what a child printed, if it came as far; its error stands on stderr already."""
    if report:
        print_report(msgspec.convert(report, Report), values)


def warn_of_error(report: Report) -> None:
    """Say on stderr why a pass did not end well."""
    if report.error:
        console.warn(f"{report.plugin}: {report.outcome}: {report.error['message']}")
    if report.outcome == "interrupted" and not isinstance(report.decisions, list):
        stands = f"{count(report.batches, 'batch is', 'batches are')} committed and stand{'s' * (report.batches == 1)}"
        what = stands if report.batches else "no batch was committed"
        console.warn(f"{report.plugin}: interrupted: {what}; the next pass goes on from there")


def _print_plan(report: Report, decisions: list[dict[str, Any]], values: Values) -> None:
    """List decisions by their type, each with its reason; where there is none, why."""
    console.print_sentence(f"{report.plugin}: {report.outcome}, would decide {len(decisions)}; nothing was written")
    for reason in report.reasons or ():
        console.print_sentence(f"  {values.sentence(reason)}")
    for kind in dict.fromkeys(decision["type"] for decision in decisions):
        same = [decision for decision in decisions if decision["type"] == kind]
        console.print_text(f"\n{one_line(kind)} ({len(same)})")
        for decision in same:
            console.print_sentence(f"  {_sentence(decision, values)}")


def _sentence(decision: dict[str, Any], values: Values) -> str:
    """A decision as ``id 4, until ...: reason``."""
    fields = ", ".join(
        f"{key} {values.shown(value)}" for key, value in decision.items() if key not in ("type", "reason")
    )
    if "reason" not in decision:
        return fields
    reason = values.sentence(str(decision["reason"]))
    return f"{fields}: {reason}" if fields else reason
