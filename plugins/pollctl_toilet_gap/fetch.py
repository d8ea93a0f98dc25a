"""What a pass does: days begin, the queue is drained, then the checks are folded, with the history where it is needed."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from pollctl import Run
from pollctl_toilet_gap import decide, history, store, wall
from pollctl_toilet_gap.letters import letter_of
from pollctl_toilet_gap.model import Batch, Check, History, Letter, Monitor, Poison, Settings, Turn

if TYPE_CHECKING:
    from sqlite_utils import Database

Item = TypeVar("Item")
AT_ONCE = 100
"""Checks, or messages, of one transaction at most."""


def batches(run: Run, db: Database) -> Iterator[Batch]:
    """Yield the days that begin, what the queue held, and the checks that are open."""
    yield from beginnings(run, db)
    if run.addresses and (unposted := store.unposted(db)):
        yield Batch(unposted=unposted)
    is_drained = yield from queue(run, db)
    yield from Folding(run, db, is_drained=is_drained).go()


def beginnings(run: Run, db: Database) -> Iterator[Batch]:
    """Days that contain now and have no check, and days that went by without one."""
    settings: Settings = run.settings
    latest = (run.now + timedelta(days=1)).date().isoformat()  # the latest date that there is now in any zone
    last_days = store.last_days(db, [monitor.name for monitor in settings.monitors], latest)
    for name, number, ends_at in store.ended_early(db, last_days, run.now):
        why = f"check {number} ended before its day did, so nobody watches until {ends_at}"
        run.failed(name, f"{why}: give the monitor another name, and it is watched at once")
    days = [
        day
        for monitor in settings.monitors
        if (day := wall.day_at(monitor, run.now)) and day.local_date > last_days.get(monitor.name, "")
    ]
    missed = [
        day
        for monitor in settings.monitors
        if monitor.name in last_days
        for day in wall.days_over(monitor, last_days[monitor.name], run.now)
    ]
    if days or missed:
        yield Batch(days=days, missed=missed)


def queue(run: Run, db: Database) -> Generator[Batch, None, bool]:
    """What the queue held, in transactions of their own; answers whether all that was in it is recorded now.

    A plan leaves the queue alone: to receive a message changes it. It reads the history instead.
    """
    if not run.settings.queue_url or run.is_dry or not run.settings.monitors:
        return False
    from pollctl_toilet_gap import sqs

    drained = sqs.drain(run)
    if drained.trouble:
        run.failed("queue", drained.trouble)
    chunks, before = list(_chunks(drained.messages, AT_ONCE)), store.batches_of(db, run.id)
    for messages in chunks:
        read = [letter_of(message) for message in messages]
        yield Batch(
            letters=[letter for letter in read if isinstance(letter, Letter)],
            poison=[letter for letter in read if isinstance(letter, Poison)],
        )
    return drained.is_empty and store.batches_of(db, run.id) == before + len(chunks)


class Folding:
    """The checks of one pass: at first those that need no history, then the others as their histories come."""

    def __init__(self, run: Run, db: Database, *, is_drained: bool) -> None:
        self._run = run
        self._db = db
        self._settings: Settings = run.settings
        self._is_drained = is_drained
        self._needs_all = not run.settings.queue_url or run.is_dry
        self._has_judged = False
        self._names: dict[int, str] = {}
        self._unwatched: list[Turn] = []

    def go(self) -> Iterator[Batch]:
        """Yield the checks in transactions of a hundred; last those that cannot be judged, when it is known if others can."""
        asking: list[Check] = []
        blind: list[History] = []
        turns: dict[int, Turn] = {}
        for ids in _chunks(store.open_checks(self._db), AT_ONCE):
            chunk, needing = self._sorted(ids)
            yield from self._batch(chunk)
            asking += needing
            turns |= {check.id: turn_of(check, self._settings.by_name) for check in needing}
        histories = history.read(self._run, asking)
        while some := list(islice(histories, AT_ONCE)):
            for one in some:
                self._tell(one)
            blind += [one for one in some if one.trouble]
            read = [one for one in some if not one.trouble]
            yield from self._batch([turns[one.check_id] for one in read], read)
        for unread in _chunks(blind, AT_ONCE):
            yield from self._batch([turns[one.check_id] for one in unread], unread)
        for unwatched in _chunks(self._unwatched, AT_ONCE):
            yield from self._batch(unwatched)

    def _sorted(self, ids: Sequence[int]) -> tuple[list[Turn], list[Check]]:
        """The turns that can be taken at once, and the checks that must read their history first."""
        monitors = self._settings.by_name
        checks = store.checks(self._db, {number: [] for number in ids})
        at_once, needing = [], []
        for check in checks.values():
            self._names[check.id] = check.monitor
            turn = turn_of(check, monitors)
            if check.phase == "SETUP":
                self._tell_setup(check)
                self._unwatched.append(turn)
            elif self._needs_all or decide.needs_history(check, turn, self._run.now, self._settings):
                needing.append(check)
            else:
                self._judged(check.monitor)
                at_once.append(turn)
        return at_once, needing

    def _batch(self, turns: Sequence[Turn], histories: Sequence[History] = ()) -> Iterator[Batch]:
        if turns:
            yield Batch(
                turns=list(turns),
                histories=list(histories),
                is_drained=self._is_drained,
                has_judged=self._has_judged,
            )

    def _tell(self, read: History) -> None:
        name = self._names[read.check_id]
        if not read.trouble:
            self._judged(name)
            return
        self._run.failed(name, f"the history of check {read.check_id} cannot be read: {read.trouble}")

    def _tell_setup(self, check: Check) -> None:
        if check.unmade is not None:
            self._run.failed(check.monitor, f"check {check.id} is not subscribed: {check.trouble}")

    def _judged(self, monitor: str) -> None:
        self._has_judged = True
        self._run.reached(monitor)


def _chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def turn_of(check: Check, monitors: dict[str, Monitor]) -> Turn:
    """One check with B by the settings of today; date, zone and A stay those that it began with.

    If A changed, too, B is on the date that it has by the new A, so that the check does not reach into the next one; a B
    that would be before its A holds from the next day on.
    """
    monitor = monitors.get(check.monitor)
    if monitor is None or monitor.end == check.terms.end:
        return Turn(check_id=check.id, ends_at=check.ends_at)
    zone = ZoneInfo(check.terms.timezone)
    _, ends_at = wall.bounds(zone, date.fromisoformat(check.local_date), monitor.start, monitor.end)
    return Turn(check_id=check.id, ends_at=ends_at if ends_at > check.planned_at else check.ends_at)
