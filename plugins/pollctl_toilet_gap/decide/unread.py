"""What could not be read while an alarm came: no alarm goes out against a visit that nobody could see without saying so."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from pollctl_toilet_gap.decide.context import Context
from pollctl_toilet_gap.model import Check, Decision, History, PoisonMessage, RaiseAlarm, Settings, UnreadEvent


def name_unread(decision: Decision, check: Check, history: History | None, context: Context) -> Decision:
    """An alarm with what could not be read of its window, and with when the robot was last heard of."""
    if not isinstance(decision, RaiseAlarm):
        return decision
    unread = [*unread_sources(history, context), *unread_events(decision, check, history, context)]
    return replace(decision, unread=unread, last_heard=context.heard.get(check.id))


def unread_sources(history: History | None, context: Context) -> Iterator[str]:
    """The history, and the queue where that would have made up for it."""
    if history is None or not history.error:
        return
    yield f"the history: {history.error}"
    if context.unread_queue:
        yield context.unread_queue


def unread_events(alarm: RaiseAlarm, check: Check, history: History | None, context: Context) -> Iterator[str]:
    """Events of the robot that may lie in the window of an alarm."""
    new = [poison for poison in (history.poison if history else ()) if poison.key not in context.known_letters]
    found = [UnreadEvent(reason=poison.reason, received_at=context.now, at=poison.at) for poison in new]
    for event in (*check.unread, *found):
        if event.may_lie_in(alarm.since, alarm.until):
            yield f"an event of the robot: {event.reason}"


def is_watched(poison: PoisonMessage, settings: Settings, *, is_ours: bool) -> bool:
    """Whether something that cannot be read may be a visit of a watched robot.

    Args:
        poison: what cannot be read.
        settings: with the monitors.
        is_ours: whether it came by a subscription of a check.
    """
    names = {
        monitor.event for monitor in settings.monitors if poison.robot_id is None or monitor.robot_id == poison.robot_id
    }
    if poison.event_name is not None and poison.event_name not in names:
        return False
    if poison.robot_id is not None:
        return bool(names)
    return is_ours or poison.subscription_id is None
