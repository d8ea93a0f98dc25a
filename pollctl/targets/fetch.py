"""Which targets a pass asks, and what becomes a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from pollctl import Answer, Request, Run, counted, retry_after, to_text
from pollctl.targets import answers
from pollctl.targets.answers import Asked
from pollctl.targets.decide import said_of
from pollctl.targets.edition import edition_of
from pollctl.targets.model import Batch, Look
from pollctl.targets.rows import Known, Roll
from pollctl.targets.store import Store, uncompared
from pollctl.targets.target import Target, cosmetics_of

if TYPE_CHECKING:
    from sqlite_utils import Database

MOST = 1000
MOST_BYTES = 4_000_000
LONGEST_S = 1.0
"""When a batch is full: many looks, much that was read, or a while after the last one; each commit costs a wait for the disk."""
_NOT_ASKED = ("deadline", "stopped")
"""Errors of requests whose turn did not come before the end of the pass."""


class Reading(NamedTuple):
    """What an author gives: how an answer is read, as a value of which type, and what then compares it."""

    read: Callable[[Answer, Any], Any]
    value: Any
    compare: Callable[..., Any]


class UnreadableError(Exception):
    """Why an answer holds nothing to compare."""


def batches(store: Store, reading: Reading, run: Run, db: Database, roll: Roll[Any]) -> Iterator[Batch]:
    """Ask what is due, and say until when nothing is."""
    due = [one for one in roll.known if one.is_active and _is_due(one, run)]
    looked: dict[str, bool] = {}
    try:
        yield from _in_batches(_looks(reading, due, run, looked), run)
        if last := _last_batch(store, run, db, roll):
            yield last
    finally:  # a pass that must end does not come back for more
        _tell_course(run, roll, due, looked)
    if not run.is_stopping:
        run.idle_until(_next_moment(roll.renewed(store.stands(db)), store.next_digest(db, run.now), run))


def _last_batch(store: Store, run: Run, db: Database, roll: Roll[Any]) -> Batch | None:
    """What there is to do beside looking."""
    digest_at = store.next_digest(db, run.now)
    is_digest_due = digest_at is not None and digest_at <= run.now
    retired = [row.id for row in roll.orphans if row.retired_at is None]
    if not retired and not is_digest_due:
        return None
    return Batch(retired=retired, is_digest_due=is_digest_due, titles=roll.titles if is_digest_due else {})


def _in_batches(found: Iterator[tuple[Look | int, int]], run: Run) -> Iterator[Batch]:
    """What came of answers, each with how much was read, as much together as makes a batch."""
    looks: list[Look] = []
    same: list[int] = []
    size, committed_at = 0, time.monotonic()
    for one, length in found:
        if isinstance(one, Look):
            looks.append(one)
        else:
            same.append(one)
        size += length
        is_full = len(looks) >= MOST or size > MOST_BYTES or time.monotonic() - committed_at > LONGEST_S
        if is_full and not run.is_stopping:
            yield Batch(looks=looks, same=same)
            looks, same, size, committed_at = [], [], 0, time.monotonic()
    if looks or same:
        yield Batch(looks=looks, same=same)


def _is_due(one: Known[Any], run: Run) -> bool:
    at = one.next_at(run.now, run.timezone)
    return (at is None or at <= run.now) and not run.held_until(one.target.host)


def _tell_course(run: Run, roll: Roll[Any], due: list[Known[Any]], looked: dict[str, bool]) -> None:
    """Say which targets were reached, how the others stand, which cannot be read, and in a plan when the others are due."""
    broken_off = uncompared(run)
    for title, was_reached in looked.items():
        if was_reached and title not in broken_off:
            run.reached(title)
    chosen = {one.title for one in due}
    for one in roll.known:
        if one.title not in looked and one.is_active:
            _tell_standing(one, run)
    for title, broken in roll.broken.items():
        run.failed(title, broken.why)
    resting = [one for one in roll.known if one.is_active and one.title not in chosen]
    if not roll.known and not roll.broken:
        run.note("there is no target")
    if resting:
        until = to_text(min(_moments(resting, run)))
        run.note(f"{counted(len(due), 'target')} looked at, {len(resting)} not due until {until}")


def _tell_standing(one: Known[Any], run: Run) -> None:
    """Say of a target what its last look said: that it is dead is so, too, while it is not due."""
    if one.row and one.row.error:
        run.failed(one.title, one.row.error)
    elif one.row and one.row.reached_at:
        run.reached(one.title)


def _moments(known: Iterable[Known[Any]], run: Run) -> Iterator[datetime]:
    """When targets are due, not before their hosts may be asked again; each moment of a host once."""
    for at, host in {(one.next_at(run.now, run.timezone) or run.now, one.target.host) for one in known}:
        yield max(at, run.held_until(host) or at)


def _next_moment(roll: Roll[Any], digest_at: datetime | None, run: Run) -> datetime:
    moments = _moments([one for one in roll.known if one.is_active], run)
    return min([*moments, *([digest_at] if digest_at else [])], default=datetime.max.replace(tzinfo=run.now.tzinfo))


def _requests(due: list[Known[Any]], edition: str, run: Run) -> Iterator[Request]:
    """One for each target; none to a host that has asked in this pass to be left alone."""
    held = _held(run)
    for one in due:
        if one.target.host not in held:
            asked = Asked(one, one.target.request(), f"{edition}{cosmetics_of(one.target)}")
            headers = {**asked.request.headers, **answers.conditions(asked)}
            yield replace(asked.request, headers=headers, tag=asked)


def _held(run: Run) -> set[str]:
    """The hosts that have asked in this pass to be left alone."""
    hosts: set[str] = run.once("pollctl.targets.held", set)
    return hosts


def _looks(
    reading: Reading, due: list[Known[Any]], run: Run, looked: dict[str, bool]
) -> Iterator[tuple[Look | int, int]]:
    """Looks at what is due, or rows over which nothing is to be decided, each with how much was read.

    *looked* gets whether those were reached whose turn came.
    """
    edition = edition_of(reading.read, reading.compare) if due else ""
    for answer in run.get_many(_requests(due, edition, run)):
        asked: Asked = answer.request.tag
        if answer.error and answer.error.kind in _NOT_ASKED:
            continue
        title, digest = asked.known.title, answers.digest_of(answer, asked)
        if row := answers.row_of_same(asked, answer, digest):
            looked[title] = True
            yield row, 0
            continue
        look = _look(reading, answer, asked, digest, run)
        looked[title] = not look.error
        if look.error:
            run.failed(title, look.error)
        if answer.error is None or answer.error.kind != "local":
            yield look, len(answer.body)


def _look(reading: Reading, answer: Answer, asked: Asked, digest: str, run: Run) -> Look:
    """What came of one answer."""
    one = asked.known
    found = Look(title=one.title, row=one.row.id if one.row else None, definition=one.definition)
    pause = retry_after(answer, answer.started_at)
    if pause:
        _held(run).add(one.target.host)
        found = replace(found, held=one.target.host, held_until=answer.started_at + pause)
    if answer.is_unchanged and one.row and one.row.has_memory and not one.is_redefined:
        return replace(found, is_unchanged=True)
    try:
        value = value_of(reading, answer, one.target)
    except UnreadableError as error:
        until = f" and wants no request before {to_text(found.held_until)}" if found.held_until else ""
        return replace(found, error=f"{error}{until}")
    now = answers.validators(answer, asked)
    is_kept = one.row and one.row.has_memory and now == answers.known_validators(one) and not one.is_redefined
    return replace(found, value=value, validators=None if is_kept else now, answer=digest)


def value_of(reading: Reading, answer: Answer, target: Target) -> Any:
    """What an answer holds, as JSON has it.

    Raises:
        UnreadableError: it holds nothing.
    """
    if answer.error:
        raise UnreadableError(answer.error.message)
    if not target.is_answer(answer):
        raise UnreadableError(f"{target.host} answered {answer.status}")
    try:
        value = msgspec.json.decode(msgspec.json.encode(reading.read(answer, target)))
        msgspec.convert(value, reading.value)
    except Exception as error:
        raise UnreadableError(said_of(error, "read", reading.read)) from error
    return value
