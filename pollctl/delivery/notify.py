"""Notifications of the core itself: alerts of plugins that keep failing or recover."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl.api.outcomes import FAILURES
from pollctl.clock import is_waiting
from pollctl.delivery.effects import CORE_PREFIX, Queued
from pollctl.delivery.messages import Message, to_each

if TYPE_CHECKING:
    from pollctl.config.schema import Notify
    from pollctl.store.runs import Failures

FAILING = f"{CORE_PREFIX}failing"
RECOVERED = f"{CORE_PREFIX}recovered"


def alerts(
    settings: Notify,
    plugin: str,
    run_id: str,
    standing: Failures,
    outcome: str,
    error: Mapping[str, str] | None,
    now: datetime,
) -> list[Queued]:
    """One effect per address when a plugin keeps failing, again every ``renotify_every``, and one when it recovers."""
    if outcome in FAILURES:
        if standing.consecutive < settings.alert_after or _was_just_sent(standing.last_alert_at, settings, now):
            return []
        kind = FAILING
        body = f"{standing.consecutive} failed passes in a row. The last: {(error or {}).get('message', outcome)}"
        message = Message(title=f"pollctl: {plugin} keeps failing", body=body, level="failure")
    elif outcome in ("ok", "partial") and standing.last_alert_at is not None:
        kind = RECOVERED
        body = f"Its pass {run_id} ended {outcome}."
        message = Message(title=f"pollctl: {plugin} recovered", body=body, level="success")
    else:
        return []
    return to_each(kind, f"{kind}:{run_id}", message, settings.urls) if settings.urls else []


def _was_just_sent(last: datetime | None, settings: Notify, now: datetime) -> bool:
    """Whether people need not hear of it again yet."""
    every = settings.renotify_every
    return last is not None and is_waiting(last, now - every, every)
