"""When a robot was last heard of with any event, asked before an alarm; what does not answer in time holds up nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pollctl import Answer, Request, Run
from pollctl_toilet_gap.client import event_service, parsing
from pollctl_toilet_gap.model import Check, LastHeard

TIMEOUT_S = 2.0
"""Seconds for one answer."""
CONCURRENCY = 32
LOOKED_BACK = timedelta(days=1)
"""How far back an event is looked for."""


def last_heard(run: Run, checks: Sequence[Check], *, leave_s: float) -> list[LastHeard]:
    """When the robot of each check was last heard of; those for which no time is left are left out."""
    since = run.now - LOOKED_BACK
    url = run.settings.event_service_url
    requests = [
        Request(url=event_service.any_incomings_url(url, check.robot_id, since), tag=check, timeout=TIMEOUT_S)
        for check in checks
    ]
    found = []
    for answer in run.get_many(requests if run.remaining > leave_s else [], concurrency=CONCURRENCY):
        check: Check = answer.request.tag
        found.append(_read(answer, LastHeard(check_id=check.id, since=since), check.terms.alarm))
        if run.remaining < leave_s:
            break
    return found


def _read(answer: Answer, unknown: LastHeard, alarm: str) -> LastHeard:
    if not answer.is_ok:
        return LastHeard(check_id=unknown.check_id, since=unknown.since, error=event_service.error_of(answer))
    try:
        at = parsing.last_event(parsing.split_items(answer.body), alarm)
    except ValueError as error:
        return LastHeard(check_id=unknown.check_id, since=unknown.since, error=str(error))
    return LastHeard(check_id=unknown.check_id, since=unknown.since, at=at)
