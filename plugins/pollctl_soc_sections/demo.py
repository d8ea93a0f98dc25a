"""What ``pollctl demo`` shows of soc_sections: a class closes, flaps and opens, and one student is notified, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_soc_sections.fake import FakeSoc

if TYPE_CHECKING:
    from pollctl.demo import DemoSession
    from pollctl.fakes import Playground

_SIZE = 200


def run(session: DemoSession) -> None:
    """Watch a class through a registration morning on which the upstream is wrong once."""
    with FakeSoc({"NB": _SIZE}, open_share=0.9) as soc:
        wanted = min(soc.open_sections("NB"))
        session.title("soc_sections: tell me when my class opens")
        session.settings(f'[plugins.soc_sections]\nbase_url = "{soc.url}"\ncampuses = ["NB"]')
        session.say(
            f"The class with index {wanted} is open; a student who does not want it yet subscribes to its next opening."
        )
        session.passes("soc_sections", _at(0))
        session.pollctl(
            "soc-sections", "subscribe", wanted, "--term", "FA2026", "--campus", "NB",
            "--contact", session.inbox("student"), "--unless-open", at=_at(0),
        )  # fmt: skip
        session.say(
            "At 13:01 it is missing from the list, and back a minute later: a flap, of which nobody is notified."
        )
        _poll(session, soc, wanted, "XO", first=1)
        session.say("Then it is really full: missed twice in a row, it counts as closed.")
        _poll(session, soc, wanted, "XX", first=3)
        session.say(
            "At 13:05 the upstream loses a third of all classes for a minute. That is not a reason to close any:"
        )
        soc.faults["NB"] = ["partial"]
        _poll(session, soc, wanted, "XX", first=5)
        session.say("Somebody drops the class. The student is notified, once, however long it stays open:")
        _poll(session, soc, wanted, "OOO", first=7)
        session.expect_messages("student", wanted)
        session.pollctl("soc-sections", "events", at=_at(9))
        session.pollctl("soc-sections", "subscriptions", at=_at(9))


def playground(port: int) -> Playground:
    """A campus of 200 sections, nine in ten of them open."""
    from pollctl.fakes import Playground

    soc = FakeSoc({"NB": _SIZE}, open_share=0.9, port=port)
    settings = f'[plugins.soc_sections]\nbase_url = "{soc.url}"\ncampuses = ["NB"]'
    wanted = min(soc.open_sections("NB"))
    hint = (
        f"pollctl run soc_sections; pollctl soc-sections subscribe {wanted} --term FA2026 --campus NB --contact ADDRESS"
    )
    return Playground(soc, settings, hint)


def _poll(session: DemoSession, soc: FakeSoc, wanted: str, letters: str, *, first: int) -> None:
    """A pass a minute: O for open, X for full."""
    for minute, letter in enumerate(letters, start=first):
        (soc.open if letter == "O" else soc.close)("NB", wanted)
        session.passes("soc_sections", _at(minute))


def _at(minute: int) -> str:
    return f"2026-08-03T13:{minute:02d}:00Z"
