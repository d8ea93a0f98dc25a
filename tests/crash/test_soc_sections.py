"""Passes of soc_sections killed at random moments: nobody is notified twice of an opening, and nobody is left out.

``POLLCTL_CAMPAIGN=full`` is the run for the record; ``POLLCTL_SEED`` repeats one.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from campaign import SEED, figure, size
from plugin_package import command
from plugins.soc_sections.place import Place, Sink
from plugins.soc_sections.world import INDEX

from pollctl_soc_sections.fake import FakeSoc

KILLS = int(os.environ.get("POLLCTL_KILLS", size(25, 200)))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
STUDENTS = 5
LETTERS = "XOOXX"
"""One episode: closed, open for two passes, and closed again by two misses."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Sink() as sink, FakeSoc({"NB": 40}) as soc:
        soc.set_open("NB", [section.index_number for section in soc.sections["NB"][:20]])
        yield Place(tmp_path, soc, sink)


def run_and_kill(place: Place, after: float) -> bool:
    """Start a pass and kill it some seconds later; answers whether it was still alive then."""
    process = subprocess.Popen(
        command("run", "soc_sections"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=place.folder,
        env=place.env_at(""),
    )
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return process.wait(timeout=30) == -signal.SIGKILL


def duration_of_a_pass(place: Place) -> float:
    """How long a whole pass takes as a process."""
    place.minute += 1
    began = time.monotonic()
    assert place.spawn("run", "soc_sections").returncode == 0
    return time.monotonic() - began


def test_each_subscription_is_notified_once_of_each_episode_whatever_is_killed(place: Place) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    dice = random.Random(SEED)
    for number in range(STUDENTS):
        place.subscribe("--max", "10", name=f"student-{number}")
    place.play("X")
    longest = 1.2 * duration_of_a_pass(place)
    kills = 0
    while kills < KILLS:
        for letter in LETTERS:
            place.answer(letter)
            place.minute += 1
            kills += run_and_kill(place, dice.uniform(0.2 * longest, longest))
            if dice.random() < 0.5:
                place.run()
        place.sql("UPDATE soc_subscriptions SET sent_count = 0 WHERE status = 'active'")
    place.play("X X X O")

    wanted = {
        (str(key), f"/student-{number}")
        for key, number in place.sql(
            """SELECT dedupe_key || ':' || subscription.id, subscription.id - 1 FROM soc_open_events
               CROSS JOIN soc_subscriptions AS subscription"""
        )
    }
    assert {(each.key.rpartition(":")[0], each.path.split("?")[0]) for each in place.sink.received} == wanted
    assert place.sql("SELECT DISTINCT fanout_status FROM soc_open_event_notifications") == [("sent",)]
    assert place.sql("SELECT DISTINCT status FROM outbox") == [("delivered",)]
    assert place.sql("PRAGMA integrity_check") == [("ok",)]

    events = [status for (status,) in place.sql("SELECT status FROM soc_status_events ORDER BY id")]
    assert events == ["OPEN", "CLOSED"] * (len(events) // 2) + ["OPEN"] * (len(events) % 2)
    assert place.status(INDEX) == "OPEN"
    repeated = Counter(each.key for each in place.sink.received)
    figure(
        f"soc_sections: {kills} kills, "
        f"{len(wanted)} notifications, {sum(repeated.values()) - len(repeated)} repeats with the same key"
    )
