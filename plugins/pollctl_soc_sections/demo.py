"""What ``pollctl demo`` shows of soc_sections: a class closes, flaps and opens, and a small campus fills up and is heard of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_soc_sections.fake import FakeSoc

if TYPE_CHECKING:
    from pollctl.demo import DemoSession
    from pollctl.fakes import Playground

_SIZES = {"NB": 200, "NK": 3}


def run(session: DemoSession) -> None:
    """Watch a class through a registration morning on which the upstream is wrong once."""
    with FakeSoc(_SIZES, open_share=0.9) as soc:
        soc.ignores_campus = True
        wanted = min(soc.open_sections("NB"))
        session.title("soc_sections: tell me when my class opens")
        session.settings(f'[plugins.soc_sections]\nbase_url = "{soc.url}"\ncampuses = ["NB", "NK"]')
        session.say(f"The class with index {wanted} is open; a student subscribes to it, and is told so, once.")
        session.passes("soc_sections", _at(0))
        session.pollctl(
            "soc-sections", "subscribe", wanted, "--term", "FA2026", "--campus", "NB",
            "--contact", session.inbox("student"), at=_at(0),
        )  # fmt: skip
        _poll(session, soc, wanted, "O", first=1)
        session.say(
            "At 13:02 it is missing from the list, and back a minute later: a flap, of which nobody is notified."
        )
        _poll(session, soc, wanted, "XO", first=2)
        session.say("Then it is really full: missed twice in a row, it counts as closed.")
        _poll(session, soc, wanted, "XX", first=4)
        session.say(
            "At 13:06 the upstream loses a third of all classes for a minute. That is not a reason to close any:"
        )
        soc.faults["NB"] = ["partial"]
        _poll(session, soc, wanted, "XX", first=6)
        session.say("Somebody drops the class. The student is notified, once, however long it stays open:")
        _poll(session, soc, wanted, "OOO", first=8)
        session.expect_messages("student", wanted, wanted)
        seat = min(soc.open_sections("NK"))
        session.say(
            f"The small campus NK has {len(soc.sections['NK'])} classes. It fills up, so that the answer lists none of them: the "
            "upstream lists all campuses, whatever it is asked for. The one seat that comes free is heard of:"
        )
        session.pollctl(
            "soc-sections", "subscribe", seat, "--term", "FA2026", "--campus", "NK",
            "--contact", session.inbox("neighbour"), "--unless-open", at=_at(10),
        )  # fmt: skip
        soc.set_open("NK", [])
        for minute in (11, 12):
            session.passes("soc_sections", _at(minute))
        soc.open("NK", seat)
        session.passes("soc_sections", _at(13))
        session.expect_messages("neighbour", seat)
        session.pollctl("soc-sections", "polls", "--campus", "NK", "--limit", "3", at=_at(13))
        session.pollctl("soc-sections", "events", at=_at(13))
        session.pollctl("soc-sections", "subscriptions", at=_at(13))


def playground(port: int) -> Playground:
    """A campus of 200 sections and one of three, nine in ten of them open; each answer lists both."""
    from pollctl.fakes import Playground

    soc = FakeSoc(_SIZES, open_share=0.9, port=port)
    soc.ignores_campus = True
    settings = f'[plugins.soc_sections]\nbase_url = "{soc.url}"\ncampuses = ["NB", "NK"]'
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
