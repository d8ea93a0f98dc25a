"""Notifications of the core itself: alerts of plugins that keep failing or recover."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from pollctl.api.outcomes import FAILURES
from pollctl.clock import is_waiting
from pollctl.console.spoken import counted, spoken_length, spoken_moment
from pollctl.delivery.effects import CORE_PREFIX, Queued
from pollctl.delivery.messages import Message, to_each
from pollctl.redaction import Secret, address_digest

if TYPE_CHECKING:
    from pollctl.config.schema import Notify
    from pollctl.delivery.channels import Channel
    from pollctl.store.failures import Failures

FAILING = f"{CORE_PREFIX}failing"
RECOVERED = f"{CORE_PREFIX}recovered"
CHANNEL = f"{CORE_PREFIX}channel"
_UTC = ZoneInfo("UTC")


class Event(NamedTuple):
    """The end of a pass; *zone* is the one in which people read of it."""

    plugin: str
    run_id: str
    outcome: str
    error: Mapping[str, Any] | None
    at: datetime
    zone: ZoneInfo


def alerts(
    settings: Notify,
    plugin: str,
    run_id: str,
    failures: Failures,
    outcome: str,
    error: Mapping[str, Any] | None,
    now: datetime,
    *,
    zone: ZoneInfo = _UTC,
) -> list[Queued]:
    """One effect per address when a plugin keeps failing, again every ``renotify_every``, and one when it recovers."""
    event = Event(plugin, run_id, outcome, error, now, zone)
    if outcome in FAILURES:
        if failures.consecutive < settings.alert_after or _was_just_sent(failures.last_alert_at, settings, now):
            return []
        kind, message = FAILING, _failing(event, failures)
    elif outcome in ("ok", "partial") and failures.last_alert_at is not None:
        kind, message = RECOVERED, _recovered(event, failures.since)
    else:
        return []
    return to_each(kind, f"{kind}:{run_id}", message, settings.urls, settings.urls) if settings.urls else []


def _failing(event: Event, failures: Failures) -> Message:
    began = f", since {_since(event, failures.since)}" if failures.since else ""
    body = (
        f"{counted(failures.consecutive, 'failed pass', 'failed passes')} in a row{began}.\n"
        f"The last: {(event.error or {}).get('message', event.outcome)}\n{_origin(event)}"
    )
    return Message(title=f"pollctl: {event.plugin} keeps failing", body=body, level="failure")


def _recovered(event: Event, since: datetime | None) -> Message:
    began = f"It had been failing since {_since(event, since)}.\n" if since else ""
    body = f"Its pass ended {event.outcome} at {spoken_moment(event.at, event.zone)}.\n{began}{_origin(event)}"
    return Message(title=f"pollctl: {event.plugin} recovered", body=body, level="success")


def _since(event: Event, moment: datetime) -> str:
    return f"{spoken_moment(moment, event.zone)} ({spoken_length(event.at - moment)})"


def _origin(event: Event) -> str:
    return f"{event.plugin} on {os.uname().nodename}, run {event.run_id}"


def channel_alert(urls: Sequence[Secret], channel: Channel) -> list[Queued]:
    """One effect for each address but the dead one itself; its key is the same until the channel works again."""
    others = [url for url in urls if address_digest(url.reveal()) != channel.address]
    what = (
        "an address does not take messages"
        if channel.address
        else f"{channel.kind} of {channel.plugin} does not arrive"
    )
    body = f"{channel.plugin}: {channel.text}.\nSee `pollctl outbox list --status dead` on {os.uname().nodename}."
    message = Message(title=f"pollctl: {what}", body=body, level="failure")
    return to_each(CHANNEL, f"{CHANNEL}:{channel.first}", message, others, others) if others else []


def _was_just_sent(last: datetime | None, settings: Notify, now: datetime) -> bool:
    """Whether people need not hear of it again yet."""
    every = settings.renotify_every
    return last is not None and is_waiting(last, now - every, every)
