"""``impurities`` sees what a call of decide touches, under whatever name the plugin holds it."""

# ruff: noqa: DTZ011, PLW0108, PTH118, PTH119, SIM105 - the calls stand here as a plugin could have them

from __future__ import annotations

import gc
import inspect
import os
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from os import environ as surroundings
from pathlib import Path
from time import time as the_time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from pollctl import testing

Class = datetime
HELD = {"clock": time.monotonic}


class Stamped(msgspec.Struct, frozen=True):
    at: float = msgspec.field(default_factory=lambda: time.time())


def closure() -> Callable[[], float]:
    clock = time.time
    return lambda: clock()


in_closure = closure()


def in_default(clock: Callable[[], float] = time.time) -> float:
    return clock()


def swallowed() -> None:
    try:
        os.environ["NOBODY_SETS_THIS"]
    except KeyError:
        pass


CASES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "time": (lambda: time.time(), "it reads the clock (time.time)", "it is given `now`"),
    "an alias": (lambda: the_time(), "it reads the clock (time.time)", "it is given `now`"),
    "in a table": (lambda: HELD["clock"](), "it reads the clock (time.monotonic)", "it is given `now`"),
    "in a closure": (lambda: in_closure(), "it reads the clock (time.time)", "it is given `now`"),
    "in a default": (lambda: in_default(), "it reads the clock (time.time)", "it is given `now`"),
    "in a default factory": (lambda: Stamped(), "it reads the clock (time.time)", "it is given `now`"),
    "of a class": (lambda: Class.now(UTC), "it reads the clock (datetime.now)", "it is given `now`"),
    "today": (lambda: date.today(), "it reads the clock (date.today)", "it is given `now`"),
    "a pause": (lambda: time.sleep(0), "it waits (time.sleep)", "decide at which moment"),
    "random": (lambda: random.random() * 0, "it draws chance (random.random)", "draw it in fetch"),
    "randint": (lambda: random.randint(1, 1), "it draws chance (random.", "draw it in fetch"),
    "without a seed": (
        lambda: bool(random.Random()),
        "it draws chance (random.Random() without a seed)",
        "draw it in fetch",
    ),
    "uuid": (lambda: bool(uuid.uuid4()), "it draws chance (uuid.uuid4)", "draw it in fetch"),
    "environ": (lambda: os.environ.get("X"), "it reads the environment (os.environ)", "make it a setting"),
    "environ, an alias": (lambda: surroundings.get("X"), "it reads the environment (os.environ)", "make it a setting"),
    "getenv by partial": (
        lambda: partial(os.getenv, "X")(),
        "it reads the environment (os.environ)",
        "make it a setting",
    ),
    "what it catches": (swallowed, "it reads the environment (os.environ)", "make it a setting"),
    "whether a file is there": (lambda: Path("/x").exists(), "it touches files (os.stat)", "read in fetch or load"),
    "a process": (lambda: bool(os.getpid()), "it reads the environment (os.getpid)", "make it a setting"),
    "print": (lambda: print(end=""), "it speaks past the pass (print)", "say it in the `reason`"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_touched_is_told_with_file_line_and_remedy(case: str) -> None:
    touch, named, remedy = CASES[case]

    def decide() -> list[str]:
        touch()
        return []

    found = [problem for problem in testing.impurities(decide) if named in problem]
    assert len(found) == 1
    assert remedy in found[0]
    line = inspect.getsourcelines(touch)[1]
    assert f"{Path(__file__).name}:" in found[0]
    if case in ("time", "an alias", "of a class", "environ"):
        assert f"{Path(__file__).name}:{line};" in found[0]


def test_a_thread_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    def decide() -> list[str]:
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        return []

    assert any("it uses threads (threading.Thread)" in problem for problem in testing.impurities(decide))


PURE: dict[str, Callable[[], Any]] = {
    "a seeded generator": lambda: random.Random(7).random(),
    "a name made of a name": lambda: str(uuid.uuid5(uuid.NAMESPACE_URL, "x")),
    "a zone": lambda: str(datetime(2026, 1, 1, tzinfo=UTC).astimezone(ZoneInfo("Pacific/Apia"))),
    "a time that is given": lambda: time.strftime("%H", time.gmtime(1)),
    "a path without its file": lambda: os.path.join("a", os.path.basename("b/c")),
    "imported on the way": lambda: __import__("colorsys").rgb_to_hsv(1, 1, 1),
    "a date": lambda: date.fromisoformat("2026-01-01").isoformat(),
}


@pytest.mark.parametrize("case", PURE)
def test_what_only_computes_is_pure(case: str) -> None:
    assert testing.impurities(lambda: [PURE[case]()]) == []


def test_a_module_may_be_imported_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a module does while it is imported is not what decide does, though a hook imports it when it is called."""
    (tmp_path / "imported_on_the_way.py").write_text(
        "import os, time\nBEGAN = time.time()\nHOME = os.environ.get('HOME')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    def decide() -> list[str]:
        sys.modules.pop("imported_on_the_way", None)
        import imported_on_the_way  # type: ignore[import-not-found]

        assert imported_on_the_way
        return []

    assert testing.impurities(decide) == []


def test_what_happens_when_garbage_is_collected_is_not_the_doing_of_decide() -> None:
    def collected(phase: str, info: Any) -> None:
        time.perf_counter()

    gc.callbacks.append(collected)
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        assert testing.impurities(lambda: [str([[n] for n in range(100)])]) == []
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(collected)


def test_all_is_as_it_was_when_decide_raises() -> None:
    profile = sys.getprofile()

    def decide() -> list[str]:
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        testing.impurities(decide)
    with pytest.raises(RuntimeError, match="boom"):
        watched_only(decide)
    assert sys.getprofile() is profile
    assert gc.isenabled()
    assert testing.audited(lambda: None) == []


def watched_only(decide: Callable[[], Any]) -> list[str]:
    from pollctl.testing.watching import watched

    return watched(decide, "tests")


def test_other_threads_go_on_meanwhile() -> None:
    """A thread of the test runner that reads the clock is neither told nor disturbed."""
    is_over = threading.Event()
    failures: list[BaseException] = []

    def ticks() -> None:
        try:
            while not is_over.is_set():
                time.time()
        except BaseException as error:
            failures.append(error)

    other = threading.Thread(target=ticks)
    other.start()
    try:
        assert testing.impurities(lambda: [str(sum(range(50_000)))]) == []
    finally:
        is_over.set()
        other.join()
    assert failures == []


def test_an_argument_that_is_changed_by_one_call_does_not_reach_the_next() -> None:
    def decide(words: list[str]) -> list[str]:
        words.append("x")
        return list(words)

    assert testing.impurities(decide, ["a"]) == ["it changed its arguments"]
