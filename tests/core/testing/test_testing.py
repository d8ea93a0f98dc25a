"""The conformance kit catches what it says it catches."""

from __future__ import annotations

import random
import socket
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pollctl import Duration, Secret, testing


class Seen(msgspec.Struct, frozen=True, tag=True):
    word: str
    wait: Duration = Duration(seconds=5)
    reason: str = "seen"


def pure(state: Any, words: list[str]) -> list[Seen]:
    return [Seen(word) for word in sorted(words)]


def test_a_pure_function_has_no_impurities() -> None:
    assert testing.impurities(pure, None, ["b", "a"]) == []


def reads_a_file(state: Any, words: list[str]) -> list[Seen]:
    Path("/etc/hostname").open().close()
    return []


def opens_a_socket(state: Any, words: list[str]) -> list[Seen]:
    socket.socket().close()
    return []


def rolls_dice(state: Any, words: list[str]) -> list[Seen]:
    return [Seen(str(random.random()))]


def reads_the_clock(state: Any, words: list[str]) -> list[Seen]:
    time.sleep(0)
    return [Seen(str(time.perf_counter_ns()))]


def sorts_in_place(state: Any, words: list[str]) -> list[Seen]:
    words.sort()
    return [Seen(word) for word in words]


@pytest.mark.parametrize(
    ("decide", "named"),
    [
        (reads_a_file, "event 'open'"),
        (opens_a_socket, "event 'socket.__new__'"),
        (rolls_dice, "two different answers"),
        (reads_the_clock, "two different answers"),
        (sorts_in_place, "changed its arguments"),
    ],
)
def test_an_impure_function_is_told_what_it_did(decide: Any, named: str) -> None:
    assert any(named in problem for problem in testing.impurities(decide, None, ["b", "a"]))


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("import random\nx = random.random()", "line 2 draws chance (random.random)"),
        ("from os import environ\nx = environ['X']", "line 2 reads the environment (environ, which is os.environ)"),
        ("def f():\n    return datetime.now()", "line 2 reads the clock (datetime.now)"),
        ("def f():\n    return open('x')", "line 2 calls open()"),
        ("def f():\n    global x", "line 2 changes a global"),
    ],
)
def test_a_source_that_cannot_be_pure_is_told_where(source: str, named: str) -> None:
    assert any(named in problem for problem in testing.impure_source(source))


def test_a_source_that_only_computes_is_clean() -> None:
    assert testing.impure_source("from datetime import timedelta\ndef f(now):\n    return now + timedelta(1)") == []


def test_values_survive_a_recording_or_the_kit_says_why_not() -> None:
    assert testing.round_trip_problems(Seen("a", Duration(minutes=2)), Seen) == []
    assert testing.round_trip_problems(Secret("hush"), Secret) == [
        "Secret comes back from a recording as another value"
    ]
    (problem,) = testing.round_trip_problems(object(), int)
    assert "does not survive a recording" in problem


def test_a_plugin_that_does_not_exist_is_a_problem_and_no_exception() -> None:
    (problem,) = testing.contract_problems("latensy")
    assert "did you mean 'latency'?" in problem
