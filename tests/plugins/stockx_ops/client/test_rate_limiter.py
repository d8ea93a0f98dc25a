"""The rate of requests: evenly spaced within a pass, and kept from pass to pass, across processes, crashes and plans."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from plugins.stockx_ops.place import Place, at

from pollctl_stockx_ops.client import rate_limiter
from pollctl_stockx_ops.client.rate_limiter import MARGIN, RESERVE_S, RateLimiter, boot_id
from pollctl_stockx_ops.fake import COMPLETED, LOST, OPEN
from pollctl_stockx_ops.model import Pace, Settings

pytestmark = pytest.mark.slow


class Clock:
    """A monotonic clock that stands still but where somebody sleeps, so that a busy machine changes nothing."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.calls: list[tuple[float, Callable[[], object]]] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        due = [call for at, call in self.calls if at <= self.now]
        self.calls = [(at, call) for at, call in self.calls if at > self.now]
        for call in due:
            call()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limiter, "time", clock)
    return clock


def limiter_of(pace: Pace | None, *, rate: str = "2/s", remaining: float = 60.0) -> RateLimiter:
    run: Any = SimpleNamespace(settings=Settings(rate=rate), is_stopping=False, remaining=remaining)
    return RateLimiter(run, pace)


def seconds_until(limiter: RateLimiter, clock: Clock) -> float:
    began = clock.now
    assert limiter.acquire()
    waited = clock.now - began
    limiter.release()
    return waited


INTERVAL = pytest.approx(MARGIN / 2, abs=0.001)


def test_the_first_request_of_all_waits_for_nothing_and_the_second_a_whole_interval(clock: Clock) -> None:
    limiter = limiter_of(None)
    assert seconds_until(limiter, clock) == 0
    assert seconds_until(limiter, clock) == INTERVAL


def test_the_second_request_waits_for_the_first_to_be_answered_because_that_one_arrives_late(clock: Clock) -> None:
    limiter = limiter_of(None, rate="100/s")
    assert limiter.acquire()
    clock.calls.append((clock.now + 0.3, limiter.release))
    assert seconds_until(limiter, clock) == pytest.approx(0.3 + MARGIN / 100, abs=0.005)
    assert seconds_until(limiter, clock) == pytest.approx(MARGIN / 100, abs=0.001)


def test_the_interval_counts_from_the_latest_request_of_an_earlier_pass(clock: Clock) -> None:
    earlier = Pace(boot_id=boot_id(), last_start=clock.now - 0.3)
    assert seconds_until(limiter_of(earlier), clock) == pytest.approx(MARGIN / 2 - 0.3, abs=0.001)
    assert seconds_until(limiter_of(Pace(boot_id=boot_id(), last_start=clock.now - 60)), clock) == 0


@pytest.mark.parametrize(
    "pace",
    [
        Pace(boot_id=boot_id(), last_start=None),
        Pace(boot_id="another start of the machine", last_start=0.0),
        Pace(boot_id=boot_id(), last_start=time.monotonic() + 1e9),
    ],
    ids=["a pass was cut off", "the machine was restarted", "a moment that cannot be"],
)
def test_where_the_latest_start_is_unknown_the_worst_is_assumed_and_no_more(clock: Clock, pace: Pace) -> None:
    assert seconds_until(limiter_of(pace), clock) == INTERVAL


def test_a_start_that_would_come_too_late_is_not_waited_for(clock: Clock) -> None:
    began = clock.now
    limiter = limiter_of(Pace(boot_id=boot_id(), last_start=began), rate="1/h", remaining=30)
    assert not limiter.acquire()
    assert clock.now == began
    assert not limiter_of(None, remaining=RESERVE_S / 2).acquire()


def test_waiting_until_idle_ends_when_the_interval_ends_between_two_readings_of_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moments = iter([100.0, 100.0, *([200.0] * 9)])
    slept: list[float] = []
    clock: Any = SimpleNamespace(monotonic=lambda: next(moments), sleep=slept.append)
    monkeypatch.setattr(rate_limiter, "time", clock)
    limiter_of(Pace(boot_id=boot_id(), last_start=None)).wait_until_idle()
    assert all(seconds >= 0 for seconds in slept)


def test_at_a_slow_rate_a_cut_off_pass_delays_but_does_not_stop_the_next(place: Place) -> None:
    place.configure(rate="30/m")
    place.run(at(0))
    place.sql("INSERT OR REPLACE INTO stockx_pace VALUES (1, 'elsewhere', NULL)")
    place.configure(rate="1/h")
    place.insert("j")
    place.run(at(0))
    assert place.upstream.asked == []
    ((boot, last_start),) = place.sql("SELECT boot_id, last_start FROM stockx_pace")
    assert (boot, time.monotonic() - last_start < 10) == (boot_id(), True)


@pytest.mark.parametrize("answer_s", [0.0, 0.03, 0.0525, 0.2])
def test_requests_start_a_whole_interval_apart_and_no_later(clock: Clock, answer_s: float) -> None:
    limiter = limiter_of(None, rate="20/s")
    starts: list[float] = []
    for number in range(12):
        assert limiter.acquire()
        starts.append(clock.now)
        clock.now += answer_s if number == 0 else 0
        limiter.release()
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert gaps == pytest.approx([answer_s + MARGIN / 20, *[MARGIN / 20] * 10], abs=1e-6)


def test_a_pass_takes_as_long_as_its_requests_need_at_the_rate(place: Place) -> None:
    """Whatever the machine does: the second request counts from the answer to the first."""
    place.configure(rate="20/s")
    for number in range(12):
        place.insert(f"j{number}")
    place.run()
    assert len(place.upstream.arrivals) == 13
    assert max(place.upstream.arrivals) - min(place.upstream.arrivals) >= 12 * MARGIN / 20


def test_a_repeat_by_the_client_does_not_break_the_rate(place: Place) -> None:
    place.configure(rate="5/s")
    place.upstream.otherwise = LOST
    for number in range(3):
        place.insert(f"j{number}")
    place.run(code=1)
    assert sorted(place.upstream.asked) == ["op-j0", "op-j1", "op-j2"]
    assert min(later - earlier for earlier, later in pairwise(place.upstream.arrivals)) > 0.15


def test_the_limit_holds_in_every_window_across_overlapping_processes_and_kills(place: Place) -> None:
    """Two passes are started over each other, again and again; every second pair is killed on its way."""
    limit = 10
    place.upstream.otherwise = OPEN
    place.configure(rate=f"{limit}/s", poll_delay="100ms", max_jobs=15)
    for number in range(40):
        place.insert(f"j{number:02}", started_at=at(-600 + number))
    place.run(at(0))
    place.upstream.arrivals.clear()

    codes: list[int] = []
    for number in range(6):
        before = len(place.upstream.arrivals)
        pair = [place.start(at(1 + number)), place.start(at(1 + number))]
        while number % 2 and len(place.upstream.arrivals) < before + 3 + number:
            assert any(process.poll() is None for process in pair)
            time.sleep(0.01)
        for process in pair:
            if number % 2:
                process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
            codes.append(process.returncode)

    assert {-signal.SIGKILL, 0, 75} <= set(codes)
    late = 0.05  # seconds by which a busy machine may let a request arrive later than it was sent
    assert place.upstream.most_in_a_window(1.0 - late) <= limit
    assert len(place.upstream.arrivals) >= 3 * 15 + 4 + 6 + 8


def test_passes_one_right_after_another_keep_the_rate(place: Place) -> None:
    place.configure(rate="3/s")
    place.upstream.script = {f"op-j{number}": [OPEN, COMPLETED] for number in range(2)}
    for number in range(2):
        place.insert(f"j{number}")
    place.run(at(0))
    place.run(at(20))
    gaps = [later - earlier for earlier, later in pairwise(place.upstream.arrivals)]
    assert len(gaps) == 4
    assert min(gaps) > 0.3


def test_a_plan_waits_out_its_interval_and_leaves_a_pass_under_way_alone(place: Place) -> None:
    place.configure(rate="2/s")
    place.upstream.otherwise = OPEN
    place.insert("j")
    place.run(at(0))
    place.do("plan", "stockx_ops", now=at(20))
    place.run(at(20))
    assert min(later - earlier for earlier, later in pairwise(place.upstream.arrivals)) > 0.45

    place.sql("UPDATE stockx_pace SET last_start = NULL")
    asked = list(place.upstream.asked)
    planned = json.loads(place.do("plan", "stockx_ops", "--json", now=at(60), code=1))
    assert "a plan could not keep the rate" in planned["error"]["message"]
    assert place.upstream.asked == asked
