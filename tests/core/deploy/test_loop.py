"""``pollctl loop``: what containers run in place of cron (scale.md, rule 7)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Literal

import pytest
from core.supervision.supervised import NEVER_BACK_OFF, Supervised
from place import eventually, wait_for

from pollctl import clock
from pollctl.console import log_format
from pollctl.deploy import loop
from pollctl.due.fast_path import is_nothing_due

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

BEFORE = "@2026-03-08T12:00:57.5Z"
"""The clock of loops that are started here: the first full minute comes soon, and no second one."""
OK = "yield Batch(1)"
SLOW = """
(here / 'begun').touch()
while not run.is_stopping:
    time.sleep(0.02)
yield Batch(1)
"""
HANG = "(here / 'begun').touch(); yield Batch(1); time.sleep(60)"


@pytest.fixture
def place(tmp_path: Path) -> Supervised:
    place = Supervised(tmp_path)
    place.now = BEFORE
    return place


def section(name: str, *lines: str) -> str:
    return "\n".join([f"[plugins.{name}]", *lines, NEVER_BACK_OFF])


def ended(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> tuple[float, str, str]:
    """Send a signal; answers in how many seconds the loop ended, which it must with 0, and what it had printed."""
    began_at = time.monotonic()
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 0, stderr
    return time.monotonic() - began_at, stdout, stderr


def test_it_starts_what_is_due_at_the_full_minute_and_not_before(place: Supervised) -> None:
    place.fetching("alpha", OK)
    place.settings(section("alpha"))
    with place.running("loop") as process:
        wait_for(lambda: place.outcomes() == {"alpha": "ok"})
        assert ended(process)[1:] == ("", "")
    ((started_at, trigger),) = place.sql("SELECT started_at, trigger FROM runs")
    assert trigger == "due"
    assert "2026-03-08T12:01:00.000Z" <= started_at < "2026-03-08T12:01:20Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_pass_as_interrupted_and_then_the_loop(place: Supervised, number: signal.Signals) -> None:
    place.fetching("alpha", SLOW)
    place.settings(section("alpha"))
    with place.running("loop") as process:
        wait_for((place.folder / "begun").exists)
        seconds, stdout, _ = ended(process, number)
    assert (seconds < loop.LONGEST_END_S, stdout) == (True, "")
    assert place.sql("SELECT outcome, batches FROM runs") == [("interrupted", 1)]


def test_a_pass_that_does_not_listen_is_ended_and_what_it_committed_stands(place: Supervised) -> None:
    place.fetching("alpha", HANG)
    place.settings(section("alpha"))
    with place.running("loop") as process:
        wait_for((place.folder / "begun").exists)
        wait_for(lambda: place.sql("SELECT batches FROM runs") == [(1,)])
        seconds, _, stderr = ended(process)
    assert seconds < loop.LONGEST_END_S + 1
    assert stderr == "alpha: ended by SIGINT\n"
    assert place.sql("SELECT outcome, batches FROM runs") == [("crashed", 1)]


def test_a_probe_in_flight_is_cut_and_the_samples_of_the_others_stand(place: Supervised) -> None:
    with socket.create_server(("127.0.0.1", 0)) as good, socket.create_server(("127.0.0.1", 0)) as silent:
        place.settings("[plugins.latency]\ntimeout = '40s'")
        for target in (f"127.0.0.1:{good.getsockname()[1]}", f"http://127.0.0.1:{silent.getsockname()[1]}/"):
            place.do("latency", "add", target, "--cadence", "60s", "--duration", "1h", now="2026-03-08T12:00:00Z")
        with place.running("loop") as process:
            wait_for(lambda: place.sql("SELECT 1 FROM latency_samples"))
            seconds, _, _ = ended(process)
    assert seconds < loop.LONGEST_END_S
    assert place.outcomes() == {"latency": "interrupted"}
    assert place.sql("SELECT job_id, status FROM latency_samples") == [(1, "success")]


def test_the_beat_is_touched_at_the_beginning_and_when_a_run_has_ended(place: Supervised) -> None:
    place.settings()
    beat = place.folder / "beat"
    with place.running("loop", "--beat", str(beat)) as process:
        wait_for(beat.exists)
        os.utime(beat, (1, 1))
        wait_for(lambda: beat.stat().st_mtime > 1)
        assert ended(process)[1:] == ("", "")
    assert beat.read_bytes() == b""


@pytest.mark.parametrize("name", ["pollctl.toml", "pollctl.db", "pollctl.db.latency.lock", "link", "letter", "-"])
def test_the_beat_takes_nobodys_place(place: Supervised, name: str) -> None:
    place.settings()
    (place.folder / "letter").write_text("dear")
    (place.folder / "link").symlink_to("letter")
    before = {path: path.stat().st_mtime_ns for path in place.folder.iterdir()}
    done = place.call("loop", "--beat", name if name == "-" else str(place.folder / name))
    assert (done.returncode, done.stdout) == (2, ""), done
    assert {path: path.stat().st_mtime_ns for path in place.folder.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "now", "code", "told"),
    [
        (["--config", "nowhere.toml", "loop"], BEFORE, 2, "no such file"),
        (["loop"], "2026-03-08T12:00:57Z", 2, "POLLCTL_NOW stops the clock"),
        (["loop", "--beat", "nowhere/beat"], BEFORE, 1, "nowhere/beat: No such file or directory"),
    ],
)
def test_what_keeps_it_from_beginning_is_said(
    place: Supervised, words: list[str], now: str, code: int, told: str
) -> None:
    place.settings()
    done = place.call(*words, now=now)
    assert (done.returncode, told in done.stderr) == (code, True), done


@pytest.mark.parametrize("format_", [None, "json"])
@pytest.mark.parametrize("is_verbose", [False, True])
def test_a_run_that_finds_nothing_due_takes_the_fast_path(
    place: Supervised, format_: Literal["json"] | None, *, is_verbose: bool
) -> None:
    place.now = ""
    place.settings('[plugins.latency]\nschedule = "0 0 1 1 *"')
    place.do("run", "latency")
    time.sleep(0.1)  # the settings must be older than the process that remembers them
    assert place.spawn("due", "--run").returncode == 0
    with log_format.kept():
        log_format.choose(format_, is_verbose=is_verbose)
        words = loop.command(place.folder / "pollctl.toml")
    assert is_nothing_due(words[words.index("pollctl") + 1 :], place.env)


class Clock:
    """A clock that a test sets; it stands otherwise."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 8, 12, 0, 30, tzinfo=UTC)

    def reading(self) -> datetime:
        return self.now


class Ticks:
    """A loop in this process over a script that notes when it runs, under a clock that a test sets."""

    def __init__(self, folder: Path, script: str) -> None:
        self._notes = folder / "notes"
        self._notes.touch()
        self._command = [sys.executable, "-c", f"{script}\nopen({str(self._notes)!r}, 'a').write('x')"]

    @property
    def count(self) -> int:
        """How many have run to their end."""
        return len(self._notes.read_text())

    def run(self, steps: Callable[[], None]) -> int:
        """Loop, with *steps* in place of each look at the beat, until they raise; answers how many have run."""
        with pytest.raises(StopIteration):
            loop.run(self._command, steps)
        return self.count


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Clock:
    hands = Clock()
    monkeypatch.setattr(clock, "reading", hands.reading)
    return hands


@pytest.mark.parametrize("jump", ["-1d", "-1h", "+1m", "+3h", "+365d"])
def test_a_clock_that_jumps_makes_one_run_at_once_and_stops_none(hands: Clock, tmp_path: Path, jump: str) -> None:
    ticks = Ticks(tmp_path, "")
    began_at = time.monotonic()

    def step() -> None:
        if ticks.count == 3:
            raise StopIteration
        hands.now = clock.from_person(jump, hands.now)

    assert ticks.run(step) == 3
    assert time.monotonic() - began_at < 3 * 1 + 5, "it looks at the clock each second"


def test_runs_do_not_overlap_and_a_long_one_is_followed_at_once(hands: Clock, tmp_path: Path) -> None:
    script = f"import os\nos.mkdir({str(tmp_path / 'alone')!r})\nimport time; time.sleep(1.5)\nos.rmdir({str(tmp_path / 'alone')!r})"
    ticks = Ticks(tmp_path, script)

    def step() -> None:
        if ticks.count == 3:
            raise StopIteration
        hands.now += timedelta(minutes=1)

    began_at = time.monotonic()
    assert ticks.run(step) == 3
    assert 4.5 < time.monotonic() - began_at < 10


def test_a_run_inherits_no_descriptor_and_leads_a_session_of_its_own(hands: Clock, tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = (
        "import os, signal\n"
        "open_ = sorted(int(n) for n in os.listdir('/proc/self/fd'))\n"
        f"open({str(told)!r}, 'w').write(repr((open_[:3], len(open_) <= 4, os.getsid(0) == os.getpid(),"
        " signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, os.readlink('/proc/self/fd/0'))))"
    )
    ticks = Ticks(tmp_path, script)
    held = os.open("/dev/null", os.O_RDONLY)

    def step() -> None:
        if ticks.count == 1:
            raise StopIteration
        hands.now += timedelta(minutes=1)

    try:
        ticks.run(step)
    finally:
        os.close(held)
    assert told.read_text() == repr(([0, 1, 2], True, True, True, "/dev/null"))


def test_what_cannot_be_started_is_said_and_tried_again(
    hands: Clock, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def step() -> None:
        hands.now += timedelta(minutes=1)
        Timer(1.5, os.kill, (os.getpid(), signal.SIGTERM)).start()

    loop.run([str(tmp_path / "missing")], step)
    assert capfd.readouterr().err == "pollctl: what is due cannot be started: No such file or directory\n"


def test_a_killed_loop_leaves_a_run_that_ends_by_itself(place: Supervised) -> None:
    place.fetching("alpha", "(here / 'begun').touch(); time.sleep(1); yield Batch(1)")
    place.settings(section("alpha"))
    with place.running("loop") as process:
        wait_for((place.folder / "begun").exists)
        process.kill()
    assert eventually(lambda: place.outcomes() == {"alpha": "ok"})
