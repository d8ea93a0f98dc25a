"""Batches as a whole: catalogues, answers that change nothing, and purity."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from plugins.soc_sections.world import INDEX, MINUTE, NOON, World, indexes, world_with_catalogue

from pollctl import testing
from pollctl_soc_sections import store
from pollctl_soc_sections.decide import decide
from pollctl_soc_sections.model import Catalogue, Decision, Poll, State

OTHERS = indexes(10_000, 10_300)

SECOND = timedelta(seconds=1)


# rule 8: the catalogue


def test_the_first_catalogue_says_what_belongs_to_the_campus(world: Any) -> None:
    world.configure(catalogue_every=timedelta(days=1))
    world.subscribe("00900")
    world.poll(indexes(0, 500))
    world.catalogue(indexes(0, 200))
    assert world.rows("SELECT count(*) FROM soc_sections WHERE is_known") == [(201,)]
    assert world.rows("SELECT counts FROM soc_campuses") == [("[200]",)]
    assert world.poll(indexes(0, 500)) == "accepted"
    assert world.rows("SELECT known_count FROM soc_polls ORDER BY id DESC LIMIT 1") == [(200,)]


def test_a_section_that_is_regarded_again_does_not_repeat_old_events(world: Any) -> None:
    world.configure(catalogue_every=timedelta(days=1))
    for listed in ([INDEX, "00001"], ["00001"], ["00001"], [INDEX, "00001"]):
        world.poll(listed)
    world.catalogue(indexes(0, 20))
    world.poll(["00001"])
    world.subscribe()
    world.poll(["00001"])
    world.poll([INDEX, "00001"])
    assert world.events() == ["CLOSED", "OPEN", "OPEN"]
    assert world.fanned() == [(1, "pending")]
    assert world.rows("SELECT event_at FROM soc_open_events ORDER BY id DESC LIMIT 1") == [
        ("2026-08-03T16:07:00.000Z",)
    ]


def test_a_catalogue_that_is_suddenly_empty_is_not_believed() -> None:
    world = World()
    for listed, expected in (([], (0, 1)), (indexes(0, 30), (30, 1)), ([], (30, 0)), (indexes(0, 30), (30, 1))):
        world.catalogue(listed)
        assert world.rows("SELECT catalogue_size, catalogue_failure IS NULL FROM soc_campuses") == [expected]


def test_a_catalogue_that_failed_leaves_the_old_one_says_why_and_holds_the_upstream() -> None:
    world = world_with_catalogue(indexes(0, 30))
    read_at = world.rows("SELECT catalogue_read_at FROM soc_campuses")
    held = world.now + MINUTE
    world.play(Catalogue(term="92026", campus="NB", failure="HTTP 429", hold_until=held))
    assert world.rows("SELECT catalogue_size, catalogue_failure FROM soc_campuses") == [(30, "HTTP 429")]
    assert world.rows("SELECT catalogue_read_at FROM soc_campuses") == read_at
    assert [until for _, until in world.run.held] == [held]


def test_a_section_that_leaves_the_catalogue_is_watched_on() -> None:
    world = world_with_catalogue(indexes(0, 30))
    world.catalogue(indexes(0, 29))
    assert world.poll(["00029"]) == "accepted"
    assert world.status("00029") == "OPEN"


# rule 10


@pytest.mark.parametrize("is_same", [True, False], ids=["the same bytes", "the same content"])
def test_where_nothing_changed_a_poll_writes_two_rows_however_many_sections_there_are(is_same: bool) -> None:
    world = world_with_catalogue(indexes(0, 3000))
    world.subscribe("00007")
    world.poll(indexes(0, 2900))
    world.deliver()
    seen: list[str] = []
    world.db.conn.set_trace_callback(seen.append)
    counts = world.rows("SELECT counts FROM soc_campuses")
    verdict = world.same() if is_same else world.poll(indexes(0, 2900))
    world.db.conn.set_trace_callback(None)

    writes = [statement for statement in seen if statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))]
    assert (verdict, [statement.split()[2] for statement in writes]) == ("accepted", ["soc_polls", "soc_campuses"])
    assert (counts, world.rows("SELECT counts FROM soc_campuses")) == ([("[2900]",)], [("[2900, 2900]",)])
    assert world.rows("SELECT listed_count, known_count FROM soc_polls ORDER BY id DESC LIMIT 1") == [(2900, 2900)]
    assert world.same(after=SECOND) == "too_soon"
    assert world.rows("SELECT counts FROM soc_campuses") == [("[2900, 2900]",)]


def test_an_answer_is_recognised_by_its_hash_only_once_every_status_agrees_with_it(world: Any) -> None:
    hashes = []
    for seconds, listed in ((60, "OX"), (60, "X"), (60, "X"), (60, "X"), (10, "XO"), (60, "X")):
        world.poll([INDEX if letter == "O" else "10000" for letter in listed], after=seconds * SECOND)
        hashes.append(world.rows("SELECT settled_hash FROM soc_campuses")[0][0] is not None)
    assert hashes == [True, False, False, True, False, False]


def test_a_failure_does_not_forget_the_answer_before(world: Any) -> None:
    remembered = "SELECT settled_hash, counts, last_counted_at, last_poll_at FROM soc_campuses"
    world.poll([INDEX])
    before = world.rows(remembered)
    world.now += MINUTE
    world.play(Poll(term="92026", campus="NB", failure="HTTP 500"))
    assert world.rows(remembered) == before
    assert world.rows("SELECT listed_count, known_count, reason FROM soc_polls ORDER BY id DESC LIMIT 1") == [
        (None, None, "HTTP 500")
    ]


# polls are kept for a while


def test_a_poll_is_kept_for_thirty_days(world: Any) -> None:
    world.poll([INDEX])
    world.poll([INDEX], after=timedelta(days=31))
    assert world.rows("SELECT count(*) FROM soc_polls") == [(1,)]
    assert world.rows("SELECT polls FROM soc_campuses") == [(2,)]
    assert world.now - NOON > timedelta(days=31)


# pure, and recorded


def test_decide_is_pure_and_what_it_takes_and_gives_survives_a_recording() -> None:
    world = world_with_catalogue([INDEX, *OTHERS])
    world.subscribe()
    world.subscribe(window="01:00-02:00", contact="json://127.0.0.1/two")
    world.poll(OTHERS)
    world.poll(OTHERS[:100])
    poll = Poll(term="92026", campus="NB", content_hash="x", listed=frozenset([INDEX, *OTHERS[:100]]))
    state = store.load(world.db, poll, world.run)
    decisions = decide(state, poll, world.now + MINUTE, world.run.settings)

    assert testing.impurities(decide, state, poll, world.now + MINUTE, world.run.settings) == []
    assert {type(it).__name__ for it in decisions} >= {"RecordPoll", "OpenEvent", "FanOut"}
    for value, kind in ((poll, Poll), (state, State), (decisions, list[Decision])):
        assert testing.round_trip_problems(value, kind) == []
    assert b"127.0.0.1" not in msgspec.json.encode([state, decisions])
