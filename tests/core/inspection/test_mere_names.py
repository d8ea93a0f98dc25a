"""A typo leaves nothing behind, and commands say when nothing will come of them (people.md, rules 27 and 28)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from core.parrot import FAILING, Parrot
from place import Place
from sample_plugin import parrot_source

AT = "2026-03-02T09:0{}:00Z"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place where `plane` stood in the settings for a minute, and `due --run` told of it."""
    place = Place(tmp_path)
    place.plugin("plain")
    place.settings("[plugins.plane]")
    assert "no plugin named 'plane' (did you mean 'plain'?)" in place.call("due", "--run", now=AT.format(0)).stderr
    assert place.call("due", "--run", now=AT.format(1)).stderr == "", "it was told, and that is kept"
    return place


def test_while_it_stands_in_the_settings_it_is_shown(place: Place) -> None:
    assert [row["plugin"] for row in json.loads(place.do("status", "--json"))] == ["plane"]


def test_before_any_pass_was_to_start_status_knows_that_it_is_not_installed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plugin("plain")
    place.settings("[plugins.plane]")
    (row,) = json.loads(place.do("status", "--json"))
    assert row["problem"] == "no plugin named 'plane' (did you mean 'plain'?)"


def test_once_it_is_mended_status_metrics_and_prune_forget_it(place: Place) -> None:
    place.settings("[plugins.plain]")
    assert [row["plugin"] for row in json.loads(place.do("status", "--json"))] == ["plain"]
    assert "plane" not in place.do("metrics")
    assert place.do("db", "prune") == "deleted: 0 runs, 0 recordings, 0 effects; forgotten: plane\n"
    assert "plane" not in [row[0] for row in place.sql("SELECT plugin FROM schedules")]
    assert place.do("db", "prune") == "deleted: 0 runs, 0 recordings, 0 effects\n"


def test_a_plugin_with_a_past_is_not_forgotten(place: Place) -> None:
    place.settings("[plugins.plain]")
    place.do("run", "plain")
    place.settings()
    place.do("db", "prune")
    assert [row["plugin"] for row in json.loads(place.do("status", "--json"))] == ["plain"]


def test_commands_of_a_plugin_that_is_not_enabled_say_so(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.settings("[plugins.soc_sections]")
    told = "pollctl: latency is not enabled, so that no pass of it is started; `pollctl plugins enable latency`\n"
    assert place.call("latency", "add", "127.0.0.1").stderr == told
    assert place.call("latency", "jobs").stderr == told
    place.settings("[plugins.latency]")
    assert place.call("latency", "jobs").stderr == ""


def test_retry_says_when_the_next_pass_is_or_that_there_is_none(parrot: Parrot) -> None:
    parrot.teach(parrot_source(deliver=FAILING))
    parrot.report(now=AT.format(0), code=3)
    assert parrot.do("outbox", "retry", "1", "2", now=AT.format(0)) == (
        "2 effects of parrot: its next pass sends them, due at 2026-03-02T09:01:00.000Z\n"
    )
    assert "its next pass, which is due now, sends them" in parrot.do("outbox", "retry", "1", now=AT.format(3))
    parrot.configure("enabled = false")
    assert parrot.do("outbox", "retry", "1") == (
        "1 effect of parrot: no pass will send them, as it is not enabled; "
        "`pollctl plugins enable parrot`, or `pollctl run parrot`\n"
    )
    assert parrot.do("outbox", "retry", "--dead") == "there is no dead effect\n"
