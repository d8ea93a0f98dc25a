"""The probes in flight, across the borders of rounds, and what has completed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread

import msgspec

from pollctl import Run
from pollctl_latency.client.direct import probe_directly, read_result
from pollctl_latency.client.exchanges import read_answer, request_for
from pollctl_latency.client.outcome import Outcome, measurement
from pollctl_latency.client.simulation import simulate
from pollctl_latency.client.targets import target_error
from pollctl_latency.model import Job, Measurement, Round

SHORTEST_ROUND = timedelta(milliseconds=50)
"""Probes that start this soon after their round count as started with it: so their jobs stay together and do not
fan out into a round, and a commit, for each."""
SHUTDOWN_TIME = timedelta(milliseconds=500)
"""How long before the deadline probes in flight are given up, so that the pass ends in good order."""
SIGNAL_TIME = timedelta(seconds=4)
"""How long probes in flight may still take when a signal ends the pass."""
GLANCE = timedelta(milliseconds=100)
"""How often a pass that waits for probes looks whether it must end."""
FORMER_BASE_URL = "http://127.0.0.1:4402"

Completed = tuple[int, Measurement | None]
"""A job's id and what its probe measured; nothing when the pass cut it."""


class ProbePool:
    """The probes in flight, across the borders of rounds; at most ``concurrency`` of each kind at a time."""

    def __init__(self, run: Run) -> None:
        self.in_flight: dict[int, Job] = {}
        self._run = run
        self._timeout_s: float = run.settings.timeout.total_seconds()
        self._unasked: set[int] = set()
        self._cut_at: float | None = None
        self._completed: SimpleQueue[Completed | list[Job] | Exception] = SimpleQueue()

    def start(self, jobs: Sequence[Job], logins: Mapping[int, str]) -> None:
        """Start probing, with the *logins* that there are, unless as many probes are in flight as may be: then jobs stay due."""
        free = self._run.settings.concurrency - len(self.in_flight)
        if free <= 0:
            return
        exchanges: list[Job] = []
        direct: list[Job] = []
        for job in jobs:
            if self._is_unaskable(job):
                continue
            self.in_flight[job.id] = job
            measured = measure_without_probe(job, self._run.now)
            if measured is not None:
                self._completed.put((job.id, measured))
            else:
                (exchanges if job.probe in ("api", "http") else direct).append(job)
        if exchanges:
            self._collect_in_background(exchanges, self._exchange(exchanges, logins, free))
        if direct:
            self._collect_in_background(direct, self._probe_directly(direct, free))

    def completed(self, max_wait: timedelta) -> Iterator[Round]:
        """Wait for probes in flight, at most *max_wait*, and yield what they measured, if anything.

        A pass that must stop waits for all of them, because no later round will take the rest.
        """
        measurements = list(self._measurements(max_wait))
        if self._run.is_stopping:
            measurements += self._measurements(self._left_to_stop(), is_stopping=True)
        if measurements:
            yield Round(measurements=measurements)

    def give_up(self) -> None:
        """Name the targets whose probes the end of the pass cuts; after a signal nobody is to blame."""
        if self._run.is_stopping and self._run.remaining > 0:
            return
        for job in self.in_flight.values():
            self._report_cut(job)

    def _left_to_stop(self) -> timedelta:
        """What is left of the time that probes in flight have, however many rounds wait for them."""
        if self._cut_at is None:
            self._cut_at = time.monotonic() + SIGNAL_TIME.total_seconds()
        until_deadline = timedelta(seconds=self._run.remaining) - SHUTDOWN_TIME
        return min(timedelta(seconds=self._cut_at - time.monotonic()), until_deadline)

    def _is_unaskable(self, job: Job) -> bool:
        """Whether a job has nobody to ask: an API without an address. It takes no sample, and is named once a pass."""
        if job.probe != "api" or self._run.settings.base_url or job.monitoring_mode == "simulated":
            return False
        if job.id not in self._unasked:
            self._unasked.add(job.id)
            self._run.reached(job.target)  # nothing speaks against the target itself: the pass is partial
            self._run.failed(job.target, f"base_url of [plugins.latency] is not set; it used to be {FORMER_BASE_URL}")
        return True

    def _exchange(self, jobs: Sequence[Job], logins: Mapping[int, str], concurrency: int) -> Iterator[Completed]:
        round_at = self._run.now
        requests = (request_for(job, self._run.settings, logins.get(job.id, "")) for job in jobs)
        for answer in self._run.get_many(requests, concurrency=concurrency):
            yield answer.request.tag.id, aligned(answer.request.tag, read_answer(answer), round_at)

    def _probe_directly(self, jobs: Sequence[Job], concurrency: int) -> Iterator[Completed]:
        round_at = self._run.now
        probe = partial(probe_directly, timeout=self._timeout_s)
        for result in self._run.map(probe, jobs, concurrency=concurrency, timeout=self._timeout_s):
            yield result.item.id, aligned(result.item, read_result(result), round_at)

    def _collect_in_background(self, jobs: list[Job], completed: Iterator[Completed]) -> None:
        """Queue each probe as it completes, from a thread of its own: waiting for one must not hold others.

        All *jobs* follow it: a pass that must stop has not asked for the rest, and nobody may wait for them.
        """

        def collect() -> None:
            try:
                for one in completed:
                    self._completed.put(one)
                self._completed.put(jobs)
            except Exception as error:  # noqa: BLE001 - raised again where the pass waits
                self._completed.put(error)

        Thread(target=collect, daemon=True, name="latency-probes").start()

    def _measurements(self, max_wait: timedelta, *, is_stopping: bool = False) -> Iterator[Measurement]:
        until = time.monotonic() + max_wait.total_seconds()
        while self.in_flight:
            wait_s = min(max(0.0, until - time.monotonic()), GLANCE.total_seconds())
            try:
                completed = self._completed.get(timeout=wait_s)
            except Empty:
                if time.monotonic() >= until or (self._run.is_stopping and not is_stopping):
                    return
                continue
            if isinstance(completed, Exception):
                raise completed
            if isinstance(completed, list):
                self._forget(completed)
                continue
            job_id, measured = completed
            job = self.in_flight.pop(job_id)
            if measured is not None:
                self._report(job, measured)
                yield measured
            elif self._run.remaining <= SHUTDOWN_TIME.total_seconds():
                self._report_cut(job)

    def _forget(self, jobs: Sequence[Job]) -> None:
        """Wait no longer for these; one that a later round has asked for again is another."""
        for job in jobs:
            if self.in_flight.get(job.id) is job:
                del self.in_flight[job.id]

    def _report(self, job: Job, measured: Measurement) -> None:
        """Name a target that could not be measured in the outcome of the pass."""
        if measured.status == "system_error":
            self._run.failed(job.target, measured.reason)
        else:
            self._run.reached(job.target)

    def _report_cut(self, job: Job) -> None:
        """Name a target that could not be asked to the end; it is not known to be out of reach, so the pass is partial."""
        self._run.reached(job.target)
        self._run.failed(job.target, "the deadline of the pass came before an answer")


def measure_without_probe(job: Job, now: datetime) -> Measurement | None:
    """The measurement of a job that is simulated, or whose target cannot be probed at all; None for any other."""
    if job.monitoring_mode == "simulated":
        return simulate(job, now)
    error = target_error(job.target, job.probe)
    return measurement(job, now, Outcome("system_error", reason=error)) if error else None


def aligned(job: Job, measured: Measurement | None, round_at: datetime) -> Measurement | None:
    """A measurement that counts as started when it was due, or else with its round, where it started soon after that.

    So a cadence does not drift by what each round takes to begin, and jobs that are due together stay together.
    """
    if measured is None:
        return None
    for moment in (job.due_at, round_at):
        if moment <= measured.started_at < moment + SHORTEST_ROUND:
            return msgspec.structs.replace(measured, started_at=moment)
    return measured
