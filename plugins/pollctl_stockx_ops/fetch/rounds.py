"""The rounds of a pass: jobs out of time, the day that is over, then the jobs that are due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pollctl import ConfigError, Run, to_text
from pollctl_stockx_ops.client.rate_limiter import RateLimiter
from pollctl_stockx_ops.client.session import ApiSession
from pollctl_stockx_ops.fetch.logins import not_asked
from pollctl_stockx_ops.fetch.poller import JobPoller
from pollctl_stockx_ops.model import Batch, Day, DueJob
from pollctl_stockx_ops.store.days import is_summarised
from pollctl_stockx_ops.store.due import due_jobs, ended_accounts, is_anything_open, logins, overdue_jobs
from pollctl_stockx_ops.store.pace import latest_pace

if TYPE_CHECKING:
    from datetime import date

    from sqlite_utils import Database

_NEEDED = ("api_key", "client_id", "client_secret")


def batches(run: Run, db: Database) -> Iterator[Batch]:
    """Yield what is over and what the upstream answered, round by round; after each, when the latest request started.

    A pass goes on as long as its ``window`` while a job is open that may be asked about.

    Raises:
        ConfigError: jobs are due, and the settings lack a secret.
    """
    pace = latest_pace(db)
    limiter = RateLimiter(run, pace)
    poller = JobPoller(run, ApiSession(run, limiter))
    is_allowed = not (run.is_dry and pace is not None and pace.last_start is None)
    if not is_allowed:
        run.failed("stockx", "a pass is asking at this moment, or was cut off: a plan could not keep the rate")
    while True:
        yield from overdue(run, db)
        due = due_jobs(db, run.now, run.settings) if is_allowed and not poller.is_over else []
        missing = [name for name in _NEEDED if due and not getattr(run.settings, name)]
        is_asking = bool(due) and not missing
        yield Batch(day=day_to_sum_up(run, db), pace=limiter.unknown_pace() if is_asking and not run.is_dry else None)
        if missing:
            yield from unasked(run, due)
            raise ConfigError(*map(_how_to_set, missing))
        if is_asking:
            yield from poller.poll(due, logins(db, (job.user_id for job in due)))
            yield from final_pace(run, limiter)
        if not is_anything_open(db) or not run.next_round(run.now + run.settings.round_every):
            break
    poller.report(ended_accounts(db))


def unasked(run: Run, due: Sequence[DueJob]) -> Iterator[Batch]:
    """Jobs out of time about which no question can be sent, for lack of settings: no answer either, and not for ever."""
    before = to_text(run.now - run.settings.give_up_after)
    error = "the settings lack what asking needs"
    if late := [not_asked(job, 0, error) for job in due if job.started_at < before]:
        yield Batch(responses=late)


def overdue(run: Run, db: Database) -> Iterator[Batch]:
    """Jobs that have had all their time and are not asked about once more, in steps."""
    last = ("", "")
    while found := overdue_jobs(db, run.now, run.settings, last):
        last = found[-1]
        yield Batch(overdue=[job_id for _, job_id in found])


def day_to_sum_up(run: Run, db: Database) -> Day | None:
    """Yesterday in the plugin's time zone, unless it was summed up."""
    today = run.now.astimezone(run.timezone).date()
    yesterday = today - timedelta(days=1)
    if is_summarised(db, yesterday.isoformat()):
        return None
    starts_at, ends_at = _midnight(yesterday, run.timezone), _midnight(today, run.timezone)
    return Day(name=yesterday.isoformat(), starts_at=starts_at, ends_at=ends_at)


def final_pace(run: Run, limiter: RateLimiter) -> Iterator[Batch]:
    """What the next pass must know of the pace; a plan, which leaves nothing behind, waits until that is nothing."""
    if run.is_dry:
        limiter.wait_until_idle()
        return
    yield Batch(pace=limiter.pace())


def _how_to_set(name: str) -> str:
    return f'[plugins.stockx_ops] {name} is empty; write {name} = {{ env = "STOCKX_{name.upper()}" }}'


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(ZoneInfo("UTC"))
