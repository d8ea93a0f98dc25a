"""The rules, called one batch at a time on a real database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha1
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.soc_sections.world import INDEX, MINUTE, NOON, World, indexes, moment

from pollctl import testing
from pollctl_soc_sections import decide, store
from pollctl_soc_sections.decide import baseline, is_sharp
from pollctl_soc_sections.decide import decide as decided
from pollctl_soc_sections.fetch import UnreadableError, read_indexes
from pollctl_soc_sections.model import (
    Catalogue,
    Decision,
    Poll,
    Settings,
    State,
    is_within,
)
from pollctl_soc_sections.notation import read_campus, read_index, read_term

OTHERS = indexes(10_000, 10_300)
SECOND = timedelta(seconds=1)


def world_of(known: Sequence[str], **changes: Any) -> World:
    """A campus whose catalogue has been read."""
    world = World(**{"catalogue_every": timedelta(days=1), **changes})
    world.catalogue(known)
    return world


# rule 1


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"{}", b'["10001', b"[10001]", b'"10001"', b"<html></html>", b'["10001"] x', b'["\xff"]', b'[["10001"]]'],
    ids=repr,
)  # fmt: skip
def test_what_is_no_array_of_strings_is_no_answer(body: bytes) -> None:
    with pytest.raises(UnreadableError, match="no array of strings"):
        read_indexes(body)


def test_entries_are_trimmed_blanks_dropped_and_duplicates_folded() -> None:
    assert read_indexes(b'[" 00123 ", "", "  ", "00123", "45678"]') == (frozenset({"00123", "45678"}), 0)
    assert read_indexes(b"[]") == (frozenset(), 0)


@pytest.mark.parametrize("wrong", ["5972", "123456", "1234x", "\u0661\u0661\u0661\u0661\u0661", "12 34"])
def test_up_to_one_entry_in_a_hundred_may_be_no_index(wrong: str) -> None:
    listed = [*indexes(0, 99), wrong]
    assert read_indexes(json.dumps(listed).encode()) == (frozenset(indexes(0, 99)), 1)
    with pytest.raises(UnreadableError, match="2 of 101 entries"):
        read_indexes(json.dumps([*listed, "x"]).encode())


# rule 2


def test_first_sight_stores_states_and_tells_nobody(world: Any) -> None:
    world.settle(catalogue_every=timedelta(days=1))
    world.catalogue([INDEX, *OTHERS])
    world.poll(OTHERS)

    assert world.rows("SELECT status, count(*) FROM soc_sections GROUP BY 1") == [("CLOSED", 1), ("OPEN", 300)]
    assert (world.events(), world.rows("SELECT * FROM soc_open_events"), world.run.effects) == ([], [], [])


def test_a_section_that_joins_the_catalogue_open_tells_only_who_asked_for_it(world: Any) -> None:
    world.settle(catalogue_every=timedelta(days=1))
    world.catalogue(OTHERS)
    world.poll(OTHERS)
    world.subscribe("20001")
    world.catalogue([*OTHERS, "20001", "20002"])
    world.poll([*OTHERS, "20001", "20002"])

    assert world.rows("SELECT index_number, status_before FROM soc_open_events") == [("20001", "UNKNOWN")]
    assert world.fanned() == [(1, "pending")]


def test_who_does_not_want_to_hear_of_an_open_section_hears_of_the_next_opening(world: Any) -> None:
    world.subscribe(unless_open=1)
    for listed in ([INDEX], [INDEX], [], [*OTHERS], [*OTHERS]):
        world.poll([*listed, "10000"])
    assert world.fanned() == []
    world.poll([INDEX, "10000"])
    assert world.fanned() == [(1, "pending")]


def test_who_does_not_want_to_hear_of_an_open_section_does_not_hear_of_an_opening_before_they_asked(world: Any) -> None:
    for listed in (["10000"], ["10000", INDEX]):
        world.poll(listed)
    world.subscribe("10000")
    world.subscribe(unless_open=1)
    world.poll(["10000", INDEX])
    assert world.deliver() == [1]


def test_a_new_subscriber_hears_nothing_of_a_section_that_is_being_missed(world: Any) -> None:
    world.poll([INDEX, "10000"])
    world.subscribe()
    world.poll(["10000"])
    assert (world.status(), world.fanned()) == ("OPEN", [])
    world.poll([INDEX, "10000"])
    assert world.fanned() == [(1, "pending")]


# rule 4


def test_an_answer_within_the_gap_counts_openings_but_no_misses(world: Any) -> None:
    world.poll([INDEX, "10000"])
    verdicts = [world.poll(["10000"], after=10 * SECOND) for _ in range(5)]
    assert verdicts == ["too_soon", "too_soon", "accepted", "too_soon", "too_soon"]
    assert world.status() == "OPEN"
    assert world.poll(["10000"], after=10 * SECOND) == "accepted"
    assert world.status() == "CLOSED"
    assert world.poll([INDEX, "10000"], after=SECOND) == "too_soon"
    assert (world.status(), world.events()) == ("OPEN", ["CLOSED", "OPEN"])


@pytest.mark.parametrize("threshold", [1, 2, 3, 5])
def test_misses_close_at_the_threshold(threshold: int) -> None:
    world = World(catalogue_every=timedelta(), miss_threshold=threshold)
    world.poll([INDEX, "10000"])
    statuses = []
    for _ in range(threshold):
        statuses.append(world.status())
        world.poll(["10000"])
    assert (statuses, world.status()) == (["OPEN"] * threshold, "CLOSED")


def test_a_clock_that_steps_back_does_not_stop_the_counting(world: Any) -> None:
    world.poll([INDEX, "10000"])
    world.poll(["10000"], after=-timedelta(hours=3))
    world.poll(["10000"])
    assert world.status() == "CLOSED"


# rule 6


def test_an_empty_answer_with_nothing_known_open_is_valid(world: Any) -> None:
    assert world.poll([]) == "accepted"


def test_an_empty_answer_may_be_believed_where_the_settings_allow_it() -> None:
    world = World(catalogue_every=timedelta(), confirm_empty=True)
    world.poll([INDEX, *OTHERS])
    assert [world.poll([]) for _ in range(6)] == ["suspect_empty"] * 5 + ["confirmed"]
    assert (world.status(), world.rows("SELECT DISTINCT misses FROM soc_sections")) == ("OPEN", [(1,)])
    assert (world.poll([]), world.status()) == ("accepted", "CLOSED")
    assert world.poll([INDEX, *OTHERS]) == "accepted"
    assert world.poll([]) == "suspect_empty"


def test_an_empty_answer_within_the_gap_does_not_put_off_the_next_miss(world: Any) -> None:
    world.poll([INDEX, "10000"])
    assert world.poll([], after=20 * SECOND) == "suspect_empty"
    assert world.poll(["10000"], after=20 * SECOND) == "accepted"
    assert world.rows("SELECT misses FROM soc_sections WHERE index_number = ?", [INDEX]) == [(1,)]


def test_by_default_an_empty_answer_is_never_believed(world: Any) -> None:
    world.poll([INDEX, *OTHERS])
    assert {world.poll([], after=timedelta(hours=1)) for _ in range(50)} == {"suspect_empty"}
    assert (world.events(), world.rows("SELECT sum(misses) FROM soc_sections")) == ([], [(0,)])


# rule 7


def test_the_border_of_a_sharp_fall_is_exact() -> None:
    assert not is_sharp(11_423, 10_281, Settings())
    assert is_sharp(11_423, 10_280, Settings())


@pytest.mark.parametrize("base", [250, 1130, 2290, 70_000])
def test_a_fall_of_exactly_the_share_is_suspect_however_floats_round(base: int) -> None:
    assert is_sharp(base, base - base // 10, Settings())
    assert not is_sharp(base, base - base // 10 + 1, Settings())


def test_a_small_fall_is_believed_whatever_its_share() -> None:
    assert not is_sharp(30, 6, Settings())
    assert is_sharp(30, 5, Settings())


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([], None), ([5], 5), ([1, 9], 9), ([9, 1], 1), ([9, 8, 1], 8), ([4, 3, 2, 1], 2)],
    ids=str,
)
def test_the_baseline_is_the_lower_median_or_the_last_count(counts: list[int], expected: int | None) -> None:
    assert baseline(counts) == expected


def test_the_baseline_looks_at_sixteen_counts(world: Any) -> None:
    for count in [250] + [240] * 16:
        world.poll(indexes(0, count))
    assert world.rows("SELECT counts FROM soc_campuses") == [(json.dumps([240] * 16),)]


def test_a_sharp_fall_holds_closings_and_misses_while_openings_count() -> None:
    world = world_of(indexes(0, 320))
    world.subscribe("00310")
    world.poll(indexes(0, 300))
    assert world.poll([*indexes(0, 200), "00310"]) == "suspect_drop"
    assert (world.events(), world.rows("SELECT sum(misses) FROM soc_sections")) == (["OPEN"], [(0,)])
    assert world.deliver() == [1]
    assert world.poll([*indexes(0, 299), "00310"]) == "accepted"
    assert world.rows("SELECT index_number FROM soc_sections WHERE misses > 0") == [("00299",)]
    assert world.rows("SELECT suspect_first FROM soc_campuses") == [(None,)]


def test_suspect_answers_that_agree_are_believed_after_enough_of_them_and_long_enough() -> None:
    world = world_of(indexes(0, 300))
    world.poll(indexes(0, 300))
    verdicts = [world.poll(indexes(0, 200 + place % 2)) for place in range(8)]
    assert verdicts == ["suspect_drop"] * 5 + ["confirmed", "accepted", "accepted"]
    assert world.events() == ["CLOSED"] * 99
    assert world.rows("SELECT polled_at FROM soc_polls WHERE verdict = 'confirmed'") == [("2026-08-03T16:07:00.000Z",)]


def test_the_answer_that_is_believed_is_the_first_miss() -> None:
    world = world_of(indexes(0, 300), confirm_polls=2, confirm_span=timedelta(minutes=1))
    world.poll(indexes(0, 300))
    assert [world.poll(indexes(0, 200)) for _ in range(2)] == ["suspect_drop", "confirmed"]
    assert world.rows("SELECT misses, count(*) FROM soc_sections GROUP BY 1") == [(0, 200), (1, 100)]
    world.poll(indexes(0, 200))
    assert len(world.events()) == 100


def test_suspect_answers_that_disagree_begin_anew() -> None:
    world = world_of(indexes(0, 300), confirm_polls=2, confirm_span=timedelta())
    world.poll(indexes(0, 300))
    assert world.poll(indexes(0, 200)) == "suspect_drop"
    assert world.poll(indexes(100, 300)) == "suspect_drop"
    assert world.poll(indexes(99, 300)) == "confirmed"


def test_only_the_campus_own_sections_make_its_count() -> None:
    world = world_of(indexes(0, 300))
    world.poll(indexes(0, 5000))
    assert world.rows("SELECT listed_count, known_count FROM soc_polls") == [(5000, 300)]
    assert world.poll(indexes(200, 5000)) == "suspect_drop"


def test_what_opens_makes_up_for_what_closes() -> None:
    world = world_of(indexes(0, 400))
    world.poll(indexes(0, 300))
    assert world.poll(indexes(100, 400)) == "accepted"
    assert world.rows("SELECT known_count FROM soc_polls ORDER BY id DESC LIMIT 1") == [(300,)]


def test_a_suspect_answer_that_comes_before_the_first_of_its_run_begins_anew() -> None:
    world = world_of(indexes(0, 300), confirm_polls=2, confirm_span=timedelta(minutes=1))
    world.poll(indexes(0, 300))
    assert world.poll(indexes(0, 200)) == "suspect_drop"
    assert world.poll(indexes(0, 200), after=-timedelta(hours=1)) == "suspect_drop"
    assert world.rows("SELECT suspect_polls FROM soc_campuses") == [(1,)]


# rule 8


def test_an_answer_that_shares_nothing_with_the_catalogue_is_rejected() -> None:
    world = world_of(indexes(0, 30))
    world.subscribe("70000")
    assert world.poll(["70000", "80000"]) == "rejected"
    assert world.rows("SELECT DISTINCT status FROM soc_sections") == [("UNKNOWN",)]
    assert world.poll(["00000", "80000"]) == "accepted"
    assert world.run.failures.keys() == {"92026 NB"}


def test_without_a_catalogue_that_guard_rests(world: Any) -> None:
    world.poll(indexes(0, 10))
    assert world.poll(indexes(50, 60)) == "accepted"


def test_the_first_catalogue_says_what_belongs_to_the_campus(world: Any) -> None:
    world.settle(catalogue_every=timedelta(days=1))
    world.subscribe("00900")
    world.poll(indexes(0, 500))
    world.catalogue(indexes(0, 200))
    assert world.rows("SELECT count(*) FROM soc_sections WHERE is_known") == [(201,)]
    assert world.rows("SELECT counts FROM soc_campuses") == [("[200]",)]
    assert world.poll(indexes(0, 500)) == "accepted"
    assert world.rows("SELECT known_count FROM soc_polls ORDER BY id DESC LIMIT 1") == [(200,)]


def test_a_section_that_is_looked_at_again_does_not_repeat_old_events(world: Any) -> None:
    world.settle(catalogue_every=timedelta(days=1))
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


def test_a_catalogue_that_is_empty_all_of_a_sudden_is_not_believed() -> None:
    world = World()
    for listed, expected in (([], (0, 1)), (indexes(0, 30), (30, 1)), ([], (30, 0)), (indexes(0, 30), (30, 1))):
        world.catalogue(listed)
        assert world.rows("SELECT catalogue_size, catalogue_failure IS NULL FROM soc_campuses") == [expected]


def test_a_catalogue_that_failed_leaves_the_old_one_says_why_and_holds_the_upstream() -> None:
    world = world_of(indexes(0, 30))
    read_at = world.rows("SELECT catalogue_read_at FROM soc_campuses")
    held = world.now + MINUTE
    world.play(Catalogue(term="92026", campus="NB", failure="HTTP 429", hold_until=held))
    assert world.rows("SELECT catalogue_size, catalogue_failure FROM soc_campuses") == [(30, "HTTP 429")]
    assert world.rows("SELECT catalogue_read_at FROM soc_campuses") == read_at
    assert [until for _, until in world.run.held] == [held]


def test_a_section_that_leaves_the_catalogue_is_watched_on() -> None:
    world = world_of(indexes(0, 30))
    world.catalogue(indexes(0, 29))
    assert world.poll(["00029"]) == "accepted"
    assert world.status("00029") == "OPEN"


# rule 10


@pytest.mark.parametrize("is_same", [True, False], ids=["the same bytes", "the same content"])
def test_where_nothing_changed_a_poll_writes_two_rows_however_many_sections_there_are(is_same: bool) -> None:
    world = world_of(indexes(0, 3000))
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
    assert world.rows("SELECT listed_count, known_count FROM soc_polls ORDER BY id DESC LIMIT 1") == [
        (None if is_same else 2900, 2900)
    ]
    assert world.same(after=SECOND) == "too_soon"
    assert world.rows("SELECT counts FROM soc_campuses") == [("[2900, 2900]",)]


def test_an_answer_is_known_by_its_hash_only_once_every_status_agrees_with_it(world: Any) -> None:
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


# rule 12


def test_the_key_of_an_event_is_the_sha_1_of_what_it_is(world: Any) -> None:
    world.subscribe()
    for letter in "XOXXO":
        world.poll(["10000", *([INDEX] if letter == "O" else [])])
    expected = [
        sha1(f"92026|NB|{INDEX}|{status}|{episode}".encode()).hexdigest()
        for status, episode in (("OPEN", 0), ("CLOSED", 0), ("OPEN", 1))
    ]
    assert world.rows("SELECT dedupe_key, seat_delta FROM soc_status_events ORDER BY id") == [
        (expected[0], 1), (expected[1], -1), (expected[2], 1),
    ]  # fmt: skip
    assert world.rows("SELECT dedupe_key, seat_delta FROM soc_open_events ORDER BY id") == [
        (expected[0], 1), (expected[2], 1),
    ]  # fmt: skip


# rule 13


def test_450_subscriptions_in_chunks_of_200_are_450_rows(world: Any) -> None:
    for number in range(450):
        world.subscribe(contact=f"json://127.0.0.1/{number}")
    world.poll(["10000"])
    decisions = world.play(Poll(term="92026", campus="NB", content_hash="x", listed=frozenset({INDEX, "10000"})))

    assert world.rows("SELECT count(*), count(DISTINCT subscription_id) FROM soc_open_event_notifications") == [
        (450, 450)
    ]
    assert len(world.run.effects) == len({key for key, _, _ in world.run.effects}) == 450
    assert [len(it.subscriptions) for it in decisions if type(it).__name__ == "FanOut"] == [450]


@pytest.mark.parametrize(
    ("status", "told"),
    [("pending", 1), ("active", 1), ("paused", 0), ("suppressed", 0), ("unsubscribed", 0)],
)
def test_only_live_subscriptions_are_told(world: Any, status: str, told: int) -> None:
    world.subscribe(status=status)
    world.poll(["10000"])
    world.poll(["10000", INDEX])
    assert len(world.fanned()) == told


# rule 14


@pytest.mark.parametrize(
    ("window", "minute", "expected"),
    [
        ("08:00-22:00", 8 * 60, True), ("08:00-22:00", 22 * 60, True), ("08:00-22:00", 22 * 60 + 1, False),
        ("08:00-22:00", 8 * 60 - 1, False), ("22:00-06:00", 0, True), ("22:00-06:00", 6 * 60, True),
        ("22:00-06:00", 6 * 60 + 1, False), ("22:00-06:00", 22 * 60, True), ("12:00-12:00", 720, True),
        (None, 3, True),
    ],
)  # fmt: skip
def test_a_window_holds_both_its_ends_and_may_wrap_midnight(window: str | None, minute: int, expected: bool) -> None:
    assert is_within(window, minute) is expected


def test_a_window_is_meant_in_the_zone_of_the_schedule(world: Any) -> None:
    world.subscribe(window="12:02-12:02")
    world.poll(["10000"])
    world.poll(["10000", INDEX])
    assert (world.run.timezone.key, world.fanned()) == ("America/New_York", [(1, "pending")])


def test_a_section_that_closes_before_the_window_opens_is_told_to_nobody(world: Any) -> None:
    world.subscribe(window="12:05-13:00")
    told = []
    for letter in "XOXXOO":
        world.poll(["10000", *([INDEX] if letter == "O" else [])])
        told.append(world.deliver())
    assert told == [[], [], [], [], [1], []]
    assert world.fanned() == [(1, "expired"), (1, "sent")]


@pytest.mark.parametrize(
    ("at", "fanned"),
    [
        ("2026-11-01T05:59:00Z", "pending"),  # 01:59 in summer time
        ("2026-11-01T06:00:00Z", "pending"),  # 01:00 once more
        ("2026-11-01T06:59:00Z", "pending"),
        ("2026-11-01T07:00:00Z", "deferred"),
        ("2027-03-14T06:59:00Z", "pending"),  # 01:59, and then 03:00
        ("2027-03-14T07:00:00Z", "deferred"),
    ],
)
def test_a_window_goes_by_the_clock_on_the_wall_in_the_nights_that_it_is_changed(
    world: Any, at: str, fanned: str
) -> None:
    world.subscribe(window="23:00-01:59")
    world.now = moment(at)
    world.poll([INDEX], after=timedelta())
    assert world.fanned() == [(1, fanned)]


def test_a_snoozed_subscription_is_told_when_the_snooze_is_over(world: Any) -> None:
    world.subscribe(snooze_until="2026-08-03T16:04:00.000Z")
    for _ in range(3):
        world.poll([INDEX, "10000"])
        assert world.fanned() == [(1, "deferred")]
    world.poll([INDEX, "10000"])
    assert (world.fanned(), len(world.run.effects)) == ([(1, "pending")], 1)


def test_what_waits_does_not_go_out_on_an_answer_without_the_section(world: Any) -> None:
    world.subscribe(snooze_until="2026-08-03T16:02:00.000Z")
    world.poll([INDEX, "10000"])
    world.poll(["10000"])
    assert world.fanned() == [(1, "deferred")]
    world.poll(["10000", INDEX])
    assert world.fanned() == [(1, "pending")]


def test_what_waits_for_somebody_who_left_is_expired(world: Any) -> None:
    world.subscribe(snooze_until="2027-01-01T00:00:00.000Z")
    world.poll([INDEX])
    world.db.execute("UPDATE soc_subscriptions SET status = 'unsubscribed'")
    world.poll([INDEX])
    assert world.fanned() == [(1, "expired")]


def test_what_waits_also_goes_out_when_the_answer_is_the_same(world: Any) -> None:
    world.subscribe(snooze_until="2026-08-03T16:02:00.000Z")
    world.subscribe("10000", contact="json://127.0.0.1/late", status="paused")
    world.poll([INDEX, "10000"])
    world.db.execute("UPDATE soc_subscriptions SET status = 'active'")
    world.same()
    assert world.fanned() == [(1, "pending"), (2, "pending")]


# rule 19


def test_a_resumed_subscription_is_told_of_an_opening_it_missed(world: Any) -> None:
    number = world.subscribe(status="paused")
    world.poll(["10000"])
    world.poll(["10000", INDEX])
    world.db.execute("UPDATE soc_subscriptions SET status = 'active'")
    world.poll(["10000", INDEX])
    assert world.deliver() == [number]
    world.poll(["10000", INDEX])
    assert world.deliver() == []


# properties

LETTERS = st.lists(st.sampled_from(["O", "X", "o", "x", "E", "e", "F"]), max_size=24)
"""O, X and E a minute after the last; o, x and e ten seconds after; E an empty answer; F a failure."""


def expected(letters: Sequence[str]) -> tuple[list[str], int]:
    """The events and the number of notifications, by an automaton of its own for one section."""
    status, misses, events, told, since_counted = "UNKNOWN", 0, [], 0, None
    for letter in letters:
        gap = 10 if letter in "oxe" else 60
        since_counted = None if since_counted is None else since_counted + gap
        is_counted = since_counted is None or since_counted >= 30
        if letter == "F":
            continue
        if letter in "Oo":
            told += status != "OPEN"
            events += ["OPEN"] if status == "CLOSED" else []
            status, misses = "OPEN", 0
        elif letter not in "Ee" and is_counted and status == "OPEN":
            misses += 1
            if misses == 2:
                status, misses, events = "CLOSED", 0, [*events, "CLOSED"]
        elif letter not in "Ee" and is_counted and status == "UNKNOWN":
            status = "CLOSED"
        since_counted = 0 if is_counted else since_counted
    return events, told


@settings(max_examples=60, deadline=None)
@given(letters=LETTERS)
def test_a_notification_is_sent_exactly_once_per_episode(letters: list[str]) -> None:
    world = World(catalogue_every=timedelta())
    world.subscribe()
    told: list[str] = []
    world.poll(["10000"], after=-timedelta(hours=1))  # something else is open, so that empty is an outage
    world.db.execute("UPDATE soc_sections SET status = 'UNKNOWN' WHERE index_number = ?", [INDEX])
    world.db.execute("UPDATE soc_campuses SET last_counted_at = NULL")
    for letter in letters:
        after = 10 * SECOND if letter in "oxe" else MINUTE
        if letter == "F":
            world.now += after
            world.play(Poll(term="92026", campus="NB", failure="HTTP 500"))
        else:
            world.poll({"O": ["10000", INDEX], "X": ["10000"], "E": []}[letter.upper()], after=after)
        told += [key for key, _, _ in world.run.effects]
        world.deliver()

    events, number = expected(letters)
    assert world.events() == events
    assert len(told) == len(set(told)) == number
    assert all(one != other for one, other in pairwise(world.events()))


KNOWN = indexes(0, 120)
ANSWERS: st.SearchStrategy[list[str] | None] = st.one_of(
    st.builds(lambda first, size: KNOWN[first : first + size], st.integers(0, 60), st.integers(0, 120)),
    st.just([]),
    st.just(["99999"]),
    st.none(),
)


@settings(max_examples=40, deadline=None)
@given(answers=st.lists(ANSWERS, min_size=1, max_size=12))
def test_no_answer_that_the_guards_hold_back_closes_or_misses_anything(answers: list[list[str] | None]) -> None:
    world = world_of(KNOWN)
    world.poll(KNOWN)
    for answer in answers:
        before = dict(world.rows("SELECT index_number, (status, misses) IS ('OPEN', 0) FROM soc_sections"))
        states = world.rows("SELECT index_number, status, misses FROM soc_sections")
        events = len(world.events())
        if answer is None:
            world.now += MINUTE
            world.play(Poll(term="92026", campus="NB", failure="HTTP 500"))
            verdict = "failed"
        else:
            verdict = world.poll(answer)
        after = world.rows("SELECT index_number, status, misses FROM soc_sections")
        if verdict in ("failed", "rejected"):
            assert after == states
        if verdict.startswith("suspect"):
            assert "CLOSED" not in world.events()[events:]
            changed = {row[0] for row in set(after) - set(states)}
            assert changed <= set(answer or ())
            assert all((status, misses) == ("OPEN", 0) for index, status, misses in after if index in changed)
        assert before.keys() == {index for index, _, _ in after}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_order_and_duplicates_inside_an_answer_change_nothing(data: st.DataObject) -> None:
    world = world_of(KNOWN)
    world.subscribe("00007")
    world.poll(data.draw(st.sets(st.sampled_from(KNOWN), min_size=100)))
    listed = data.draw(st.lists(st.sampled_from(KNOWN), min_size=1))
    shuffled = data.draw(st.permutations([*listed, *listed[:5]]))
    now = world.now + MINUTE
    world.run.now = now
    both = []
    for entries in (sorted(set(listed)), shuffled):
        indexes_read, _ = read_indexes(json.dumps(entries).encode())
        poll = Poll(term="92026", campus="NB", content_hash="x", listed=indexes_read)
        both.append(decided(store.load(world.db, poll, world.run), poll, now, world.run.settings))
    assert both[0] == both[1]


# pure, and recorded


def test_decide_is_pure_and_what_it_takes_and_gives_survives_a_recording() -> None:
    world = world_of([INDEX, *OTHERS])
    world.subscribe()
    world.subscribe(window="01:00-02:00", contact="json://127.0.0.1/two")
    world.poll(OTHERS)
    world.poll(OTHERS[:100])
    poll = Poll(term="92026", campus="NB", content_hash="x", listed=frozenset([INDEX, *OTHERS[:100]]))
    state = store.load(world.db, poll, world.run)
    decisions = decide.decide(state, poll, world.now + MINUTE, world.run.settings)

    assert testing.impurities(decide.decide, state, poll, world.now + MINUTE, world.run.settings) == []
    assert {type(it).__name__ for it in decisions} >= {"RecordPoll", "OpenEvent", "FanOut"}
    for value, kind in ((poll, Poll), (state, State), (decisions, list[Decision])):
        assert testing.round_trip_problems(value, kind) == []
    assert b"127.0.0.1" not in msgspec.json.encode([state, decisions])


# what people write


@pytest.mark.parametrize(
    ("text", "term"),
    [("92026", "92026"), ("20269", "92026"), ("FA2026", "92026"), ("SP2027", "12027"), ("SU2026", "72026"),
     ("W2027", "02027"), ("02020", "02020"), ("20207", "72020")],
)  # fmt: skip
def test_a_term_may_be_written_in_several_ways(text: str, term: str) -> None:
    assert read_term(text) == term


@pytest.mark.parametrize("text", ["", "32026", "2026", "fall", "9202", "92026 ", "XX2026"])
def test_what_is_no_term_is_refused_with_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="write 92026"):
        read_term(text)


def test_an_index_has_exactly_five_digits() -> None:
    assert read_index("05972") == "05972"
    with pytest.raises(ValueError, match="write 05972"):
        read_index("5972")
    for text in ("059720", "O5972", "\u0660\u0665\u0669\u0667\u0662", " 05972"):
        with pytest.raises(ValueError, match="five digits"):
            read_index(text)


@pytest.mark.parametrize("text", ["nb", "XX", "ONLINE_nb", ""])
def test_a_campus_is_one_of_the_list_capitals_count(text: str) -> None:
    with pytest.raises(ValueError, match=r"ONLINE_CM.*RV"):
        read_campus(text)


def test_a_poll_is_kept_for_thirty_days(world: Any) -> None:
    world.poll([INDEX])
    world.poll([INDEX], after=timedelta(days=31))
    assert world.rows("SELECT count(*) FROM soc_polls") == [(1,)]
    assert world.rows("SELECT polls FROM soc_campuses") == [(2,)]
    assert world.now - NOON > timedelta(days=31)
