"""The clock jumps: between passes, within one, and to before 2020; no slot runs twice, and durations stay true.

From outside with the library in PyPI's ``libfaketime``, which shifts what a real process reads as the time of day; and on the
pure schedule in random walks of the clock. ``POLLCTL_CAMPAIGN=full`` for 10,000 walks; ``POLLCTL_SEED`` repeats one run.
"""

from __future__ import annotations

import importlib.util
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from campaign import SEED, figure, size
from plugin_package import Done, json_of, make_plugin_package, run_pollctl, spawn_pollctl, write_settings
from sample_plugin import PLAIN, sender_source
from sender import install_sender, sender_settings
from sink import Sink
from ways_of_starting import FORKED, STARTED_ANEW, starting

from pollctl import from_text
from pollctl.schedule.evaluation import judge
from pollctl.schedule.model import Past, Timing

WALKS = size(300, 10_000)
CHECKS = 40  # a walk
HOUR = timedelta(hours=1)
CORRECTION = timedelta(minutes=5)


@pytest.fixture(params=[FORKED, pytest.param(STARTED_ANEW, marks=pytest.mark.slow)])
def _way_of_starting(request: pytest.FixtureRequest) -> Iterator[None]:
    with starting(request.param):
        yield


def shifted(folder: Path, env: dict[str, str], clock: str, *words: str) -> Done:
    """Run pollctl with the clock of its process standing at *clock* (``YYYY-MM-DD HH:MM:SS``)."""
    found = importlib.util.find_spec("libfaketime")
    assert found
    assert found.origin
    library = Path(found.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    (folder / "clock").write_text(f"{clock}\n")
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(folder / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }
    return spawn_pollctl(folder, {**env, **faked}, *words)


@pytest.mark.slow
@pytest.mark.usefixtures("_way_of_starting")
def test_a_clock_that_is_set_back_or_forward_between_passes_runs_no_slot_twice(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain", PLAIN)
    write_settings(tmp_path, "[plugins.plain]", 'schedule = "0 * * * *"')
    times = {
        "10:00:30": "never ran",
        "10:00:10": "",  # back, within the slot
        "10:59:50": "",
        "10:00:00": "",  # back to the very slot
        "09:59:58": "",  # and over it
        "11:00:05": "the next slot",
        "11:00:00": "",
        "17:30:00": "forward over six slots: they fold into one pass",
        "17:00:00": "",
        "17:59:59": "",
        "18:00:00": "the next slot again",
    }
    for time, why in times.items():
        assert shifted(tmp_path, env, f"2026-03-02 {time}", "due", "--run").returncode == 0
        with closing(sqlite3.connect(tmp_path / "pollctl.db")) as db:
            starts = [start for (start,) in db.execute("SELECT started_at FROM runs ORDER BY rowid")]
        assert starts[-1].startswith(f"2026-03-02T{time}") == bool(why), f"at {time}: {why or 'no slot came'}: {starts}"
    assert len(starts) == sum(map(bool, times.values()))


SHIFTING = sender_source().replace(
    "    words = list(run.settings.words)\n",
    "    words = list(run.settings.words)\n    open('clock', 'w').write(open('jump').read())\n",
)


@pytest.mark.parametrize(
    "jump", ["2026-03-02 09:00:00", "2026-03-03 10:00:00"], ids=["back by an hour", "forward by a day"]
)
def test_a_clock_that_jumps_within_a_pass_ends_it_no_sooner_and_delays_no_effect(tmp_path: Path, jump: str) -> None:
    env = install_sender(tmp_path, SHIFTING)
    (tmp_path / "jump").write_text(jump)
    with Sink() as told:
        sender_settings(tmp_path, told.url, ["apple", "berry", "cherry"])
        done = shifted(tmp_path, env, "2026-03-02 10:00:00", "run", "sender", "--json")
        report = json_of(done)
        assert (done.returncode, report["outcome"]) == (0, "ok"), (report, done.stderr)
        assert report["duration_ms"] < 30_000, "the clock's jump counts as duration"
        assert report["finished_at"] >= report["started_at"]
        assert report["effects"] == {"queued": 3, "delivered": 3, "failed": 0}
        assert dict(told.keys) == {"apple": 1, "berry": 1, "cherry": 1}


@pytest.mark.usefixtures("_way_of_starting")
@pytest.mark.parametrize("clock", ["1970-01-01 00:00:10", "2019-12-31 23:00:00"])
@pytest.mark.parametrize("words", [("run", "plain"), ("due", "--run")], ids=["run", "due"])
def test_a_clock_before_2020_is_refused_and_nothing_is_touched(
    tmp_path: Path, clock: str, words: tuple[str, ...]
) -> None:
    env = make_plugin_package(tmp_path, "plain", PLAIN)
    write_settings(tmp_path, "[plugins.plain]", 'schedule = "0 * * * *"')
    assert shifted(tmp_path, env, "2026-03-02 10:00:30", "run", "plain").returncode == 0
    before = (tmp_path / "pollctl.db").read_bytes()
    done = shifted(tmp_path, env, clock, *words)
    assert done.returncode == 2
    assert "before 2020" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "pollctl.db").read_bytes() == before


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Marquesas"])
def test_moments_are_utc_wherever_the_machine_stands(tmp_path: Path, zone: str) -> None:
    env = {**make_plugin_package(tmp_path, "plain", PLAIN), "TZ": zone}
    write_settings(tmp_path, "[plugins.plain]")
    report = json_of(run_pollctl(tmp_path, env, "run", "plain", "--json"))
    away = abs(from_text(report["started_at"]) - datetime.now(UTC))
    assert away < HOUR, f"{away.total_seconds() / 3600:.1f} hours away from UTC"


EXPRESSIONS = ("* * * * *", "*/10 * * * *", "7 * * * *", "30 1 * * *", "*/20 * * * * *", "0 3 * * 1")
ZONES = ("UTC", "America/New_York", "Asia/Kolkata")
STEPS: tuple[Callable[[random.Random], timedelta], ...] = (
    lambda dice: timedelta(seconds=dice.uniform(0, 90)),
    lambda dice: timedelta(seconds=dice.uniform(0, 90)),
    lambda dice: timedelta(minutes=dice.uniform(0, 90)),
    lambda dice: timedelta(hours=dice.uniform(0, 60)),
    lambda dice: -timedelta(seconds=dice.uniform(0, 5)),
    lambda dice: -timedelta(seconds=dice.uniform(0, 300)),
    lambda dice: -timedelta(hours=dice.uniform(0, 30)),
)


class Walk:
    """A clock that wanders, and a plugin that is started whenever it is due.

    Only one start is remembered, so a clock that is set back by more than a correction over the coming of a slot may have
    earlier slots run again: after that the slots count anew. Within a slot it may be set back and forth at will.
    """

    def __init__(self, seed: str) -> None:
        self.dice = random.Random(seed)
        self.now = datetime(2026, self.dice.randint(1, 12), self.dice.randint(1, 28), tzinfo=UTC)
        catch_up: Literal["once", "skip"] = self.dice.choice(["once", "once", "skip"])
        self.timing = Timing(
            expression=self.dice.choice(EXPRESSIONS),
            timezone=self.dice.choice(ZONES),
            jitter=self.dice.choice([timedelta(), timedelta(seconds=20)]),
            catch_up=catch_up,
            max_lateness=timedelta(minutes=5),
            backoff=timedelta(),
            backoff_max=HOUR,
        )
        self.past = Past()
        self.last_run = datetime.min.replace(tzinfo=UTC)  # the slot that ran last
        self.served: set[datetime] = (
            set()
        )  # slots that ran since the clock was last set back far over the coming of one
        self.passes = 0

    def check(self) -> None:
        """Let the clock make a step, ask whether the plugin is due, and start it if it is."""
        self.now += self.dice.choice(STEPS)(self.dice)
        verdict = judge(self.timing, self.past, self.now, plugin="walker", host="box")
        started = self.past.last_started_at
        if started and started - self.now > CORRECTION and verdict.slot < self.last_run:
            self.served.clear()
        assert verdict.slot_due_at <= self.now
        assert verdict.next_due_at >= self.now
        if not verdict.is_due:
            assert self.past.last_started_at
            assert verdict.next_due_at > self.now
            is_served = self.past.last_started_at >= verdict.slot_due_at
            assert is_served or self.timing.catch_up == "skip", f"a slot is forgotten: {verdict}"
            return
        assert verdict.slot not in self.served, f"slot {verdict.slot} runs twice: {verdict}"
        self.last_run = verdict.slot
        self.served.add(verdict.slot)
        self.past = Past(
            last_started_at=self.now, last_finished_at=self.now + timedelta(seconds=self.dice.uniform(0, 30))
        )
        self.passes += 1
        again = judge(self.timing, self.past, self.now, plugin="walker", host="box")
        assert not again.is_due, f"due again at once: {again}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_wherever_the_clock_wanders_no_slot_runs_twice_and_none_is_forgotten() -> None:
    passes = 0
    for number in range(WALKS):
        walk = Walk(f"{SEED}-{number}")
        try:
            for _ in range(CHECKS):
                walk.check()
        except AssertionError as error:
            raise AssertionError(
                f"walk {SEED}-{number} ({walk.timing.expression}, {walk.timing.timezone}): {error}"
            ) from error
        passes += walk.passes
    figure(f"clock: {WALKS} random walks of {CHECKS} checks, {passes} passes, no slot twice, none forgotten")
