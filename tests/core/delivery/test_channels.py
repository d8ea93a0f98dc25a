"""A way to the outside that does not work is news, once until it works again (people.md 6)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from core.parrot import Parrot
from inbox import Inbox
from plugin_package import json_of
from sample_plugin import parrot_source

APPLY = """(db, decisions, run):
    for learn in decisions:
        db.table("parrot_words").insert({"word": learn.word})
        run.tell(learn.word, f"Heard {learn.word}", "It is new.")"""
SETTLE = "(db, effect, result):\n    pass"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as server:
        yield server


def configure(parrot: Parrot, plan: str, *urls: str, attempts: int = 1) -> None:
    core = f"[pollctl.notify]\nurls = {list(urls)}\n[pollctl.outbox]\nmax_attempts = {attempts}\nbackoff = '1s'"
    parrot.configure(f"plan = {plan.split()}", core)


def problem(parrot: Parrot) -> str:
    (row,) = [row for row in json_of(parrot.call("status", "--json")) if row["plugin"] == "parrot"]
    return row["problem"] or ""


def warned(parrot: Parrot) -> list[str]:
    done = parrot.call("check", "--json")
    return [one["text"] for one in json_of(done) if one["level"] == "warn" and one["subject"] == "parrot"]


def test_a_dead_message_is_a_problem_until_a_later_one_arrives_and_other_addresses_hear_of_it_once(
    parrot: Parrot, inbox: Inbox
) -> None:
    parrot.teach(parrot_source(apply=APPLY, settle=SETTLE))
    gone, fine = f"{inbox.json_url}/gone-404", f"{inbox.json_url}/fine"
    configure(parrot, "one", gone, fine)
    parrot.report(now="2026-01-01T00:00:00Z", code=3)
    assert inbox.titles == ["Heard one", "pollctl: an address does not take messages"]
    assert "1 message given up: json://…: Failed to send JSON POST notification" in problem(parrot)
    (text,) = warned(parrot)
    assert "error=404" in text
    configure(parrot, "one two", gone, fine)
    parrot.report(now="2026-01-01T00:01:00Z", code=3)
    parrot.report(now="2026-01-01T00:02:00Z")
    assert inbox.titles[2:] == ["Heard two"]
    assert "2 messages given up" in problem(parrot)
    inbox.is_mended = True
    parrot.do("outbox", "retry", "--dead")
    parrot.report(now="2026-01-01T00:03:00Z")
    assert problem(parrot) == ""
    assert warned(parrot) == []


def test_a_message_that_is_refused_again_and_again_is_stuck(parrot: Parrot, inbox: Inbox) -> None:
    parrot.teach(parrot_source(apply=APPLY, settle=SETTLE))
    configure(parrot, "one", f"{inbox.json_url}/busy-503", attempts=60)
    for hour in range(5):
        assert problem(parrot) if hour else True
        parrot.report(now=f"2026-01-01T0{hour}:00:00Z", code=3)
    assert "1 message not taken after 5 and more attempts" in problem(parrot)
    assert "error=503" in problem(parrot)
    assert len(inbox.messages) == 0


def test_an_effect_that_was_dropped_by_hand_is_no_problem(parrot: Parrot, inbox: Inbox) -> None:
    parrot.teach(parrot_source(apply=APPLY, settle=SETTLE))
    configure(parrot, "one", f"{inbox.json_url}/gone-404")
    parrot.report(code=3)
    parrot.do("outbox", "drop", "1")
    parrot.report()
    assert problem(parrot) == ""


def test_a_kind_of_effects_that_does_not_arrive_is_a_problem_until_one_does(parrot: Parrot) -> None:
    failing = "(effect):\n    raise DeliveryError('the line is cut', permanent=effect.key == 'one')\n"
    parrot.teach(parrot_source(deliver=failing), "plan = ['one']")
    parrot.report(code=3)
    assert "1 effect of kind 'say' given up: the line is cut" in problem(parrot)
    parrot.teach(parrot_source(), "plan = ['one', 'two']")
    parrot.report()
    assert problem(parrot) == ""


def test_the_cores_own_alerts_say_since_when_how_often_and_where(parrot: Parrot, inbox: Inbox) -> None:
    core = f"timezone = 'Europe/Berlin'\n[pollctl.notify]\nurls = ['{inbox.json_url}']\nalert_after = 2"
    parrot.teach(parrot_source(fetch="(run):\n    raise OSError('the line is dead')\n    yield\n"))
    parrot.settings(core, "[plugins.parrot]")
    for minute in range(2):
        parrot.report(now=f"2026-01-01T00:0{minute}:00Z", code=1)
    first, second, third = inbox.messages[0]["message"].splitlines()
    assert first == "2 failed passes in a row, since 2026-01-01 01:00 CET (1 min)."
    assert second.startswith("The last: ")
    assert "the line is dead" in second
    assert third.startswith("parrot on ")
    parrot.teach(parrot_source())
    parrot.settings(core, "[plugins.parrot]")
    parrot.report(now="2026-01-01T00:05:00Z")
    lines = inbox.messages[1]["message"].splitlines()
    assert lines[:2] == [
        "Its pass ended ok at 2026-01-01 01:05 CET.",
        "It had been failing since 2026-01-01 01:00 CET (5 min).",
    ]
