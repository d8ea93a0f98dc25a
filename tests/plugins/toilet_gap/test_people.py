"""What people hear of an alarm, and what they hear that could not be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from inbox import Inbox
from plugins.toilet_gap.place import ALARM, OBSERVED, PILOT, Place, body, queue_of

from pollctl.testing.mail_server import MailServer
from pollctl_toilet_gap.fake import Fault

pytestmark = pytest.mark.slow


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as inbox:
        yield inbox


def with_people(place: Place, inbox: Inbox, *names: str, **more: object) -> Place:
    notify = [f"{inbox.json_url}/{name}" for name in names]
    place.configure({**PILOT, "name": "Mrs. Jansen", "notify": notify}, **more)
    return place


def lines_of(inbox: Inbox) -> list[str]:
    (message,) = inbox.messages
    assert message["title"] == "Mrs. Jansen: no visit"
    return str(message["message"]).splitlines()


# rule 16b


def test_people_hear_of_an_alarm_since_when_and_when_the_robot_was_last_heard_of(place: Place, inbox: Inbox) -> None:
    with_people(place, inbox, "crew", "night")
    place.passes("08:00", "09:59")
    place.visit("09:55", event_name="BED_ACTIVITY")
    place.passes("10:00", "10:01")
    assert sorted(request.path for request in inbox.requests) == ["/crew", "/night"]
    assert {key.rpartition(":")[0] for key in inbox.keys} == {f"people:{place.service.references[0]}"}
    del inbox.messages[1:]
    assert lines_of(inbox)[:3] == [
        "No visit was seen since 2025-11-12 08:00 CET (2 h).",
        "The robot was last heard of: 2025-11-12 09:55 CET (5 min).",
        "Look after the resident.",
    ]


def test_what_arrives_as_mail_has_its_lines(place: Place) -> None:
    with MailServer() as server:
        place.configure({**PILOT, "name": "Mr. <Bos> & Co", "notify": [server.address]})
        place.passes("08:00", "10:00")
        (mail,) = server.mails
    assert mail["subject"] == "Mr. <Bos> & Co: no visit"
    text = mail.get_body(("plain",))
    assert text
    assert text.get_content().splitlines()[:3] == [
        "No visit was seen since 2025-11-12 08:00 CET (2 h).",
        "Nothing at all was heard of the robot since 2025-11-11 10:00 CET (1 d): it may be dead.",
        "Look after the resident.",
    ]


def test_a_robot_that_is_dead_looks_different(place: Place, inbox: Inbox) -> None:
    with_people(place, inbox, "crew")
    place.passes("08:00", "10:00")
    assert lines_of(inbox)[1] == (
        "Nothing at all was heard of the robot since 2025-11-11 10:00 CET (1 d): it may be dead."
    )


def test_alarms_that_were_posted_are_no_sign_of_life(place: Place, inbox: Inbox) -> None:
    with_people(place, inbox, "crew")
    place.passes("08:00", "10:00", "12:00")
    assert ["Nothing at all was heard" in message["message"] for message in inbox.messages] == [True, True]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault(), "the event service answered 503"),
        (Fault(delay=30), "no whole answer within 2 s"),
        (Fault(200, body=b"{}"), "not a JSON list"),
    ],
    ids=["fails", "hangs", "nonsense"],
)
def test_a_robot_of_which_nothing_is_known_delays_no_alarm(place: Place, inbox: Inbox, fault: Fault, why: str) -> None:
    with_people(place, inbox, "crew")
    place.run("08:00")
    place.service.faults["heard"] = fault
    place.run("10:00")
    assert len(place.service.references) == 1
    line = lines_of(inbox)[1]
    assert line.startswith("When the robot was last heard of is not known: ")
    assert why in line


def test_without_people_the_robot_is_not_asked_for(place: Place) -> None:
    place.passes("08:00", "10:00")
    assert (place.service.calls["heard"], len(place.service.references)) == (0, 1)


def test_people_hear_of_an_alarm_that_the_event_service_does_not_take(place: Place, inbox: Inbox) -> None:
    with_people(place, inbox, "crew")
    place.run("08:00")
    place.service.faults["post"] = Fault()
    place.run("10:00", code=3)
    assert lines_of(inbox)[0].startswith("No visit was seen since 2025-11-12 08:00 CET")


def test_an_address_that_is_not_one_is_found_by_check(place: Place) -> None:
    place.configure({**PILOT, "notify": ["nonsense"]})
    assert "notify[0] is not an address that Apprise knows" in place.pollctl("check", "--json")


def test_the_addresses_are_nowhere_in_what_is_kept(place: Place, inbox: Inbox) -> None:
    with_people(place, inbox, "very-secret")
    place.core = 'record = "all"'
    place.configure()
    place.passes("08:00", "10:00")
    kept = place.sql("SELECT settings FROM status_check") + place.sql("SELECT state, batch, decisions FROM recordings")
    assert "very-secret" not in str(kept) + str(place.sql("SELECT payload FROM outbox"))


@pytest.mark.parametrize("is_lost", [False, True])
def test_the_record_keeps_the_id_that_the_event_service_gave_the_alarm(place: Place, *, is_lost: bool) -> None:
    place.run("08:00")
    if is_lost:
        place.service.faults["post"] = Fault(status=0, is_done=True)
        place.run("10:00", code=3)
        place.service.faults.clear()
    place.passes("10:05")
    found = place.sql("SELECT incoming_event_id, result FROM status_check_record WHERE event_name = 'ALARM_SENT'")
    assert found == [(f"alarm-1-{place.at('08:00')}", "SENT")]


# rules 17a and 17b


def test_a_time_in_milliseconds_is_understood(queued: Place) -> None:
    queued.run("08:00")
    queue_of(queued).push(body("08:30", createdAt=1762932600000))
    queued.run("08:31")
    assert queued.happened() == [(OBSERVED, "08:30")]


def test_an_event_that_cannot_be_read_is_never_silent(queued: Place, inbox: Inbox) -> None:
    with_people(queued, inbox, "crew")
    queued.run("08:00")
    queue_of(queued).push(body("09:30", createdAt="half past nine"))
    report = queued.run("09:31", code=3)
    assert "event of r-1: it cannot be read: " in report["error"]["message"]
    notice = "1 event of a watched robot cannot be read (`pollctl toilet-gap dead-letters`)"
    assert notice in queued.pollctl("status", now=queued.at("09:32"))
    queued.run("10:00")
    assert "could not be read, a visit may be in it: an event of the robot: " in queued.stderr
    (line,) = [line for line in lines_of(inbox) if "read meanwhile" in line]
    assert "an event of the robot: " in line
    assert "half past nine" in line
    queued.run("12:00")
    assert "read meanwhile" not in inbox.messages[1]["message"]


@pytest.mark.parametrize(
    ("more", "is_named"),
    [
        ({"createdAt": "?"}, True),
        ({"createdAt": "?", "name": "BED_ACTIVITY"}, False),
        ({"createdAt": "?", "robot": "r-2"}, False),
        ({"id": None}, True),
        ({"id": None, "createdAt": "2025-11-12T05:00:00Z"}, False),
        ({"createdAt": "2025-11-13T09:30:00+01:00"}, True),
    ],
    ids=["no moment", "something else", "another robot", "in the window", "before the window", "far ahead"],
)
def test_only_what_may_be_a_visit_of_the_window_is_named(
    queued: Place, inbox: Inbox, more: dict[str, Any], *, is_named: bool
) -> None:
    with_people(queued, inbox, "crew")
    queued.run("08:00")
    queue_of(queued).push(body("09:30", **more))
    queued.call("run", "toilet_gap", now=queued.at("09:31"))
    queued.run("10:00")
    assert any("read meanwhile" in line for line in lines_of(inbox)) is is_named


def test_an_item_of_the_history_that_cannot_be_read_is_named_by_the_alarm(place: Place, inbox: Inbox) -> None:
    with_people(place, inbox, "crew")
    place.run("08:00")
    place.service.add_to_history("r-1", {"id": "e1", "eventName": "TOILET_ACTIVITY", "createdAt": "soon"})
    place.run("10:00", code=3)
    assert any("read meanwhile" in line for line in lines_of(inbox))
    place.run("12:00")
    assert "read meanwhile" not in inbox.messages[1]["message"]


# dead letters that are put back


def test_a_dead_letter_is_put_back_after_a_mend(queued: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from pollctl_toilet_gap.client import moments

    queued.run("08:00")
    queue_of(queued).push(body("09:30", createdAt="12.11.2025 09:30"))
    queued.run("09:31", code=3)
    ((letter,),) = queued.sql("SELECT id FROM status_check_dead_letter")
    queued.pollctl("toilet-gap", "dead-letters", "--replay", str(letter), now=queued.at("09:32"))
    queued.run("09:33")
    assert "still cannot be read" in queued.stderr
    assert [row["state"] for row in queued.answer("dead-letters")] == ["unread"]

    read = moments._from_iso
    monkeypatch.setattr(moments, "_from_iso", lambda text: read("2025-11-12T08:30:00Z" if "." in text[:3] else text))
    queued.pollctl("toilet-gap", "dead-letters", "--all", now=queued.at("09:34"))
    assert [row["state"] for row in queued.answer("dead-letters")] == ["put back"]
    queued.run("09:35")
    assert queued.happened() == [(OBSERVED, "09:30")]
    assert [row["state"] for row in queued.answer("dead-letters")] == ["replayed"]
    assert queued.pollctl("status", now=queued.at("09:36")).count("cannot be read") == 0
    queued.pollctl("toilet-gap", "dead-letters", "--replay", str(letter), code=1)


def test_an_item_of_the_history_is_put_back_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from pollctl_toilet_gap.client import moments

    place.run("08:00")
    place.service.add_to_history("r-1", {"id": "e1", "eventName": "TOILET_ACTIVITY", "createdAt": "12.11.2025 08:30"})
    place.run("08:31", code=3)
    read = moments._from_iso
    monkeypatch.setattr(moments, "_from_iso", lambda text: read("2025-11-12T07:30:00Z" if "." in text[:3] else text))
    place.pollctl("toilet-gap", "dead-letters", "--all", now=place.at("08:32"))
    place.service.faults["history"] = Fault()
    place.run("08:33", code=1)
    assert place.happened() == [(OBSERVED, "08:30")]


def test_what_is_not_a_dead_letter_or_not_to_be_believed_is_not_put_back(queued: Place) -> None:
    queued.run("08:00")
    queued.visit("12:00")
    queued.run("08:31")
    assert [row["state"] for row in queued.answer("dead-letters")] == ["quarantined"]
    queued.pollctl("toilet-gap", "dead-letters", "--replay", "1", code=1)
    queued.pollctl("toilet-gap", "dead-letters", "--replay", "99", code=2)
    queued.pollctl("toilet-gap", "dead-letters", "--replay", "1", "--all", code=2)


# retention


def test_checks_and_dead_letters_are_kept_as_long_as_the_settings_say_and_the_numbers_longer(queued: Place) -> None:
    queued.run("08:00")
    queue_of(queued).push("boo")
    queued.run("09:31", code=3)
    queued.run("20:00")
    numbers = [line for line in queued.pollctl("metrics").splitlines() if line.startswith("pollctl_toilet_gap")]
    assert json.loads(queued.pollctl("toilet-gap", "checks", "--json"))[0]["result"] == "ALARM_RAISED"
    assert [name for name, _ in queued.happened()].count(ALARM) == 6

    def left(at: str) -> tuple[int, int]:
        queued.run(at)
        ((checks, letters),) = queued.sql(
            """SELECT (SELECT count(*) FROM status_check WHERE local_date = '2025-11-12'),
               (SELECT count(*) FROM status_check_dead_letter)"""
        )
        return checks, letters

    queued.monitors = []
    queued.configure(queue_url="")
    assert left("2025-12-12 09:31") == (1, 1)
    assert left("2025-12-12 09:31:00.001") == (1, 0)
    assert left("2026-02-10 20:00") == (1, 0)
    assert left("2026-02-10 20:00:00.001") == (0, 0)
    assert queued.sql("SELECT count(*) FROM status_check_record") == [(0,)]
    after = [line for line in queued.pollctl("metrics").splitlines() if line.startswith("pollctl_toilet_gap")]
    assert after == numbers
