"""What holds for any row of answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from plugins.soc_sections.world import INDEX, MINUTE, World, catalogue_section, indexes, world_with_catalogue

from pollctl_soc_sections import store
from pollctl_soc_sections.client import read_indexes
from pollctl_soc_sections.decide import decide
from pollctl_soc_sections.model import Poll

SECOND = timedelta(seconds=1)

LETTERS = st.lists(st.sampled_from(["O", "X", "o", "x", "E", "e", "F"]), max_size=24)


"""O, X and E a minute after the last; o, x and e ten seconds after; E an empty answer; F a failure."""


def expected(letters: Sequence[str]) -> tuple[list[str], int]:
    """The events and the number of notifications, by an automaton of its own for one section."""
    status, misses, events, notified, since_counted = "UNKNOWN", 0, [], 0, None
    for letter in letters:
        gap = 10 if letter in "oxe" else 60
        since_counted = None if since_counted is None else since_counted + gap
        is_counted = since_counted is None or since_counted >= 30
        if letter == "F":
            continue
        if letter in "Oo":
            notified += status != "OPEN"
            events += ["OPEN"] if status == "CLOSED" else []
            status, misses = "OPEN", 0
        elif letter not in "Ee" and is_counted and status == "OPEN":
            misses += 1
            if misses == 2:
                status, misses, events = "CLOSED", 0, [*events, "CLOSED"]
        elif letter not in "Ee" and is_counted and status == "UNKNOWN":
            status = "CLOSED"
        since_counted = 0 if is_counted else since_counted
    return events, notified


@settings(max_examples=60, deadline=None)
@given(letters=LETTERS)
@example(letters=list("OXX" * 8))
def test_a_notification_is_sent_exactly_once_per_episode(letters: list[str]) -> None:
    world = World(catalogue_every=timedelta())
    world.subscribe(max_notifications=10)  # more than that many episodes do not fit into a row of 24 letters
    notified: list[str] = []
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
        notified += [message.key for message in world.run.messages]
        world.deliver()

    events, number = expected(letters)
    assert world.events() == events
    assert len(notified) == len(set(notified)) == number
    assert all(one != other for one, other in pairwise(world.events()))


STEPS = st.lists(st.tuples(st.sampled_from("OXEF"), st.sampled_from((1, 20, 400))), min_size=1, max_size=16)
"""An answer each, and how many minutes after the one before it comes: E empty, F failed."""


def expected_of_runs(steps: Sequence[tuple[str, int]]) -> tuple[list[str], int]:
    """Events and notifications where runs of empty answers may be long, by an automaton of its own."""
    is_open, misses, is_told, notified, minute = True, 0, True, 0, 0
    events: list[str] = []
    run: list[int] = []
    for letter, gap in steps:
        minute += gap
        if letter == "E":
            run.append(minute)
        if letter in "EF":
            continue
        span, run = (run[-1] - run[0] if run else 0), []
        is_unseen = is_open and span >= 30
        if is_unseen:
            is_open, events = False, [*events, "CLOSED"]
        if letter == "O":
            is_news = not is_open and not (is_unseen and is_told and span <= 360)
            events += [] if is_open else ["OPEN"]
            is_told, notified, is_open, misses = is_told or is_news, notified + is_news, True, 0
        elif is_open:
            misses += 1
            if misses == 2:
                is_open, events = False, [*events, "CLOSED"]
        misses = misses if is_open else 0
    return events, notified


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
@example(steps=[("E", 1), ("E", 400), ("O", 1), ("E", 1), ("E", 20), ("E", 20), ("O", 1), ("O", 1)])
def test_absence_that_was_held_for_long_is_a_closing_and_news_when_it_lasted_very_long(
    steps: list[tuple[str, int]],
) -> None:
    world = World(catalogue_every=timedelta())
    world.subscribe(max_notifications=10)
    world.poll(["10000", INDEX])
    world.deliver()
    notified = 0
    for letter, gap in steps:
        if letter == "F":
            world.fail(after=gap * MINUTE)
        else:
            world.poll({"O": ["10000", INDEX], "X": ["10000"], "E": []}[letter], after=gap * MINUTE)
        world.db.execute("UPDATE soc_subscriptions SET status = 'active', sent_count = 0")
        notified += len(world.deliver())
    own = [status for (status,) in world.rows("SELECT status FROM soc_status_events WHERE index_number = ?", [INDEX])]
    assert (own, notified) == expected_of_runs(steps)


NB, ONLINE = indexes(1, 60), indexes(900, 904)


@settings(max_examples=40, deadline=None)
@given(truths=st.lists(st.sets(st.sampled_from(ONLINE)), min_size=1, max_size=16))
@example(truths=[{"00900"}, set(), set(), {"00900"}, set(), set(), set(), {"00901"}, {"00900"}])
def test_a_small_campus_never_loses_an_opening_however_full_it_gets(truths: list[set[str]]) -> None:
    """The upstream ignores the campus: each answer lists all that is open anywhere."""
    world = world_with_catalogue(NB)
    world.catalogue(ONLINE, "ONLINE_CM")
    for number, index in enumerate(ONLINE):
        world.subscribe(index, "ONLINE_CM", contact=f"json://127.0.0.1/{number}", max_notifications=10)
    world.poll([*NB[:40], "00900"])
    is_open, absences, due, told = dict.fromkeys(ONLINE, False), dict.fromkeys(ONLINE, 0), 0, []
    for truth in truths:
        listed = [*NB[:40], *truth]
        assert world.poll(listed, after=timedelta(seconds=1)) in ("accepted", "too_soon")
        assert world.poll(listed, campus="ONLINE_CM") == "accepted"
        told += world.deliver()
        for index in ONLINE:
            absences[index] = 0 if index in truth else absences[index] + 1
            due += index in truth and not is_open[index]
            is_open[index] = index in truth or (is_open[index] and absences[index] < 2)
    assert len(told) == due
    assert world.run.failures == {}


COURSE = ("00001", "00002", "00003")


@settings(max_examples=40, deadline=None)
@given(truths=st.lists(st.sets(st.sampled_from(COURSE)), min_size=1, max_size=16))
def test_a_follower_of_a_course_is_told_once_of_each_opening_of_each_section(truths: list[set[str]]) -> None:
    """And with one message a pass at most."""
    world = World()
    world.describe([*map(catalogue_section, COURSE), catalogue_section("10000", "01:640:151")])
    world.follow(max_notifications=10)
    world.poll(["10000"])
    is_open, absences, due, told = dict.fromkeys(COURSE, False), dict.fromkeys(COURSE, 0), [], []
    for truth in truths:
        world.poll(["10000", *truth])
        assert len(world.run.messages) <= 1
        for message in world.run.messages:
            told += [line.split("index ")[1][:5] for line in message.body.splitlines() if "index " in line]
        world.deliver()
        world.db.execute("UPDATE soc_subscriptions SET status = 'active', sent_count = 0")
        for index in COURSE:
            absences[index] = 0 if index in truth else absences[index] + 1
            due += [index] if index in truth and not is_open[index] else []
            is_open[index] = index in truth or (is_open[index] and absences[index] < 2)
    assert sorted(told) == sorted(due)


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
    world = world_with_catalogue(KNOWN)
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
    world = world_with_catalogue(KNOWN)
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
        both.append(decide(store.load(world.db, poll, world.run), poll, now, world.run.settings))
    assert both[0] == both[1]
