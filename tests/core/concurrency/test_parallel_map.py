"""Calls side by side that end in time (core §1.6), the executor that lets the process exit, and when to stop (§1.8)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hostile_server import wait_until

from pollctl import clock
from pollctl.api.values import Result
from pollctl.concurrency.cancellation import Stop
from pollctl.concurrency.daemon_executor import DaemonExecutor
from pollctl.concurrency.parallel_map import map_bounded


def mapped(function: Callable[[Any], Any], items: Any, **settings: Any) -> Iterator[Result]:
    usual: dict[str, Any] = {"concurrency": 4, "timeout": 5, "stop": Stop()}
    return map_bounded(function, items, **usual | settings)


# --- map


def test_each_item_has_its_result() -> None:
    results = list(mapped(lambda number: number * 2, range(100)))
    assert {result.item: result.value for result in results} == {number: number * 2 for number in range(100)}
    assert all(result.error is None for result in results)


def test_results_come_as_they_are_ready() -> None:
    def nap(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    assert [result.item for result in mapped(nap, [0.3, 0.2, 0.1], concurrency=3)] == [0.1, 0.2, 0.3]


def test_a_result_says_when_its_call_began_and_how_long_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.VARIABLE, "2026-03-08T06:59:00Z")
    (result,) = mapped(time.sleep, [0.2])
    assert result.started_at == datetime(2026, 3, 8, 6, 59, tzinfo=UTC)
    assert 200 <= result.elapsed_ms < 280


@pytest.mark.parametrize(
    "error", [ValueError("a\x1bb"), RecursionError("deep"), SystemExit(3), KeyboardInterrupt(), MemoryError()]
)
def test_whatever_a_call_raises_is_a_result(error: BaseException) -> None:
    def fail(item: int) -> int:
        if item == 3:
            raise error
        return item

    results = {result.item: result for result in mapped(fail, range(10))}
    assert len(results) == 10
    failed = results.pop(3)
    assert failed.error is not None
    assert failed.error.kind == "raised"
    assert failed.error.message.startswith(type(error).__name__)
    assert failed.error.message.isprintable()
    assert all(result.error is None for result in results.values())


def test_a_call_that_overruns_is_given_up_in_time_and_another_thread_takes_its_place() -> None:
    release = threading.Event()
    began = time.monotonic()
    results = {
        result.item: (result, time.monotonic() - began)
        for result in mapped(lambda hangs: hangs and release.wait(), [1, 2, 0, 0, 0], concurrency=2, timeout=0.3)
    }
    release.set()
    for hanging in (1, 2):
        result, at = results[hanging]
        assert result.error is not None
        assert (result.error.kind, result.error.message) == ("timeout", "no result within 0.3 s")
        assert 0.3 <= at <= 0.5
        assert 300 <= result.elapsed_ms <= 500
    assert results[0][0].error is None


def test_a_late_result_of_a_call_that_was_given_up_is_not_told_again() -> None:
    results = list(mapped(time.sleep, [0.3, 0.5], concurrency=1, timeout=0.2))
    assert [result.error is not None for result in results] == [True, True]
    assert len(results) == 2


def test_no_more_calls_run_at_once_than_asked_for() -> None:
    running = most = 0
    lock = threading.Lock()

    def call(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1

    assert len(list(mapped(call, range(100), concurrency=7))) == 100
    assert most == 7


def test_items_are_taken_in_the_callers_thread_and_only_as_room_comes_free() -> None:
    taken: list[str] = []

    def items() -> Iterator[int]:
        while True:
            taken.append(threading.current_thread().name)
            yield len(taken)

    results = mapped(lambda item: item, items(), concurrency=3)
    for _ in range(20):
        next(results)
    assert len(taken) <= 20 + 2 * 3
    assert set(taken) == {threading.current_thread().name}


def test_past_the_deadline_nothing_starts_and_what_is_in_flight_is_given_up() -> None:
    stop, release, started = Stop(), threading.Event(), []

    def hang(item: int) -> None:
        started.append(item)
        release.wait()

    stop.end_in(0.3)
    began = time.monotonic()
    results = list(mapped(hang, iter(range(1000)), concurrency=3, stop=stop))
    took = time.monotonic() - began
    release.set()
    assert 0.3 <= took <= 0.45
    assert {result.error.kind for result in results if result.error} == {"deadline"}
    assert sorted(result.item for result in results if result.elapsed_ms) == sorted(started)
    assert len(started) == 3
    assert len(results) <= 6  # those that were taken and not begun say so too
    assert list(mapped(hang, range(10), stop=stop)) == []


def test_after_a_signal_nothing_starts_and_what_is_in_flight_may_finish() -> None:
    stop, started = Stop(), []

    def call(item: int) -> int:
        started.append(item)
        time.sleep(0.3)
        return item

    threading.Timer(0.1, stop.request).start()
    results = list(mapped(call, iter(range(1000)), concurrency=3, stop=stop))
    assert sorted(result.value for result in results if result.error is None) == sorted(started)
    assert len(started) == 3
    assert {result.error.kind for result in results if result.error} <= {"stopped"}


def test_starts_are_evenly_spaced_without_bursts_also_when_the_consumer_is_slow() -> None:
    starts: list[float] = []
    for number, _ in enumerate(mapped(lambda _: starts.append(time.monotonic()), range(10), rate="20/s")):
        if number == 2:
            time.sleep(0.3)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert min(gaps) >= 0.04
    assert 0.45 + 0.2 <= sum(gaps) <= 0.45 + 0.3 + 0.2


def test_a_slow_rate_does_not_hold_back_the_deadline_or_a_signal() -> None:
    for cause in ("deadline", "stopped"):
        stop = Stop()
        stop.end_in(0.3 if cause == "deadline" else 30)
        timer = threading.Timer(0.3, stop.request if cause == "stopped" else lambda: None)
        timer.start()
        began = time.monotonic()
        results = list(mapped(lambda item: item, range(5), stop=stop, rate="1/h"))
        timer.join()
        assert time.monotonic() - began <= 0.45
        assert [result.error.kind if result.error else result.value for result in results] == [0, cause]


def test_calls_that_hang_do_not_keep_the_process_from_exiting() -> None:
    script = """
import time
from pollctl.concurrency.daemon_executor import DaemonExecutor
from pollctl.concurrency.parallel_map import map_bounded
from pollctl.concurrency.cancellation import Stop
print([r.error.kind for r in map_bounded(lambda _: time.sleep(60), range(3), concurrency=3, timeout=0.2, stop=Stop())])
with DaemonExecutor(2) as executor:
    futures = [executor.submit(time.sleep, 60) for _ in range(4)]
    while not all(future.running() for future in futures[:2]):
        time.sleep(0.01)
print([future.cancelled() for future in futures])
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.splitlines() == ["['timeout', 'timeout', 'timeout']", "[False, False, True, True]"]
    assert done.stderr == ""
    assert time.monotonic() - began < 5


def test_no_worker_is_left_when_the_results_are_taken_or_dropped() -> None:
    def workers() -> int:
        return sum(thread.name == "pollctl-call" for thread in threading.enumerate())

    before = workers()
    list(mapped(lambda item: item, range(50)))
    dropped = mapped(lambda item: item, range(50))
    next(dropped)
    del dropped
    assert wait_until(lambda: workers() == before)


# --- the executor


def test_the_executor_answers_like_any_other() -> None:
    with DaemonExecutor(3) as executor:
        assert sorted(executor.map(lambda number: number * 2, range(20))) == [number * 2 for number in range(20)]
        failing = executor.submit(int, "x")
        with pytest.raises(ValueError, match="invalid literal"):
            failing.result(timeout=2)
        assert len(wait([executor.submit(time.sleep, 0.01) for _ in range(6)], timeout=2).done) == 6
    with pytest.raises(RuntimeError, match="was shut down"):
        executor.submit(int)


def test_the_executor_starts_no_more_threads_than_it_needs() -> None:
    def nap() -> int:
        time.sleep(0.02)
        return threading.get_ident()

    with DaemonExecutor(8) as executor:
        assert len({executor.submit(threading.get_ident).result(timeout=2) for _ in range(20)}) <= 2
        assert len({future.result() for future in [executor.submit(nap) for _ in range(50)]}) == 8


def test_shutting_the_executor_down_waits_when_told_to() -> None:
    executor = DaemonExecutor(2)
    futures = [executor.submit(time.sleep, 0.1) for _ in range(4)]
    executor.shutdown(wait=True)
    assert all(future.done() for future in futures)


# --- stop


def test_a_wait_lasts_as_long_as_asked_for() -> None:
    began = time.monotonic()
    assert Stop().wait(0.2) is False
    assert 0.2 <= time.monotonic() - began < 0.3


def test_a_wait_ends_at_the_deadline() -> None:
    stop = Stop()
    stop.end_in(timedelta(milliseconds=200))
    began = time.monotonic()
    assert stop.wait(10) is True
    assert time.monotonic() - began < 0.3
    assert (stop.is_stopping, stop.is_past_deadline, stop.requested, stop.remaining) == (True, True, False, 0.0)


def test_without_a_deadline_nothing_is_past_it() -> None:
    stop = Stop()
    assert (stop.is_stopping, stop.is_past_deadline, stop.remaining) == (False, False, float("inf"))


def test_a_request_ends_every_wait_at_once_and_all_later_ones() -> None:
    stop = Stop()
    ends: list[bool] = []
    threads = [threading.Thread(target=lambda: ends.append(stop.wait(10))) for _ in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    began = time.monotonic()
    stop.request()
    stop.request()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 0.2
    assert ends == [True] * 5
    assert stop.wait(10) is True


def test_a_signal_wakes_a_wait_of_the_main_thread_promptly() -> None:
    script = """
import signal, time
from pollctl.concurrency.cancellation import Stop
stop = Stop()
signal.signal(signal.SIGTERM, lambda *_: stop.request())
print("ready", flush=True)
print(stop.wait(30))
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(0.1)
    began = time.monotonic()
    os.kill(child.pid, signal.SIGTERM)
    assert child.communicate(timeout=5)[0] == "True\n"
    assert time.monotonic() - began < 0.3


@pytest.mark.slow
def test_signals_in_a_storm_never_deadlock_a_wait() -> None:
    script = """
import os, signal, threading, time
from pollctl.concurrency.cancellation import Stop
def storm():
    while True:
        os.kill(os.getpid(), signal.SIGUSR1)
threading.Thread(target=storm, daemon=True).start()
for _ in range(300):
    stop = Stop()
    count = 0
    def on_signal(*_):
        global count
        count += 1
        if count == 3:
            stop.request()
    signal.signal(signal.SIGUSR1, on_signal)
    assert stop.wait(5)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
print("done")
"""
    signal_safe = "import signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
    command = [sys.executable, "-c", signal_safe + script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "done\n"
