"""What people type, and what they see."""

from __future__ import annotations

from typing import Any

from plugins.soc_sections.subscription_fields import CONTACT
from plugins.soc_sections.world import INDEX


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
    past = place.soc_sections("snooze", str(number), "2026-08-01T12:00:00Z", code=2).stderr
    assert "'2026-08-01T12:00:00Z' is past: it is 2026-08-03T" in past
    assert "give a moment to come; `resume` ends a snooze" in past
    assert "no subscription 99" in place.soc_sections("pause", "99", code=2).stderr
    for words in (["pause", str(2**63)], ["pause", "one"], ["subscriptions", "--history", str(2**63)]):
        assert "is not a valid id" in place.soc_sections(*words, code=2).stderr
    assert "is not in the range" in place.soc_sections("events", "--limit", str(2**63), code=2).stderr
    for words in (["subscriptions"], ["subscriptions", "--json"]):
        assert "very-secret" not in place.soc_sections(*words).stdout


def test_a_course_is_followed_by_its_number(place: Any) -> None:
    place.configure(catalogue_every="1d")
    place.run()
    first = place.soc.sections["NB"][0]
    same = [section.index_number for section in place.soc.sections["NB"] if section.course == first.course]
    done = place.soc_sections(
        "subscribe",
        "--course",
        first.course,
        "--term",
        "FA2026",
        "--campus",
        "NB",
        "--contact",
        CONTACT,
        "--unless-open",
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
    (row,) = place.json("soc-sections", "subscriptions")
    assert (row["course"], row["index_number"], row["section_status"]) == (first.course, None, "OPEN")
    listed = place.json("soc-sections", "sections", "--course", first.course)
    assert sorted(section["index_number"] for section in listed) == sorted(same)
    assert {section["subscriptions"] for section in listed} == {1}
    words = " ".join(reversed(first.title.lower().split()))
    assert first.index_number in str(place.json("soc-sections", "sections", "--title", words))
    assert place.json("soc-sections", "sections", "--title", f"{words} nowhere") == []


def test_a_course_stands_in_the_place_of_an_index(place: Any) -> None:
    section = ("--term", "92026", "--campus", "NB", "--contact", CONTACT)
    both = place.soc_sections("subscribe", INDEX, "--course", "01:198:111", *section, code=2)
    assert "a course stands in its place" in both.stderr
    assert "write 01:198:111" in place.soc_sections("subscribe", "--course", "198:111", *section, code=2).stderr
    done = place.soc_sections("subscribe", "--course", "01:198:111", *section)
    assert "nothing says which sections a course has" in done.stderr
    place.folder.joinpath("many.csv").write_text(
        f"index,course,term,campus,contact\n,01:198:111,current,NB,{CONTACT}\n{INDEX},,current,NB,{CONTACT}\n"
    )
    done = place.soc_sections("subscribe", "--from", str(place.folder / "many.csv"))
    assert "72026 NB is not polled" in done.stderr
    rows = place.json("soc-sections", "subscriptions")[1:]
    assert [(row["term"], row["course"], row["is_rolling"]) for row in rows] == [
        ("72026", "01:198:111", True),
        ("72026", "", False),
    ]


def test_subscriptions_that_nobody_polls_are_counted_by_status_and_listed_by_check(place: Any) -> None:
    place.configure(campuses=["NB", "NK"])
    place.subscribe(campus="NK")
    place.run()
    place.configure(campuses=["NB"])
    done = place.soc_sections("subscribe", "00500", "--term", "SP2027", "--campus", "NB", "--contact", CONTACT)
    assert "12027 NB is not polled" in done.stderr
    assert place.json("status")[0]["notice"] == "2 subscriptions that nobody polls"
    warned = [finding["text"] for finding in place.json("check") if "nobody polls" in finding["text"]]
    remedy = "which nobody polls: add it to terms and campuses in [plugins.soc_sections]"
    assert warned == [f"1 subscription for 12027 NB, {remedy}", f"1 subscription for 92026 NK, {remedy}"]
    place.subscribe()
    place.configure(enabled=False)
    assert place.json("status")[0]["notice"] == "3 subscriptions that nobody polls"
    warned = [finding["text"] for finding in place.json("check") if "nobody polls" in finding["text"]]
    assert warned[1] == "1 subscription for 92026 NB, which nobody polls: soc_sections is not enabled"
    done = place.soc_sections("subscribe", "00501", "--term", "92026", "--campus", "NB", "--contact", CONTACT)
    assert "not enabled" in done.stderr


def test_answers_and_what_they_were_worth_are_listed(place: Any) -> None:
    place.play("O [] O")
    rows = place.json("soc-sections", "polls", "--campus", "NB", "--term", "FA2026", "--limit", "2")
    assert [(row["verdict"], row["listed_count"], row["known_count"]) for row in rows] == [
        ("accepted", 21, 21),
        ("suspect_empty", 0, 0),
    ]
    assert all(row["duration_ms"] > 0 for row in rows)
    assert place.json("soc-sections", "polls", "--campus", "NK") == []


def test_what_is_missing_on_the_command_line_is_named(place: Any) -> None:
    assert "--campus" in place.soc_sections("subscribe", INDEX, "--term", "92026", code=2).stderr
    assert "or --from" in place.soc_sections("subscribe", code=2).stderr
    refused = place.soc_sections("subscribe", "5972", "--term", "92026", "--campus", "NB", "--contact", CONTACT, code=2)
    assert "write 05972" in refused.stderr


def test_a_catalogue_that_is_never_read_cannot_be_requested(place: Any) -> None:
    assert "catalogue_every" in place.soc_sections("catalogue", code=1).stderr


def test_a_number_that_is_in_no_catalogue_is_named_where_it_is_typed_and_by_check(place: Any) -> None:
    whom = ("--term", "FA2026", "--campus", "NB", "--contact", CONTACT)
    assert place.soc_sections("subscribe", "98765", *whom).stderr == "", "no catalogue was read yet"
    place.configure(catalogue_every="1d")
    place.run()
    known = place.soc.sections["NB"][0].index_number
    assert place.soc_sections("subscribe", known, *whom).stderr == ""
    for number, words in ((98764, ("98764",)), ("01:198:999", ("--course", "01:198:999"))):
        said = place.soc_sections("subscribe", *words, *whom).stderr
        assert f"{number} is not in the catalogue of 92026 NB of 20" in said
        assert "is it right? It is watched for all the same" in said
    many = "".join(f"{number},92026,NB,{CONTACT}\n" for number in range(98001, 98011))
    place.folder.joinpath("many.csv").write_text(f"index,term,campus,contact\n{many}")
    said = place.soc_sections("subscribe", "--from", str(place.folder / "many.csv")).stderr.splitlines()
    assert (len(said), said[-1]) == (6, "soc_sections: 5 subscriptions more for what no catalogue has")
    checked = str(place.json("check"))
    assert [number in checked for number in ("98765 is not", "98764 is not", "01:198:999 is not", f"{known} is not")] == [
        True, True, True, False,
    ]  # fmt: skip
