"""Rounds of probes: who is due, what is under way, what has landed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pollctl import Run
from pollctl_latency.client.exchanges import (
    probe_directly,
    read_answer,
    read_result,
    request_for,
    simulate,
    trouble_with,
)
from pollctl_latency.model import Job, Reading, Round
from pollctl_latency.store import apply as store

if TYPE_CHECKING:
    from sqlite_utils import Database

TICK = timedelta(seconds=1)
"""How soon a new job is noticed, and the longest that a round waits for probes under way."""
GRAIN = timedelta(milliseconds=50)
"""The shortest round. Probes that start this soon after their round count as started with it: so their jobs
stay together and do not fan out into a round, and a commit, for each."""
LEAVE = timedelta(milliseconds=500)
"""How long before the deadline probes under way are given up, so that the pass ends in good order."""
SUMMED_AT_ONCE = 20_000
"""Samples that one batch of finished jobs reads at most, unless one job alone has more."""

Landing = tuple[int, Reading | None]
"""A job's id and what its probe brought; nothing when the pass cut it."""


class Agenda(NamedTuple):
    """What the running jobs ask for at one moment."""

    due: list[Job]
    finished: list[Job]
    next_at: datetime


def rounds(run: Run, db: Database) -> Iterator[Round]:
    """Yield what landed and what is over, round by round, until the window closes; then what may be pruned.

    A slow target holds back nobody: a round takes what has landed when the next is due; the rest lands later.
    """
    probes = Probes(run)
    is_open = True
    while is_open:
        asked = agenda(store.running_jobs(db), run.now, probes.under_way)
        probes.launch(asked.due)
        yield from finished_rounds([*asked.finished, *store.closed_jobs(db)])
        yield from probes.landed(asked.next_at - run.now)
        is_open = timedelta(seconds=run.remaining) > TICK + LEAVE and run.next_round(asked.next_at)
    yield from probes.landed(timedelta(seconds=run.remaining) - LEAVE)
    over = store.prunable(db, run.now - run.settings.keep_samples)
    if over:
        yield Round(prunable=over)


def agenda(jobs: Iterable[Job], now: datetime, under_way: Iterable[int]) -> Agenda:
    """Sort jobs by what they ask for, expiry first; a job whose probe is under way asks for nothing."""
    due, finished, next_at = [], [], now + TICK
    for job in jobs:
        if job.id in under_way:
            continue
        if now > job.ends_at:
            finished.append(job)
        elif now >= job.due_at:
            due.append(job)
        else:
            next_at = min(next_at, job.due_at)
    return Agenda(due, finished, max(next_at, now + GRAIN))


def finished_rounds(jobs: Iterable[Job]) -> Iterator[Round]:
    """Batches of jobs that are over, small enough to hold all their samples."""
    for ids in store.filling(((job.id, job.sample_count) for job in jobs), SUMMED_AT_ONCE):
        yield Round(finished=ids)


class Probes:
    """The probes under way, across the borders of rounds; at most ``concurrency`` of each kind at a time."""

    def __init__(self, run: Run) -> None:
        self.under_way: dict[int, Job] = {}
        self._run = run
        self._seconds: float = run.settings.timeout.total_seconds()
        self._landings: SimpleQueue[Landing | Exception] = SimpleQueue()

    def launch(self, jobs: Sequence[Job]) -> None:
        """Start probing, unless as many probes are under way as may be: then the jobs stay due."""
        free = self._run.settings.concurrency - len(self.under_way)
        if free <= 0:
            return
        by_web: list[Job] = []
        directly: list[Job] = []
        for job in jobs:
            self.under_way[job.id] = job
            reading = read_at_once(job, self._run.now)
            if reading is not None:
                self._landings.put((job.id, reading))
            else:
                (by_web if job.probe in ("api", "http") else directly).append(job)
        if by_web:
            self._follow(self._ask(by_web, free))
        if directly:
            self._follow(self._reach(directly, free))

    def landed(self, patience: timedelta) -> Iterator[Round]:
        """Wait for probes under way, at most *patience*, and yield what they brought, if anything.

        A pass that is told to stop waits for all of them, because nobody will come for the rest.
        """
        readings = list(self._collect(patience))
        if self._run.is_stopping:
            readings += self._collect(timedelta(seconds=self._run.remaining) - LEAVE)
        if readings:
            yield Round(readings=readings)

    def _ask(self, jobs: Sequence[Job], concurrency: int) -> Iterator[Landing]:
        began = self._run.now
        requests = (request_for(job, self._run.settings) for job in jobs)
        for answer in self._run.get_many(requests, concurrency=concurrency):
            yield answer.request.tag.id, aligned(read_answer(answer), began)

    def _reach(self, jobs: Sequence[Job], concurrency: int) -> Iterator[Landing]:
        began = self._run.now
        probe = partial(probe_directly, timeout=self._seconds)
        for result in self._run.map(probe, jobs, concurrency=concurrency, timeout=self._seconds):
            yield result.item.id, aligned(read_result(result), began)

    def _follow(self, landings: Iterator[Landing]) -> None:
        """Queue each landing as it comes, from a thread of its own: waiting for one must not hold others."""

        def follow() -> None:
            try:
                for landing in landings:
                    self._landings.put(landing)
            except Exception as error:  # noqa: BLE001 - raised again where the pass waits
                self._landings.put(error)

        Thread(target=follow, daemon=True, name="latency-probes").start()

    def _collect(self, patience: timedelta) -> Iterator[Reading]:
        until = time.monotonic() + patience.total_seconds()
        while self.under_way:
            try:
                landing = self._landings.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                return
            if isinstance(landing, Exception):
                raise landing
            job = self.under_way.pop(landing[0])
            if landing[1] is not None:
                self._tell(job, landing[1])
                yield landing[1]

    def _tell(self, job: Job, reading: Reading) -> None:
        if reading.status == "system_error":
            self._run.failed(job.target, reading.why)
        else:
            self._run.reached(job.target)


def read_at_once(job: Job, now: datetime) -> Reading | None:
    """The reading of a job without a probe: it is simulated, or its target cannot be probed at all."""
    if job.monitoring_mode == "simulated":
        return simulate(job, now)
    trouble = trouble_with(job.target, job.probe)
    return Reading(job_id=job.id, status="system_error", started_at=now, why=trouble) if trouble else None


def aligned(reading: Reading | None, began: datetime) -> Reading | None:
    """A reading that counts as started with its round, where it did within a grain."""
    if reading is None or not began < reading.started_at < began + GRAIN:
        return reading
    return msgspec.structs.replace(reading, started_at=began)
