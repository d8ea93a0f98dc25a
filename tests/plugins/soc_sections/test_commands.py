"""What people type, and what they see."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from plugins.soc_sections.world import INDEX, World

from pollctl import UsageError
from pollctl_soc_sections import listings, metrics
from pollctl_soc_sections.wishes import read_file, read_wish

CONTACT = "json://127.0.0.1:1/very-secret"
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it

WISH = {"index": INDEX, "term": "92026", "campus": "NB", "contact": CONTACT}


def wish(**changes: str) -> Any:
    return read_wish({**WISH, **changes})


def test_a_second_live_subscription_with_the_same_section_and_contact_is_the_first(world: Any) -> None:
    first = listings.subscribe(world.db, world.now, wish())
    assert listings.subscribe(world.db, world.now, wish(term="FA2026", window="08:00-09:00")) == first
    listings.change(world.db, world.now, first, "paused")
    assert listings.subscribe(world.db, world.now, wish()) == first
    assert listings.subscribe(world.db, world.now, wish(contact=f"{CONTACT}2")) != first
    listings.change(world.db, world.now, first, "unsubscribed")
    assert listings.subscribe(world.db, world.now, wish()) != first


def test_a_section_that_the_catalogue_does_not_hold_is_accepted_and_marked(world: Any) -> None:
    world.catalogue(["10000"])
    unresolved = listings.subscribe(world.db, world.now, wish())
    resolved = listings.subscribe(world.db, world.now, wish(index="10000"))
    assert listings.subscription(world.db, unresolved)["unresolved"] is True
    assert listings.subscription(world.db, resolved)["unresolved"] is False


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"index": "5972"}, "write 05972"), ({"campus": "nb"}, "NB NK CM"), ({"term": "fall"}, "write 92026"),
        ({"contact": "secret"}, "no address that Apprise knows"), ({"contact": "foo://secret"}, "foo://…"),
        ({"window": "8-22"}, "08:00-22:00"), ({"window": "08:00-24:00"}, "08:00-22:00"), ({"max": "11"}, "1 to 10"),
        ({"max": "0"}, "1 to 10"), ({"snooze_until": "tomorrow"}, "snooze_until"),
        ({"snooze_until": "2026-09-01T12:00:00"}, "names no zone"), ({"unless_open": "perhaps"}, "yes nor no"),
        ({"snooze_until": "0001-01-01T00:00:00+14:00"}, "no year that can be meant"),
        ({"snooze_until": "9999-12-31T23:00:00-14:00"}, "no year that can be meant"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_what_would_work(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as refused:
        wish(**changes)
    assert "secret" not in str(refused.value)


def test_a_file_is_taken_whole_or_not_at_all(place: Any) -> None:
    path = place.folder / "wishes.csv"
    lines = ["index,term,campus,contact,max", f"{INDEX},92026,NB,{CONTACT},5", f"5972,92026,NB,{CONTACT},5",
             f"05973,92026,nb,{CONTACT},5"]  # fmt: skip
    path.write_text("\n".join(lines))
    refused = place.soc_sections("subscribe", "--from", str(path), code=2)
    assert "wishes.csv:3: index: '5972'" in refused.stderr
    assert "wishes.csv:4: campus: 'nb'" in refused.stderr
    assert "very-secret" not in refused.stderr
    assert place.json("soc-sections", "subscriptions") == []

    path.write_text("\n".join(lines[:2]))
    (added,) = place.json("soc-sections", "subscribe", "--from", str(path))
    assert (added["max_notifications"], added["contact"]) == (5, "json://…")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "the first line must name"),
        ("index,term\n1,2", "the first line must name"),
        ("index,term,campus,contact,colour\n", "the first line must name"),
        (f"index,term,campus,contact\n{INDEX},92026,NB,{CONTACT},more", "more values than names"),
        (f"index,term,campus,contact\n{INDEX},92026", "campus: '' is no campus"),
        ("index,index,term,campus,contact\n", "the first line must name"),
        (f'index,term,campus,contact\n{INDEX},92026,NB,"{CONTACT}\n05973,92026,NB,{CONTACT}\n', "unexpected end"),
        (f'index,term,campus,contact\n{INDEX},92026,NB,"{CONTACT}"x\n', r"wishes.csv:2: ',' expected"),
        (f"index,term,campus,contact\n{INDEX},92026,NB,{'x' * 140_000}\n", "field larger than"),
        ("index,term,campus,contact\n", "no subscription"),
    ],
    ids=[
        "empty",
        "too few columns",
        "an unknown column",
        "too many values",
        "too few values",
        "a column twice",
        "a quote without an end",
        "a quote within",
        "a value without an end",
        "only names",
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "wishes.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=says):
        read_file(path)


def test_the_commands_show_what_is_and_was(place: Any) -> None:
    number = place.subscribe(index=place.soc.sections["NB"][25].index_number)
    done = place.soc_sections("subscribe", INDEX, "--term", "92026", "--campus", "CM", "--contact", CONTACT)
    assert "92026 CM is not polled" in done.stderr
    place.run()
    place.soc.open("NB", place.soc.sections["NB"][25].index_number)
    place.run()

    assert len(place.json("soc-sections", "sections", "--open", "--campus", "NB", "--term", "FA2026")) == 21
    (event,) = place.json("soc-sections", "events")
    assert (event["status"], event["seat_delta"], event["notifications"], event["sent"]) == ("OPEN", 1, 1, 1)
    for words in (["pause", str(number)], ["snooze", str(number), "2026-09-01T12:00:00Z"], ["resume", str(number)],
                  ["unsubscribe", str(number)]):  # fmt: skip
        place.soc_sections(*words)
    history = place.json("soc-sections", "subscriptions", "--history", str(number))
    assert [row["kind"] for row in history] == ["subscribed", "sent", "paused", "snoozed", "resumed", "unsubscribed"]
    assert "was ended" in place.soc_sections("resume", str(number), code=1).stderr
    assert "was ended" in place.soc_sections("snooze", str(number), "2026-09-01T12:00:00Z", code=1).stderr
    assert "no subscription 99" in place.soc_sections("pause", "99", code=2).stderr
    for words in (["pause", str(2**63)], ["pause", "one"], ["subscriptions", "--history", str(2**63)]):
        assert "is no id" in place.soc_sections(*words, code=2).stderr
    assert "is not in the range" in place.soc_sections("events", "--limit", str(2**63), code=2).stderr
    for words in (["subscriptions"], ["subscriptions", "--json"]):
        assert "very-secret" not in place.soc_sections(*words).stdout


def test_what_is_missing_on_the_command_line_is_named(place: Any) -> None:
    assert "--campus" in place.soc_sections("subscribe", INDEX, "--term", "92026", code=2).stderr
    assert "or --from" in place.soc_sections("subscribe", code=2).stderr
    refused = place.soc_sections("subscribe", "5972", "--term", "92026", "--campus", "NB", "--contact", CONTACT, code=2)
    assert "write 05972" in refused.stderr


def test_a_catalogue_that_is_never_read_cannot_be_asked_for(place: Any) -> None:
    assert "catalogue_every" in place.soc_sections("catalogue", code=1).stderr


# rows of other programs


def test_a_program_may_add_subscriptions_of_its_own(world: Any) -> None:
    world.db.execute(
        "INSERT INTO soc_subscriptions (term, campus, index_number, contact, status) VALUES (?, 'NB', ?, 'json://x', 'pending')",
        ["92026", INDEX],
    )
    world.poll(["10000"])
    world.poll(["10000", INDEX])
    assert world.fanned() == [(1, "pending")]


@pytest.mark.parametrize(
    "columns",
    [
        {"index_number": "5972"}, {"term": "fall"}, {"contact": ""}, {"status": "gone"}, {"window": "8-22"},
        {"window": "25:00-26:00"}, {"max_notifications": 11}, {"snooze_until": "tomorrow"}, {"unless_open": 2},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_no_rule_could_read_is_refused_by_the_table(world: Any, columns: dict[str, Any]) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        world.subscribe(**columns)


# metrics


def test_metrics_count_polls_events_notifications_and_open_sections() -> None:
    world = World()
    world.subscribe()
    world.catalogue([INDEX, "10000", "10001"])
    world.poll(["10000", "10001"])
    world.poll(["10000", INDEX])
    world.deliver()
    world.poll([])
    world.poll(["99999"])
    found = {
        (
            sample.name,
            *(sample.labels[key] for key in ("term", "campus")),
            sample.labels.get("status", ""),
        ): sample.value
        for family in metrics.families(world.db)
        for sample in family.samples
    }

    def value(name: str, status: str = "") -> float:
        return found[f"pollctl_soc_{name}", "92026", "NB", status]

    assert (value("polls_total"), value("poll_failures_total"), value("suspect_polls_total")) == (4, 1, 1)
    assert (value("events_total", "OPEN"), value("notifications_total", "sent"), value("open_sections")) == (1, 1, 3)
    assert value("last_poll_seconds") == world.now.timestamp() - 60
