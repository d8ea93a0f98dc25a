"""The events that a check is folded from: gathered from queue and history, and those that are not in its day."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from pollctl import to_text
from pollctl_toilet_gap.decide.context import Context
from pollctl_toilet_gap.decide.records import BEFORE_START, in_order, record_of
from pollctl_toilet_gap.model import Check, DeadLetter, Decision, Event, History, PoisonMessage, Source


def gather(check: Check, history: History | None, context: Context) -> tuple[list[Event], list[Decision]]:
    """What is not folded yet, from queue and history, each event once, by time; and what is not to be believed."""
    seen = {*check.recorded, *check.quarantined}
    events = {event.id: event for event in check.pending}
    decisions: list[Decision] = []
    for event in in_order(history.events) if history else ():
        if event.id in seen or event.id in events:
            continue
        if event.at > context.now + context.settings.future_skew:
            seen.add(event.id)
            decisions.append(quarantine(event, check.robot_id, "history", "", context.now, check.terms.event))
            continue
        events[event.id] = event
    decisions += [
        DeadLetter(poison=poison, is_watched=True, reason=poison.reason)
        for poison in (history.poison if history else ())
    ]
    return in_order(events.values()), decisions


def set_outside(check: Check) -> tuple[Check, list[Decision]]:
    """Events from the queue before the start move nothing; those after the end wait, since the end may still change."""
    outside = in_order(event for event in check.pending if event.at < check.planned_at)
    records: list[Decision] = [
        record_of(check, order, event, BEFORE_START) for order, event in enumerate(outside, start=check.last_order + 1)
    ]
    return replace(check, last_order=check.last_order + len(records)), records


def quarantine(
    event: Event, robot_id: str, source: Source, body: str, now: datetime, event_name: str | None = None
) -> DeadLetter:
    """An event that is too far ahead is not believed, now or later."""
    poison = PoisonMessage(
        source=source,
        key=f"future:{robot_id}:{event.id}",
        reason=f"its time {to_text(event.at)} was ahead of {to_text(now)}",
        body=body,
        robot_id=robot_id,
        event_id=event.id,
        event_name=event_name,
    )
    return DeadLetter(poison=poison, reason=poison.reason)
