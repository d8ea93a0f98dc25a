"""Rounds of probes: which jobs are due, which are over, and when the next round begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pollctl import Run, counted, spoken_moment
from pollctl_latency.fetch.probe_pool import SHORTEST_ROUND, SHUTDOWN_TIME, ProbePool
from pollctl_latency.model import Job, Round
from pollctl_latency.store.jobs import closed_jobs, in_groups, jobs_in_turn, logins, next_turn
from pollctl_latency.store.mirror.load import claiming
from pollctl_latency.store.pruning import prunable_jobs

if TYPE_CHECKING:
    from sqlite_utils import Database

LONGEST_ROUND = timedelta(seconds=1)
"""How soon a new job is noticed beside others, and the longest that a round waits for probes in flight."""
OVERRUN = 0.05
"""The share of the window by which its last round may be late: what is due just after it would else wait for the next pass."""
LAST_CHANCE = timedelta(seconds=1)
"""What must be left until the deadline for such a round."""
SUMMED_AT_ONCE = 20_000
"""Samples that one batch of finished jobs reads at most, unless one job alone has more."""


class Selection(NamedTuple):
    """What becomes of the running jobs at one moment, and when to look again.

    Attributes:
        ahead: those of the due whose latest probe lies ahead, because the clock was set back.
        next_at: when to look again.
        next_due_at: when the next of the others is due; None where there is no other.
    """

    due: list[Job]
    expired: list[Job]
    ahead: list[Job]
    next_at: datetime
    next_due_at: datetime | None

    @property
    def is_any(self) -> bool:
        """Whether a job runs that may be sampled in this pass; to wait for one that may be made costs a process a minute."""
        return bool(self.due or self.next_due_at)


def rounds(run: Run, db: Database) -> Iterator[Round]:
    """Yield what completed and what is over, round by round, until the window closes or no job runs; then what may be pruned.

    A slow target holds back nobody: a round takes what has completed when the next is due; a later one takes the rest.
    """
    if run.settings.supabase.url:
        from pollctl_latency.fetch.remote import read

        yield Round(remote=read(run, db))
    probes = ProbePool(run)
    is_open = True
    while is_open:
        selected = select_jobs(jobs_in_turn(db, run.now), run.now, probes.in_flight, next_turn(db, run.now))
        say_clock(run, selected.ahead)
        probes.start(selected.due, logins(db, (job.id for job in selected.due)))
        yield from finished_rounds([*selected.expired, *closed_jobs(db)])
        yield from probes.completed(selected.next_at - run.now)
        is_open = bool(selected.is_any or probes.in_flight or claiming(db)) and goes_on(run, selected)
    yield from probes.completed(timedelta(seconds=run.remaining) - SHUTDOWN_TIME)
    probes.give_up()
    prunable = prunable_jobs(db, run.now - run.settings.keep_samples)
    if prunable:
        yield Round(prunable=prunable)


def select_jobs(
    jobs: Iterable[Job], now: datetime, in_flight: Iterable[int], next_turn: datetime | None = None
) -> Selection:
    """Sort jobs into expired, due and neither, expiry first; a job whose probe is in flight is neither.

    Args:
        jobs: those that are to be sorted.
        now: the moment of the round.
        in_flight: ids of jobs whose probe is in flight.
        next_turn: when the first of those is due or over that are not among *jobs*.
    """
    due, expired, ahead = [], [], []
    waiting = [next_turn] if next_turn else []
    for job in jobs:
        if job.id in in_flight:
            continue
        if now > job.ends_at:
            expired.append(job)
        elif job.last_ping_at is not None and job.last_ping_at > now:
            ahead.append(job)
        elif now >= job.due_at:
            due.append(job)
        else:
            waiting.append(job.due_at)
    next_due_at = min(waiting, default=None)
    next_at = min(next_due_at or now + LONGEST_ROUND, now + LONGEST_ROUND)
    return Selection([*due, *ahead], expired, ahead, max(next_at, now + SHORTEST_ROUND), next_due_at)


def goes_on(run: Run, selected: Selection) -> bool:
    """Whether another round begins: within the window, or so little after it that a job would miss one of its samples."""
    if timedelta(seconds=run.remaining) > LONGEST_ROUND + SHUTDOWN_TIME and run.next_round(selected.next_at):
        return True
    next_due_at = selected.next_due_at
    if next_due_at is None or next_due_at - run.now > timedelta(seconds=run.remaining) - LAST_CHANCE:
        return False
    return run.next_round(max(next_due_at, run.now + SHORTEST_ROUND), overrun=OVERRUN)


def say_clock(run: Run, ahead: Sequence[Job]) -> None:
    """Say that the clock was set back: jobs that seem to have been probed in the future are probed now."""
    if ahead:
        latest = max(job.last_ping_at or run.now for job in ahead)
        how_many = f"{counted(len(ahead), 'job')} {'was' if len(ahead) == 1 else 'were'}"
        until = spoken_moment(latest, run.timezone)
        run.log(f"the clock was set back: {how_many} sampled ahead of now, until {until}; due at once")


def finished_rounds(jobs: Iterable[Job]) -> Iterator[Round]:
    """Batches of jobs that are over, small enough to hold all their samples."""
    for ids in in_groups(((job.id, job.sample_count) for job in jobs), SUMMED_AT_ONCE):
        yield Round(finished=ids)
