"""``run.idle_until``: a plugin with nothing to do has no pass, until something has changed (authors §8)."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from place import Place, wait_for
from plugin_package import json_of
from sample_plugin import plain

from pollctl.due import fast_path

pytestmark = pytest.mark.slow

SETTINGS = """until: str = "2026-03-08T12:30:00Z"
effect: str = ""
how: str = "well"
word: str = "hello" """
FETCH = """(run):
    from pollctl import from_text
    yield Batch(1)
    run.idle_until(from_text(run.settings.until))
    if run.settings.how == "waits":
        open("asked", "w").close()
        while not os.path.exists("go on"):
            time.sleep(0.01)
    if run.settings.how == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if run.settings.how == "raises":
        raise RuntimeError("boom")
    if run.settings.how == "is down":
        run.failed("everything", "no answer")"""
APPLY = """(db, decisions, run):
    from datetime import timedelta
    later = run.now + timedelta(minutes=2) if run.settings.effect == "later" else None
    if run.settings.effect:
        run.effect("word", run.id, {}, not_before=later)"""
DELIVER = """(effect, run):
    raise DeliveryError("nobody home")"""
COMMANDS = """(group):
    import click

    @group.command
    @click.pass_obj
    def touch(context):
        with context.writing():
            pass"""
SOURCE = plain(
    settings=SETTINGS, effects='{"word": "keyed"}', fetch=FETCH, apply=APPLY, deliver=DELIVER, commands=COMMANDS
)
LONG = 'idle_max = "2h"'


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.plugin("plain", SOURCE)
    place.settings(f"[plugins.plain]\n{LONG}")
    return place


def passes(place: Place, *minutes: str) -> list[str]:
    """The minutes in which there has been a pass, after one in each of *minutes* in which it is due."""
    for minute in minutes:
        if due(place, minute):
            place.call("run", "plain", "--trigger", "due", now=f"2026-03-08T{minute}:00Z")
    rows = place.sql("SELECT substr(started_at, 12, 5) FROM runs ORDER BY id")
    return [minute for (minute,) in rows]


def due(place: Place, minute: str) -> bool:
    return place.do("due", now=f"2026-03-08T{minute}:00Z") == "plain\n"


def test_no_pass_and_no_row_before_the_moment_that_was_asked_for(place: Place) -> None:
    assert passes(place, "12:00", "12:01", "12:29", "12:30", "12:31") == ["12:00", "12:30", "12:31"]


def test_a_moment_between_two_slots_is_served_by_the_slot_after_it(place: Place) -> None:
    place.settings(f'[plugins.plain]\n{LONG}\nuntil = "2026-03-08T12:10:30Z"')
    assert passes(place, "12:00", "12:10", "12:11") == ["12:00", "12:11"]


def test_a_plugin_goes_no_longer_without_a_pass_than_idle_max(place: Place) -> None:
    place.settings("[plugins.plain]")
    assert passes(place, "12:00", "12:01", "12:04", "12:05", "12:06") == ["12:00", "12:05"]
    (place.folder / "pollctl.toml").write_text('[pollctl]\ndatabase = "pollctl.db"\nidle_max = "0s"\n[plugins.plain]\n')
    assert passes(place, "12:07", "12:08")[-2:] == ["12:07", "12:08"]


def test_changed_settings_end_it(place: Place) -> None:
    passes(place, "12:00")
    assert not due(place, "12:01")
    place.settings(f'[plugins.plain]\n{LONG}\nword = "bye"')
    assert due(place, "12:01")
    place.settings(f"[plugins.plain]\n{LONG}", "[plugins.other]\nenabled = false")
    assert not due(place, "12:01"), "the section of another plugin does not concern it"


def test_a_command_that_writes_ends_it(place: Place) -> None:
    passes(place, "12:00")
    place.do("plain", "touch")
    assert due(place, "12:01")
    assert passes(place, "12:02", "12:03") == ["12:00", "12:02"]


def test_a_command_that_writes_while_a_pass_is_at_work_ends_it_too(place: Place) -> None:
    place.settings(f'[plugins.plain]\n{LONG}\nhow = "waits"\nuntil = "2199-01-01T00:00:00Z"')
    with place.running("run", "plain"):
        wait_for((place.folder / "asked").exists)
        place.do("plain", "touch")
        (place.folder / "go on").touch()
    assert place.outcomes() == {"plain": "ok"}
    assert place.sql("SELECT until FROM idle WHERE settings <> ''") == []


def test_a_pass_by_hand_ends_it_and_asks_again(place: Place) -> None:
    passes(place, "12:00")
    place.do("run", "plain", now="2026-03-08T12:01:30Z")
    assert passes(place, "12:02", "12:29") == ["12:00", "12:01"]


def test_an_effect_that_is_to_be_tried_again_comes_first(place: Place) -> None:
    place.settings(f'[plugins.plain]\n{LONG}\neffect = "now"')
    passes(place, "12:00")
    assert not due(place, "12:00")
    assert due(place, "12:02"), "the first try failed, the second comes after a minute"


def test_an_effect_that_rests_comes_first(place: Place) -> None:
    place.settings(f'[plugins.plain]\n{LONG}\neffect = "later"')
    passes(place, "12:00")
    assert not due(place, "12:01")
    assert due(place, "12:02")


def test_effects_that_stand_behind_others_do_not_end_it(place: Place) -> None:
    place.settings(f'[plugins.plain]\n{LONG}\neffect = "later"')
    passes(place, "12:00")
    place.sql(
        "INSERT INTO outbox (plugin, run_id, kind, key, lane, payload, next_attempt_at, created_at) "
        "SELECT plugin, run_id, kind, 'behind', lane, payload, created_at, created_at FROM outbox"
    )
    place.settings(f"[plugins.plain]\n{LONG}")
    passes(place, "12:01")
    assert not due(place, "12:01")
    assert due(place, "12:02")


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_effects_changed_by_hand_end_it(place: Place, command: str) -> None:
    place.settings(f'[plugins.plain]\n{LONG}\neffect = "later"')
    passes(place, "12:00")
    place.do("outbox", command, "1", now="2026-03-08T12:00:10Z")
    assert due(place, "12:01")


def test_a_pass_that_raises_does_not_ask(place: Place) -> None:
    place.settings(f'[plugins.plain]\n{LONG}\nbackoff = "0s"\nhow = "raises"')
    assert passes(place, "12:00", "12:01") == ["12:00", "12:01"]


def test_a_pass_without_a_reachable_upstream_does(place: Place) -> None:
    place.settings(f'[plugins.plain]\n{LONG}\nbackoff = "0s"\nhow = "is down"')
    assert passes(place, "12:00", "12:01") == ["12:00"]


def test_a_pass_that_died_does_not_ask(place: Place) -> None:
    passes(place, "12:00")
    place.settings(f'[plugins.plain]\n{LONG}\nhow = "dies"')
    assert place.spawn("run", "plain", now="2026-03-08T12:01:00Z").returncode == -signal.SIGKILL
    place.settings(f"[plugins.plain]\n{LONG}")
    assert due(place, "12:02")


def test_one_that_was_asked_for_while_the_clock_ran_ahead_is_ignored(place: Place) -> None:
    place.settings(f'[plugins.plain]\n{LONG}\nuntil = "2026-03-08T23:30:00Z"')
    passes(place, "13:00")
    assert due(place, "12:01")


def test_why_and_status_show_it(place: Place) -> None:
    passes(place, "12:00")

    def gate(minute: str) -> dict[str, Any]:
        said = json_of(place.call("why", "plain", "--json", now=f"2026-03-08T{minute}:00Z"))
        (idle,) = (one for one in said["gates"] if one["name"] == "idle")
        return {**idle, "next": said["next_due_at"]}

    text = "its last pass has nothing to do before 2026-03-08T12:30:00Z"
    then = "2026-03-08T12:30:00.000Z"
    assert gate("12:05") == {"name": "idle", "passed": False, "text": text, "next": then}
    assert gate("12:31")["text"] == f"{text}, which has come"
    (row,) = json_of(place.call("status", "--json", now="2026-03-08T12:05:00Z"))
    assert (row["idle_until"], row["next_due_at"]) == (then, then)
    (row,) = json_of(place.call("status", "--json", now="2026-03-08T12:31:00Z"))
    assert row["idle_until"] is None
    place.settings(f'[plugins.plain]\n{LONG}\nword = "bye"')
    assert gate("12:05")["text"] == f"{text}, but the settings have changed since"


def test_the_fast_path_knows_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    place.settings('[plugins.plain]\nuntil = "2199-01-01T00:00:00Z"\nidle_max = "30000d"\ntimezone = "UTC"')
    place.do("run", "plain")
    time.sleep(0.05)  # files younger than the process are not relied on
    place.do("due", "--run")
    assert fast_path.is_nothing_due(("due", "--run"), place.env)
    ((due_at,),) = place.sql("SELECT due_at FROM next_due")
    assert due_at > "2100"
    place.do("plain", "touch")
    assert not fast_path.is_nothing_due(("due", "--run"), place.env)
