"""What a subscriber is told; the core delivers it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pollctl import Run, spoken_moment
from pollctl_soc_sections.model import Facts, TellOperators
from pollctl_soc_sections.model.identifiers import spoken_term

_REGISTRATION = "https://sims.rutgers.edu/webreg/editSchedule.htm"


def message(opened: Sequence[Facts], run: Run) -> tuple[str, str]:
    """Title and body of a notification of one section, or of several of a course."""
    titles, blocks = zip(*(message_lines(facts, run.timezone) for facts in opened), strict=True)
    title = titles[0] if len(opened) == 1 else f"Open: {_name(opened[0])} ({len(opened)} sections)"
    body = "\n\n".join("\n".join(lines) for lines in blocks)
    return title, f"{body}\nsoc_sections on {run.host}"


def message_lines(facts: Facts, zone: ZoneInfo) -> tuple[str, list[str]]:
    """Title and lines of what is known of an opening."""
    name = _name(facts)
    section = f"Section {facts.section_number}, index" if facts.section_number else "Index"
    lines = [
        f"{name}: {facts.subtitle}" if facts.subtitle else name,
        f"{section} {facts.index_number}, campus {facts.campus}, {spoken_term(facts.term)}",
        f"Seen open at {spoken_moment(facts.seen_at, zone)}",
        _doubtful(facts, zone),
        f"Open to: {facts.open_to}" if facts.open_to else "",
        f"Eligibility: {facts.eligibility}" if facts.eligibility else "",
        f"Special permission: {facts.permission}" if facts.permission else "",
        f"Register: {registration_link(facts)}",
    ]
    return f"Open: {name} ({facts.index_number})", [line for line in lines if line]


def _name(facts: Facts) -> str:
    return " ".join(filter(None, (facts.course, facts.title))) or f"Section {facts.index_number}"


def _doubtful(facts: Facts, zone: ZoneInfo) -> str:
    """That it may be no news, where no answer could be believed for long; else nothing."""
    if facts.unread_since is None:
        return ""
    since, until = spoken_moment(facts.unread_since, zone), spoken_moment(facts.seen_at, zone)
    return f"It may have been open all along: there was no readable answer from {since} to {until}"


def doubt_message(told: TellOperators, run: Run) -> tuple[str, str]:
    """Title and body of what operators hear of a term and campus about which nothing can be believed."""
    where, since = f"{spoken_term(told.term)} {told.campus}", spoken_moment(told.since, run.timezone)
    lines = (
        f"{told.what[0].upper()}{told.what[1:]} since {since}, the last because: {told.reason}",
        "Until an answer can be believed, nobody can say which sections there are open or full.",
        "`pollctl status` names every term and campus of which that is so.",
        f"soc_sections on {run.host}",
    )
    return f"soc_sections: {where} cannot be read since {since}", "\n".join(lines)


def registration_link(facts: Facts) -> str:
    """Where the section can be registered for."""
    query = {"login": "cas", "semesterSelection": facts.term, "indexList": facts.index_number}
    return f"{_REGISTRATION}?{urlencode(query)}"
