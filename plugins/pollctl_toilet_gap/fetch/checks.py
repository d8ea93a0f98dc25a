"""The open checks of a pass: which are judged at once, and which when their history is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pollctl import Run
from pollctl_toilet_gap.decide import local_time
from pollctl_toilet_gap.decide.checks import needs_history, raises_alarm
from pollctl_toilet_gap.decide.context import Context
from pollctl_toilet_gap.fetch import history
from pollctl_toilet_gap.fetch.chunks import AT_ONCE, chunks
from pollctl_toilet_gap.fetch.heard import last_heard
from pollctl_toilet_gap.fetch.queue import Drained
from pollctl_toilet_gap.model import Batch, Check, DueCheck, History, LastHeard, Monitor, Settings
from pollctl_toilet_gap.store.checks import checks_of
from pollctl_toilet_gap.store.due import open_checks

if TYPE_CHECKING:
    from sqlite_utils import Database


class DueChecks:
    """The open checks of one pass: at first those that need no history, then the others as their histories come."""

    def __init__(self, run: Run, db: Database, *, queue: Drained) -> None:
        self._run = run
        self._db = db
        self._settings: Settings = run.settings
        self._unread_queue = queue.unread
        self._is_queue_enough = not run.settings.replay_required and not queue.error
        self._leave_s = history.left_at_the_end(run)
        self._needs_all = not run.settings.queue_url or run.is_dry
        self._has_judged = False
        self._due: dict[int, DueCheck] = {}
        self._monitor_names: dict[int, str] = {}
        self._needing_history: list[Check] = []
        self._in_setup: list[DueCheck] = []

    def batches(self) -> Iterator[Batch]:
        """Yield the checks in transactions of a hundred; last those that cannot be judged, when it is known if others can."""
        for ids in chunks(open_checks(self._db)):
            yield from self._batch(self._judged_at_once(ids))
        unread: list[History] = []
        histories = history.read(self._run, self._needing_history)
        while some := list(islice(histories, AT_ONCE)):
            for one in some:
                self._report_history(one)
            unread += [one for one in some if one.error]
            yield from self._with_histories([one for one in some if not one.error])
        for chunk in chunks(unread):
            yield from self._with_histories(chunk)
        for in_setup in chunks(self._in_setup):
            yield from self._batch(in_setup)

    def _judged_at_once(self, ids: Sequence[int]) -> list[DueCheck]:
        """The checks among *ids* that can be judged at once; the others are put aside."""
        at_once = []
        for check in checks_of(self._db, {number: [] for number in ids}).values():
            due = self._due[check.id] = due_check(check, self._settings.by_name)
            self._monitor_names[check.id] = check.monitor
            if check.phase == "SETUP":
                self._report_setup(check)
                self._in_setup.append(due)
            elif self._needs_all or needs_history(check, due, self._run.now, self._settings):
                self._needing_history.append(check)
            else:
                self._mark_judged(check.monitor)
                at_once.append(due)
        return at_once

    def _with_histories(self, histories: Sequence[History]) -> Iterator[Batch]:
        return self._batch([self._due[one.check_id] for one in histories], histories, self._heard(histories))

    def _heard(self, histories: Sequence[History]) -> list[LastHeard]:
        """When robots were last heard of whose alarm comes and of which people are told."""
        context = Context(self._run.now, self._settings, not self._unread_queue, self._has_judged)
        checks = {check.id: check for check in self._needing_history}
        told = {name for name, monitor in self._settings.by_name.items() if monitor.notify}
        due = [
            checks[one.check_id]
            for one in histories
            if checks[one.check_id].monitor in told
            and raises_alarm(checks[one.check_id], self._due[one.check_id], one, context)
        ]
        return last_heard(self._run, due, leave_s=self._leave_s) if due else []

    def _batch(
        self, due: Sequence[DueCheck], histories: Sequence[History] = (), heard: Sequence[LastHeard] = ()
    ) -> Iterator[Batch]:
        if due:
            yield Batch(
                due=list(due),
                histories=list(histories),
                is_drained=not self._unread_queue,
                unread_queue=self._unread_queue,
                heard=list(heard),
                has_judged=self._has_judged,
            )

    def _report_history(self, read: History) -> None:
        name = self._monitor_names[read.check_id]
        if not read.error:
            self._mark_judged(name)
            return
        why = f"the history of check {read.check_id} cannot be read: {read.error}"
        if self._is_queue_enough:
            self._mark_judged(name)
        is_waiting = not self._settings.replay_required and bool(self._unread_queue)
        self._run.failed(name, f"{why}; {self._unread_queue}" if is_waiting else why)

    def _report_setup(self, check: Check) -> None:
        if check.failed_subscription is not None:
            self._run.failed(check.monitor, f"check {check.id} is not subscribed: {check.subscription_error}")

    def _mark_judged(self, monitor: str) -> None:
        self._has_judged = True
        self._run.reached(monitor)


def due_check(check: Check, monitors: dict[str, Monitor]) -> DueCheck:
    """One check with its end by the settings of today; date, zone and start stay those that it began with.

    If the start changed, too, the end is on the date that it has by the new start, so that the check does not reach into the
    next one; an end that would be before the check's own start holds from the next day on.
    """
    monitor = monitors.get(check.monitor)
    if monitor is None or monitor.end == check.terms.end:
        return DueCheck(check_id=check.id, ends_at=check.ends_at)
    zone = ZoneInfo(check.terms.timezone)
    _, ends_at = local_time.bounds(zone, date.fromisoformat(check.local_date), monitor.start, monitor.end)
    return DueCheck(check_id=check.id, ends_at=ends_at if ends_at > check.planned_at else check.ends_at)
