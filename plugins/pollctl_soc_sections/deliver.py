"""What a subscriber is told; the core delivers it."""

from __future__ import annotations

from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pollctl import Run, spoken_moment
from pollctl_soc_sections.model import Facts
from pollctl_soc_sections.model.identifiers import spoken_term

_REGISTRATION = "https://sims.rutgers.edu/webreg/editSchedule.htm"


def message(facts: Facts, run: Run) -> tuple[str, str]:
    """Title and body of a notification."""
    title, lines = message_lines(facts, run.timezone)
    return title, "\n".join([*lines, f"soc_sections on {run.host}"])


def message_lines(facts: Facts, zone: ZoneInfo) -> tuple[str, list[str]]:
    """Title and lines of what is known of an opening."""
    name = " ".join(filter(None, (facts.course, facts.title))) or f"Section {facts.index_number}"
    section = f"Section {facts.section_number}, index" if facts.section_number else "Index"
    lines = [
        name,
        f"{section} {facts.index_number}, campus {facts.campus}, {spoken_term(facts.term)}",
        f"Seen open at {spoken_moment(facts.seen_at, zone)}",
        f"Open to: {facts.open_to}" if facts.open_to else "",
        f"Special permission: {facts.permission}" if facts.permission else "",
        f"Register: {registration_link(facts)}",
    ]
    return f"Open: {name} ({facts.index_number})", [line for line in lines if line]


def registration_link(facts: Facts) -> str:
    """Where the section can be registered for."""
    query = {"login": "cas", "semesterSelection": facts.term, "indexList": facts.index_number}
    return f"{_REGISTRATION}?{urlencode(query)}"
