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
    assert "no subscription 99" in place.soc_sections("pause", "99", code=2).stderr
    for words in (["pause", str(2**63)], ["pause", "one"], ["subscriptions", "--history", str(2**63)]):
        assert "is not a valid id" in place.soc_sections(*words, code=2).stderr
    assert "is not in the range" in place.soc_sections("events", "--limit", str(2**63), code=2).stderr
    for words in (["subscriptions"], ["subscriptions", "--json"]):
        assert "very-secret" not in place.soc_sections(*words).stdout


def test_what_is_missing_on_the_command_line_is_named(place: Any) -> None:
    assert "--campus" in place.soc_sections("subscribe", INDEX, "--term", "92026", code=2).stderr
    assert "or --from" in place.soc_sections("subscribe", code=2).stderr
    refused = place.soc_sections("subscribe", "5972", "--term", "92026", "--campus", "NB", "--contact", CONTACT, code=2)
    assert "write 05972" in refused.stderr


def test_a_catalogue_that_is_never_read_cannot_be_requested(place: Any) -> None:
    assert "catalogue_every" in place.soc_sections("catalogue", code=1).stderr
