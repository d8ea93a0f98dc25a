"""Notifying people: one effect is one subscription and one opening of its section."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec

from pollctl import Effect, Run, Secret
from pollctl_soc_sections import store
from pollctl_soc_sections.model import ELIGIBLE, Facts, quiet_reason
from pollctl_soc_sections.model.identifiers import spoken_term

_REGISTRATION = "https://sims.rutgers.edu/webreg/editSchedule.htm"


def deliver(effect: Effect, run: Run) -> dict[str, Any]:
    """Notify one subscriber, unless the section has closed since or the subscription is not to be notified now.

    The contact stays in the database until here, because it is a secret.

    Raises:
        DeliveryError: the service did not take it.
    """
    with run.reading() as db:
        outgoing = store.outgoing(db, effect)
    if outgoing is None:
        return {"sent": False, "why": "the subscription is gone"}
    if outgoing.is_over:
        return {"sent": False, "why": "the section closed before the notification could be sent"}
    if outgoing.status not in ELIGIBLE:
        is_left = outgoing.status == "unsubscribed"
        return {"sent": False, "why": f"the subscription is {outgoing.status}", "later": not is_left}
    local = run.now.astimezone(run.timezone)
    quiet = quiet_reason(outgoing.window, outgoing.snooze_until, local.hour * 60 + local.minute, run.now)
    if quiet:
        # Not a failed delivery: that would use up its attempts, and keep others with the same contact waiting behind it.
        return {"sent": False, "why": quiet, "later": True}
    title, body = message(msgspec.json.decode(outgoing.payload, type=Facts), run.timezone)
    run.notify(Secret(outgoing.contact).reveal(), title=title, body=body, key=effect.key)
    return {"sent": True}


def message(facts: Facts, zone: ZoneInfo) -> tuple[str, str]:
    """Title and body of a notification."""
    name = " ".join(filter(None, (facts.course, facts.title))) or f"Section {facts.index_number}"
    section = f"Section {facts.section_number}, index" if facts.section_number else "Index"
    lines = [
        name,
        f"{section} {facts.index_number}, campus {facts.campus}, {spoken_term(facts.term)}",
        f"Seen open at {facts.seen_at.astimezone(zone):%Y-%m-%d %H:%M %Z}",
        f"Open to: {facts.open_to}" if facts.open_to else "",
        f"Special permission: {facts.permission}" if facts.permission else "",
        f"Register: {registration_link(facts)}",
    ]
    return f"Open: {name} ({facts.index_number})", "\n".join(filter(None, lines))


def registration_link(facts: Facts) -> str:
    """Where the section can be registered for."""
    query = {"login": "cas", "semesterSelection": facts.term, "indexList": facts.index_number}
    return f"{_REGISTRATION}?{urlencode(query)}"
