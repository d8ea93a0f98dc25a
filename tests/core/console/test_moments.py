"""Moments on a terminal, and as people write them (people.md, rule 15)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from full_database import NOW, lay_out
from plugin_package import clean_environment, json_of, run_pollctl, write_settings
from pseudo_terminal import show_listings

from pollctl.clock import from_person, from_text, to_text
from pollctl.console.moments import Moments

SATURDAY = from_text("2026-11-28T18:02:00Z")
AMSTERDAM = Moments(SATURDAY, ZoneInfo("Europe/Amsterdam"))


@pytest.mark.parametrize(
    ("moment", "short", "age"),
    [
        ("2026-11-28T18:02:00.000Z", "19:02:00", "now"),
        ("2026-11-28T18:00:01.500Z", "19:00:01", "1 min ago"),
        ("2026-11-28T18:02:42.000Z", "19:02:42", "in 42 s"),
        ("2026-11-28T14:40:00.000Z", "15:40:00", "3 h 22 min ago"),
        ("2026-11-27T23:30:00.000Z", "00:30:00", "18 h 32 min ago"),
        ("2026-11-23T19:54:00.000Z", "Mon 20:54", "4 d 22 h ago"),
        ("2026-12-03T09:00:00.000Z", "Thu 10:00", "in 4 d 14 h"),
        ("2026-11-21T09:00:00.000Z", "21 Nov 10:00", "7 d ago"),
        ("2026-07-01T09:00:00.000Z", "1 Jul 11:00", "150 d ago"),
        ("2025-12-31T22:59:00.000Z", "2025-12-31 23:59", "331 d ago"),
        ("never", "never", "never"),
    ],
)
def test_a_moment_is_short_and_local(moment: str, short: str, age: str) -> None:
    assert (AMSTERDAM.short(moment), AMSTERDAM.age(moment)) == (short, age)


def test_a_moment_that_stands_in_the_readers_zone_already_is_not_said_twice() -> None:
    slot = "is 2026-11-28 19:02:00 Europe/Amsterdam, 2026-11-28T18:02:00Z"
    assert AMSTERDAM.in_text(slot) == "is 2026-11-28 19:02:00 Europe/Amsterdam"
    assert (
        Moments(SATURDAY, ZoneInfo("Asia/Kolkata")).in_text(slot) == "is 2026-11-28 19:02:00 Europe/Amsterdam, 23:32:00"
    )
    assert Moments(SATURDAY, is_utc=True).in_text(slot) == slot


def test_with_utc_it_is_whole() -> None:
    whole = AMSTERDAM._replace(is_utc=True)
    moment = "2026-11-23T19:54:00.000Z"
    assert {whole.short(moment), whole.age(moment), whole.long(moment), whole.in_text(moment)} == {moment}


def test_moments_within_a_sentence_are_made_short() -> None:
    assert AMSTERDAM.in_text("held until 2026-11-28T18:12:00Z, again") == "held until 19:12:00, again"


def place(tmp_path: Path, *lines: str) -> Path:
    lay_out(tmp_path, is_full=True)
    write_settings(tmp_path, *lines, "[plugins.latency]")
    return tmp_path


@pytest.mark.parametrize(
    ("lines", "zone", "options", "heading", "moment", "begun"),
    [
        (('timezone = "Europe/Amsterdam"',), "America/New_York", (), "triggered (CET)", "18:19:00", "19:00:00"),
        ((), "America/New_York", (), "triggered (EST)", "12:19:00", "13:00:00"),
        ((), "Asia/Kathmandu", (), "triggered (+0545)", "23:04:00", "23:45:00"),
        ((), "UTC", (), "triggered (UTC)", "17:19:00", "18:00:00"),
        (
            ('timezone = "Europe/Amsterdam"',),
            "UTC",
            ("--utc",),
            "triggered",
            "2026-11-28T17:19:00.000Z",
            "2026-11-28T18:00:00.000Z",
        ),
    ],
)
def test_the_zone_is_that_of_the_settings_or_else_of_the_machine(
    tmp_path: Path, lines: tuple[str, ...], zone: str, options: tuple[str, ...], heading: str, moment: str, begun: str
) -> None:
    """In the listings of plugins, and in those of the core."""
    env = clean_environment(tmp_path) | {"POLLCTL_NOW": NOW, "TZ": zone}
    commands = [[*options, "latency", "alerts"], [*options, "history", "--limit", "1"], [*options, "show", "latest"]]
    screen = show_listings(commands, columns=100, cwd=place(tmp_path, *lines), env=env)
    assert heading in screen.lines[1]
    assert moment in screen.lines[2]
    history, shown = screen.text.split("history --limit 1")[1].split("show latest")
    assert begun in history
    assert begun in shown
    piped = run_pollctl(tmp_path, env, "latency", "alerts").stdout
    assert "2026-11-28T17:19:00.000Z" in piped
    assert json_of(run_pollctl(tmp_path, env, "latency", "alerts", "--json"))[0]["triggered_at"] in piped


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-08T06:59:00Z", "2026-03-08T07:59:00+01:00", "2026-03-08 06:59Z", "20260308T065900Z", "2026-W10-7T06:59Z",
        "2026-03-08T06:59:00.000000Z", "2026-03-08T06:59:00,000Z", "2026-03-08t06:59:00z", "2026-03-08 01:59:00 -0500",
        " 2026-03-08T06:59:00+00 ",
    ],
)  # fmt: skip
def test_any_iso_form_with_a_zone_is_understood(text: str) -> None:
    assert to_text(from_person(text, SATURDAY)) == "2026-03-08T06:59:00.000Z"


def test_the_end_of_a_day_is_the_beginning_of_the_next() -> None:
    assert to_text(from_person("2026-03-07T24:00:00Z", SATURDAY)) == "2026-03-08T00:00:00.000Z"


def test_a_distance_counts_from_now() -> None:
    for text, hours in (("-2h", -2.0), ("+90m", 1.5), ("-1d", -24.0), ("-1w", -168.0), ("-1800s", -0.5)):
        assert from_person(text, SATURDAY) - SATURDAY == timedelta(hours=hours), text


@pytest.mark.parametrize("text", ["2026-03-08T06:59:00", "2026-03-08", "2h", "-2", "yesterday", "", "-99999999999w"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_person(text, datetime.now(UTC))


def test_at_and_the_rehearsed_clock_take_distances(tmp_path: Path) -> None:
    write_settings(tmp_path, "[plugins.latency]", 'schedule = "0 12 * * *"')
    env = clean_environment(tmp_path) | {"POLLCTL_NOW": "2026-03-08 13:30:00+01:00"}
    slots = json_of(run_pollctl(tmp_path, env, "due", "--next", "1", "--at", "-2h", "--json"))
    assert slots == {"latency": ["2026-03-08T12:00:00.000Z"]}
    for variable in ("-2h", "@-2h"):
        done = run_pollctl(tmp_path, env | {"POLLCTL_NOW": variable}, "due", "--next", "1", "--json")
        [slot] = json_of(done)["latency"]
        assert from_text(slot) - datetime.now(UTC) < timedelta(days=1)
    refused = run_pollctl(tmp_path, env, "due", "--at", "noon")
    assert (refused.returncode, "2026-03-08T06:59:00Z or -2h" in refused.stderr) == (2, True)
