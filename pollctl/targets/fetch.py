"""Which targets a pass asks, and what becomes a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from pollctl import Answer, Request, Run, counted, retry_after, to_text
from pollctl.targets.decide import said_of
from pollctl.targets.model import Batch, Look
from pollctl.targets.rows import Known, Roll
from pollctl.targets.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database

MOST = 100
MOST_BYTES = 4_000_000
LONGEST_S = 1.0
"""When a batch is full: many looks, much that was read, or a while after the last one; each commit costs a wait for the disk."""
_NOT_ASKED = ("deadline", "stopped")


class Reading(NamedTuple):
    """What an author gives: how an answer is read, and as a value of which type."""

    read: Callable[[Answer, Any], Any]
    value: Any


def batches(store: Store, reading: Reading, run: Run, db: Database, roll: Roll) -> Iterator[Batch]:
    """Ask what is due, and say until when nothing is."""
    due = [one for one in roll.known if one.is_active and _is_due(one, run)]
    _tell_course(run, roll, due)
    looks: list[Look] = []
    size, committed_at = 0, time.monotonic()
    for answer in run.get_many(_requests(due, run)):
        look = _look(reading, answer, run)
        if look is None:
            continue
        looks.append(look)
        size += len(answer.body)
        is_full = len(looks) >= MOST or size > MOST_BYTES or time.monotonic() - committed_at > LONGEST_S
        if is_full and not run.is_stopping:
            yield Batch(looks=looks)
            looks, size, committed_at = [], 0, time.monotonic()
    digest_at = store.next_digest(db)
    is_digest_due = digest_at is not None and digest_at <= run.now
    retired = [row.id for row in roll.orphans if row.retired_at is None]
    if looks or retired or is_digest_due:
        yield Batch(looks=looks, retired=retired, is_digest_due=is_digest_due)
    if not run.is_stopping:
        run.idle_until(_next_moment(roll.renewed(store.rows(db)), store.next_digest(db), run))


def _is_due(one: Known, run: Run) -> bool:
    at = one.next_at(run.timezone)
    return (at is None or at <= run.now) and not run.held_until(one.target.host)


def _tell_course(run: Run, roll: Roll, due: list[Known]) -> None:
    """Say which targets were reached lately, which cannot be read, and in a plan what is not looked at."""
    chosen = {one.title for one in due}
    for one in roll.known:
        if one.title not in chosen and one.is_active and _was_reached_lately(one):
            run.reached(one.title)
    for title, broken in roll.broken.items():
        run.failed(title, broken.why)
    resting = [one for one in roll.known if one.is_active and one.title not in chosen]
    if not roll.known:
        run.note("there is no target")
    if resting:
        until = to_text(min(_moment(one, run) for one in resting))
        run.note(f"{counted(len(due), 'target')} looked at, {len(resting)} not due until {until}")


def _was_reached_lately(one: Known) -> bool:
    """Whether the last look at a target that is not due yet reached it."""
    return one.row is not None and one.row.reached_at is not None and one.row.reached_at == one.row.looked_at


def _moment(one: Known, run: Run) -> datetime:
    """When a target is due, not before its host may be asked again."""
    at, held_until = one.next_at(run.timezone) or run.now, run.held_until(one.target.host)
    return max(at, held_until) if held_until else at


def _next_moment(roll: Roll, digest_at: datetime | None, run: Run) -> datetime:
    moments = [_moment(one, run) for one in roll.known if one.is_active]
    return min([*moments, *([digest_at] if digest_at else [])], default=datetime.max.replace(tzinfo=run.now.tzinfo))


def _requests(due: list[Known], run: Run) -> Iterator[Request]:
    """One for each target; none to a host that has asked in this pass to be left alone."""
    for one in due:
        if one.target.host not in _held(run):
            request = one.target.request()
            yield replace(request, headers={**request.headers, **_conditions(one, request)}, tag=one)


def _held(run: Run) -> set[str]:
    """The hosts that have asked in this pass to be left alone."""
    hosts: set[str] = run.once("pollctl.targets.held", set)
    return hosts


def _conditions(one: Known, request: Request) -> Mapping[str, str]:
    """The headers that ask whether what is remembered has changed: it must be what the upstream named them for."""
    if one.row is None or one.row.validators is None or one.is_redefined or request.method != "GET":
        return {}
    return msgspec.json.decode(one.row.validators, type=dict[str, str])


def _look(reading: Reading, answer: Answer, run: Run) -> Look | None:
    """What came of one answer; nothing where it is the pass that ended, or this machine that could not ask."""
    one: Known = answer.request.tag
    found = Look(title=one.title, row=one.row.id if one.row else None, definition=one.definition)
    if answer.error and answer.error.kind in _NOT_ASKED:
        return None
    if answer.error and answer.error.kind == "local":
        run.failed(one.title, answer.error.message)
        return None
    pause = retry_after(answer, answer.started_at)
    if pause:
        _held(run).add(one.target.host)
        found = replace(found, held=one.target.host, held_until=answer.started_at + pause)
    found = _read(reading, found, answer, one)
    if found.error:
        run.failed(one.title, found.error)
    else:
        run.reached(one.title)
    return found


def _read(reading: Reading, found: Look, answer: Answer, one: Known) -> Look:
    if answer.error:
        return replace(found, error=answer.error.message)
    if answer.is_unchanged and one.row and one.row.has_memory and not one.is_redefined:
        return replace(found, is_unchanged=True)
    if not one.target.is_answer(answer):
        until = f" and wants no request before {to_text(found.held_until)}" if found.held_until else ""
        return replace(found, error=f"{one.target.host} answered {answer.status}{until}")
    try:
        value = msgspec.json.decode(msgspec.json.encode(reading.read(answer, one.target)))
        msgspec.convert(value, reading.value)
    except Exception as error:  # noqa: BLE001 - a target fails on its own
        return replace(found, error=said_of(error, "read"))
    before = msgspec.json.decode(one.row.validators) if one.row and one.row.validators else None
    return replace(found, value=value, validators=answer.validators if answer.validators != before else None)
