"""Which days begin, and which went by without a pass."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from pollctl import Run
from pollctl_toilet_gap.decide import local_time
from pollctl_toilet_gap.model import Batch, Settings
from pollctl_toilet_gap.store import due

if TYPE_CHECKING:
    from sqlite_utils import Database


def beginnings(run: Run, db: Database) -> Iterator[Batch]:
    """Days that contain now and have no check, and days that went by without one."""
    settings: Settings = run.settings
    latest = (run.now + timedelta(days=1)).date().isoformat()  # the latest date that there is now in any zone
    last_days = due.last_days(db, [monitor.name for monitor in settings.monitors], latest)
    _report_ended_early(run, db, last_days)
    days = [
        day
        for monitor in settings.monitors
        if (day := local_time.day_at(monitor, run.now)) and day.local_date > last_days.get(monitor.name, "")
    ]
    missed = [
        day
        for monitor in settings.monitors
        if monitor.name in last_days
        for day in local_time.days_over(monitor, last_days[monitor.name], run.now)
    ]
    if days or missed:
        yield Batch(days=days, missed=missed)


def _report_ended_early(run: Run, db: Database, last_days: dict[str, str]) -> None:
    for name, number, ends_at in due.ended_early(db, last_days, run.now):
        why = f"check {number} ended before its day did, so it is not watched until {ends_at}"
        run.failed(name, f"{why}: give the monitor another name, and it is watched at once")
