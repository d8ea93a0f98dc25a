"""Asking the event service what it remembers: one request per robot, the answers as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pollctl import Answer, Request, Run
from pollctl_toilet_gap.client import event_service, parsing
from pollctl_toilet_gap.model import Check, Event, History, PoisonMessage

CONCURRENCY = 32
TIMEOUT_S = 5.0
"""Seconds for one history: some robots whose history hangs must not use up the pass of the others."""
LEAVE_S = 10.0
"""Seconds of a pass that are left for the alarms, however many histories are still to come; of a short pass a quarter."""


def read(run: Run, checks: Sequence[Check]) -> Iterator[History]:
    """The history of each check, from a whole gap before its window on: what came late is found, too."""
    url = run.settings.event_service_url
    requests = [
        Request(
            url=event_service.incomings_url(url, check.robot_id, check.terms.event, check.since - check.terms.gap),
            tag=check,
            timeout=TIMEOUT_S,
        )
        for check in checks
    ]
    left = {check.id: check for check in checks}
    leave_s = left_at_the_end(run)
    for answer in run.get_many(requests, concurrency=CONCURRENCY):
        check = answer.request.tag
        del left[check.id]
        yield history_of(answer, check)
        if run.remaining < leave_s:
            break
    for check in left.values():
        yield _unread(check, "there was no time left to read the history", was_asked=False)


def left_at_the_end(run: Run) -> float:
    """Seconds that reading histories must leave of a pass."""
    return min(LEAVE_S, run.remaining / 4)


def history_of(answer: Answer, check: Check) -> History:
    """What an answer holds; an item that cannot be understood leaves the others as they are."""
    if not answer.is_ok:
        return _unread(check, event_service.error_of(answer), was_asked=event_service.was_asked(answer))
    try:
        items = parsing.split_items(answer.body)
    except ValueError as error:
        return _unread(check, str(error))
    parsed = [parsing.parse_item(item, check.robot_id, check.terms.event) for item in items]
    return History(
        check_id=check.id,
        since=check.since - check.terms.gap,
        events=[item for item in parsed if isinstance(item, Event)],
        poison=[item for item in parsed if isinstance(item, PoisonMessage)],
    )


def _unread(check: Check, why: str, *, was_asked: bool = True) -> History:
    return History(check_id=check.id, since=check.since, error=why, was_asked=was_asked)
