"""The rules in their own letters: every letter is a pass in a process of its own, a minute after the last."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from dead_address import LIVING, NAME, name_with_a_dead_address

pytestmark = pytest.mark.slow

INDEX = "05972"

# rules 1 to 6


@pytest.mark.parametrize(
    ("letters", "notified", "events", "status"),
    [
        ("X O O O", 1, ["OPEN"], "OPEN"),
        ("O X O", 1, [], "OPEN"),
        ("O X X", 1, ["CLOSED"], "CLOSED"),
        ("O X F X", 1, ["CLOSED"], "CLOSED"),
        ("O X X O", 2, ["CLOSED", "OPEN"], "OPEN"),
        ("O X O X O", 1, [], "OPEN"),
        ("O [] [] [] O", 1, [], "OPEN"),
        ("O X [] X", 1, ["CLOSED"], "CLOSED"),
        ("F X O", 1, ["OPEN"], "OPEN"),
    ],
    ids=str,
)
def test_letters(place: Any, letters: str, notified: int, events: list[str], status: str) -> None:
    place.subscribe()
    place.play(letters)

    assert (len(place.notified()), place.events(), place.status()) == (notified, events, status)
    assert len({it.key for it in place.notified()}) == notified


def test_a_failed_poll_says_why_and_the_pass_goes_on_with_the_other_campus(place: Any) -> None:
    place.configure(campuses=["NB", "NK"])
    place.soc.lasting_faults["NB"] = "html"
    report = place.run(code=3)

    assert report["outcome"] == "partial"
    assert "92026 NB: the answer is not an array of strings" in report["error"]["message"]
    assert place.sql("SELECT campus, verdict FROM soc_polls ORDER BY campus") == [("NB", "failed"), ("NK", "accepted")]


def test_an_upstream_whose_name_has_a_dead_address_is_asked_in_half_a_second(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = urlsplit(place.soc.url).port
    assert port
    place.configure(base_url=place.soc.url.replace(LIVING, NAME))
    with name_with_a_dead_address(monkeypatch, port):
        assert place.run()["outcome"] == "ok"
    ((verdict, took_ms),) = place.sql("SELECT verdict, duration_ms FROM soc_polls")
    assert verdict == "accepted"
    assert 200 < took_ms < 1000  # half a second, and what a busy machine adds


@pytest.mark.parametrize("fault", ["truncated", "missing"])
def test_what_is_not_an_answer_changes_nothing(place: Any, fault: Any) -> None:
    place.subscribe()
    place.play("O X")
    before = place.sql("SELECT * FROM soc_sections")
    place.soc.lasting_faults["NB"] = fault
    report = place.run(code=1)

    assert place.sql("SELECT * FROM soc_sections") == before
    assert place.verdicts()[-1] == "failed"
    assert ("check term and campus" in report["error"]["message"]) == (fault == "missing")


def test_an_empty_answer_while_sections_are_open_is_recorded_as_suspect(place: Any) -> None:
    place.play("O []")
    assert place.verdicts() == ["accepted", "suspect_empty"]


# rule 9


def test_a_campus_is_never_judged_by_the_answer_of_another(place: Any) -> None:
    place.configure(campuses=["NB", "NK"], catalogue_every="1d")
    place.soc.lasting_faults = {"NB": "all_campuses", "NK": "all_campuses"}
    place.run()
    place.run()

    found = place.sql("SELECT campus, count(*) FROM soc_sections WHERE status = 'OPEN' GROUP BY 1")
    assert found == [("NB", 20), ("NK", 20)]
    assert place.verdicts() == ["accepted"] * 4
    assert sorted(place.soc.requests).count(("openSections", "NB")) == 2


# rule 8


def test_an_answer_of_another_term_is_rejected_and_the_pass_says_so(place: Any) -> None:
    place.configure(catalogue_every="1d")
    place.run()
    before = place.sql("SELECT * FROM soc_sections")
    place.soc.lasting_faults["NB"] = "wrong_term"
    report = place.run(code=3)

    assert "wrong term or campus" in report["error"]["message"]
    assert place.verdicts() == ["accepted", "rejected"]
    assert place.sql("SELECT * FROM soc_sections") == before


def test_the_one_seat_of_a_campus_that_was_full_for_weeks_is_heard_of(place: Any) -> None:
    place.soc.ignores_campus = True
    place.configure(campuses=["NB", "NK"], catalogue_every="1d")
    seat, *others = sorted(place.soc.open_sections("NK"))
    place.soc.close("NK", *others)
    place.subscribe("--unless-open", index=seat, campus="NK")
    place.run()
    place.soc.close("NK", seat)
    for _ in range(3):
        assert place.run()["outcome"] == "ok"
    place.soc.open("NK", seat)
    place.run()

    assert (place.events(), len(place.notified())) == (["CLOSED", "OPEN"], 1)
    assert set(place.verdicts()) == {"accepted"}
    reasons = place.sql("SELECT reason FROM soc_polls WHERE campus = 'NK' AND known_count = 0")
    assert len(reasons) == 3
    assert all(reason.startswith("NK is full: it holds 20 of 2") for (reason,) in reasons)


def test_a_day_without_an_answer_that_can_be_believed_is_told_shown_and_made_good(place: Any) -> None:
    place.configure(core=f'[pollctl.notify]\nurls = ["{place.sink.contact("operators")}"]\n')
    place.subscribe()
    place.play("O")
    place.answer("[]")
    outcomes = []
    for minutes in (0, 30, 30, 7 * 60):
        place.minute += max(1, minutes)
        outcomes.append(json_of_any_code(place.call("run", "soc_sections", "--json"))["outcome"])
    assert outcomes == ["ok", "partial", "partial", "partial"]
    (row,) = place.json("status")
    assert row["notice"] == "no readable answer for 92026 NB since 2026-08-03T16:02:00.000Z"
    (told,) = [each for each in place.notified("operators") if "cannot be read" in each.title]
    assert "since 2026-08-03 12:02 EDT" in told.title
    place.play("O")
    assert [("may have been open all along" in each.body) for each in place.notified()] == [False, True]
    assert place.json("status")[0]["notice"] is None


def json_of_any_code(done: Any) -> Any:
    return json.loads(done.stdout)


def test_a_catalogue_that_cannot_be_read_makes_the_pass_partial_and_the_old_one_stays(place: Any) -> None:
    place.configure(catalogue_every="1d")
    place.run()
    place.soc.catalogue_faults["NB"] = "html"
    place.minute += 24 * 60
    report = place.run(code=3)

    assert "catalogue of 92026 NB" in report["error"]["message"]
    assert place.verdicts() == ["accepted", "accepted"]
    assert place.sql("SELECT catalogue_size FROM soc_campuses") == [(40,)]
    assert place.run()["outcome"] == "ok"  # tried again after a quarter of an hour, not each minute


def test_catalogues_that_do_not_come_leave_the_pass_time_to_poll_and_to_deliver(place: Any) -> None:
    place.configure(campuses=["NB", "NK"], catalogue_every="1d", concurrency=1, deadline="6s")
    place.soc.catalogue_faults = {"NB": "slow", "NK": "slow"}
    place.soc.delay = 30
    place.subscribe()
    place.answer("O")
    report = place.run(code=3)

    assert "catalogue of 92026 NB" in report["error"]["message"]
    assert place.verdicts() == ["accepted", "accepted"]
    assert len(place.notified()) == 1


def test_a_catalogue_is_read_again_when_its_time_has_come_or_a_person_asks(place: Any) -> None:
    place.configure(catalogue_every="1d")
    place.run()
    place.run()
    assert place.soc.requests.count(("courses", "NB")) == 1
    place.minute += 24 * 60
    place.run()
    assert place.soc.requests.count(("courses", "NB")) == 2

    assert place.json("soc-sections", "catalogue")[0]["sections"] == 40
    assert place.soc.requests.count(("courses", "NB")) == 3


# rule 10


def test_the_same_content_is_a_successful_poll_and_is_not_read_again(place: Any) -> None:
    place.configure(catalogue_every="1d")
    for _ in range(3):
        place.run()

    assert place.verdicts() == ["accepted"] * 3
    assert place.sql("SELECT listed_count, known_count FROM soc_polls") == [(20, 20)] * 3


# rules 14 to 16, 19


def test_a_notification_waits_for_its_window_and_goes_out_while_the_section_is_open(place: Any) -> None:
    place.subscribe("--window", "12:04-13:00")
    place.play("X O O")
    assert (place.notified(), place.sql("SELECT fanout_status FROM soc_open_event_notifications")) == (
        [],
        [("deferred",)],
    )
    place.play("O O")
    assert len(place.notified()) == 1


def test_after_the_last_notification_allowed_a_subscription_is_paused_and_says_so(place: Any) -> None:
    number = place.subscribe("--max", "1")
    place.play("X O X X O")

    assert len(place.notified()) == 1
    assert place.json("soc-sections", "subscriptions")[0]["status"] == "paused"
    history = place.json("soc-sections", "subscriptions", "--history", str(number))
    assert [event["kind"] for event in history] == ["subscribed", "sent", "paused"]

    place.soc_sections("resume", str(number))
    place.play("O")
    assert len(place.notified()) == 2


def test_what_could_not_be_delivered_is_sent_by_a_later_pass_with_the_same_key(place: Any) -> None:
    place.configure(core='[pollctl.outbox]\nbackoff = "30s"')
    place.subscribe()
    place.play("X")
    place.sink.status = 500
    place.answer("O")
    place.run(code=3)
    assert place.sql("SELECT last_known_section_status, sent_count FROM soc_subscriptions") == [("UNKNOWN", 0)]
    place.sink.status = 200
    place.play("O")

    assert len(place.notified()) == 1
    assert place.sql("SELECT last_known_section_status, sent_count FROM soc_subscriptions") == [("OPEN", 1)]


def test_a_delivery_that_is_dead_is_failed_and_the_subscription_is_notified_of_the_next_opening(place: Any) -> None:
    place.configure(core="[pollctl.outbox]\nmax_attempts = 1")
    place.subscribe()
    place.play("X")
    place.sink.status = 500
    place.answer("O")
    place.run(code=3)
    place.sink.status = 200
    place.play("O")
    assert place.sql("SELECT fanout_status FROM soc_open_event_notifications") == [("failed",)]
    assert place.json("soc-sections", "subscriptions")[0]["failed"] == 1

    place.play("X X O")
    assert len(place.notified()) == 1


def test_a_late_delivery_is_not_a_false_alarm(place: Any) -> None:
    place.configure(core='[pollctl.outbox]\nbackoff = "150s"')
    place.subscribe()
    place.play("X")
    place.sink.status = 500
    place.answer("O")
    place.run(code=3)
    place.sink.status = 200
    place.play("X X X")

    assert place.notified() == []
    assert place.sql("SELECT fanout_status FROM soc_open_event_notifications") == [("expired",)]


def test_every_new_subscriber_of_an_open_section_is_notified_once_and_shares_the_event(place: Any) -> None:
    place.subscribe(name="one")
    place.play("O")
    place.subscribe(name="two")
    place.subscribe("--unless-open", name="three")
    place.play("O O")

    assert [len(place.notified(name)) for name in ("one", "two", "three")] == [1, 1, 0]
    assert place.sql("SELECT status_before, status_after FROM soc_open_events") == [("UNKNOWN", "OPEN")]
    assert place.sql("SELECT trace_id FROM soc_open_events") == place.sql(
        "SELECT min(trace_id) FROM runs WHERE id = (SELECT min(id) FROM runs)"
    )
    assert place.events() == []
    place.play("X X O")
    assert [len(place.notified(name)) for name in ("one", "two", "three")] == [2, 2, 1]


# rule 17


def test_the_message_says_what_a_student_needs(place: Any) -> None:
    place.configure(catalogue_every="1d")
    section = place.soc.sections["NB"][0]
    place.soc.close("NB", section.index_number)
    place.subscribe(index=section.index_number)
    place.run()
    place.soc.open("NB", section.index_number)
    place.run()

    (message,) = place.notified()
    link = "https://sims.rutgers.edu/webreg/editSchedule.htm?login=cas&semesterSelection=92026&indexList="
    for fact in (
        section.course,
        section.title,
        section.number,
        section.index_number,
        "NB",
        "92026",
        "2026-08-03 12:02 EDT",
        "Open to: UNIT: 18",
        "Special permission: Department Permission Number",
        "Eligibility: SENIORS",
        f"{section.title}: HONORS",
        f"{link}{section.index_number}",
    ):
        assert fact in message.title + message.body


def test_a_mail_about_a_course_names_each_section_in_lines_of_its_own(place: Any) -> None:
    from pollctl.testing.mail_server import MailServer

    place.configure(catalogue_every="1d")
    first = place.soc.sections["NB"][0]
    same = [section.index_number for section in place.soc.sections["NB"] if section.course == first.course]
    place.soc.close("NB", *same)
    with MailServer() as server:
        place.soc_sections(
            "subscribe", "--course", first.course, "--term", "92026", "--campus", "NB", "--contact", server.address
        )
        place.run()
        place.soc.open("NB", *same)
        place.run()
        (mail,) = server.mails
    text = mail.get_body(("plain",))
    assert text
    lines = text.get_content().splitlines()
    assert sorted(line.split("index ")[1][:5] for line in lines if line.startswith("Section ")) == sorted(same)
    assert mail["subject"].startswith(f"Open: {first.course} {first.title} ({len(same)} sections)")


# rule 18


def test_a_429_holds_the_upstream_as_long_as_it_asks(place: Any) -> None:
    place.soc.retry_after = "150"
    place.soc.faults["NB"] = ["limited"]
    place.run(code=1)
    for _ in range(2):
        assert place.run()["outcome"] == "ok"
    assert place.soc.requests == [("openSections", "NB")]
    place.run()
    assert len(place.soc.requests) == 2


def test_a_429_that_says_nothing_holds_for_a_minute(place: Any) -> None:
    place.soc.retry_after = None
    place.soc.faults["NB"] = ["limited"]
    place.run(code=1)
    (held,) = place.sql("SELECT not_before FROM holds")
    assert held == ("2026-08-03T16:02:00.000Z",)


# redirects


def test_the_old_host_may_send_on_to_an_allowed_one_only(place: Any) -> None:
    from pollctl_soc_sections.fake import FakeSoc

    with FakeSoc({"NB": 1}) as old:
        old.lasting_faults["NB"] = "moved"
        old.moved_to = place.soc.url
        place.configure(base_url=old.url)
        assert "redirect" in place.run(code=1)["error"]["message"]
        place.configure(base_url=old.url, allow_hosts=[place.soc.url.split("/")[2]])
        place.run()

    assert place.verdicts() == ["failed", "accepted"]


# a plan


def test_a_plan_lists_decisions_with_reasons_and_writes_nothing(place: Any) -> None:
    place.subscribe()
    place.answer("O")
    planned = place.json("plan", "soc_sections")["decisions"]

    assert [decision["type"] for decision in planned] == ["RecordPoll", "StoreStates", "OpenEvent", "FanOut"]
    assert all(decision["reason"] for decision in planned)
    assert place.sql("SELECT count(*) FROM soc_polls") == [(0,)]
    assert place.sink.contact() not in str(planned)


def test_recorded_passes_decide_the_same_again(place: Any) -> None:
    place.configure(core='record = "all"', catalogue_every="1d")
    place.subscribe(index=place.soc.sections["NB"][0].index_number)
    for campus_open in (20, 18, 19):
        place.soc.set_open("NB", [section.index_number for section in place.soc.sections["NB"][:campus_open]])
        place.run()
    replayed = place.json("replay", "--all")

    assert {row["verdict"] for row in replayed} == {"same"}
    assert place.sink.contact() not in str(place.sql("SELECT state, batch, decisions FROM recordings"))
