"""Events of a section, and the keys by which each is recorded once."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha1

from pollctl_soc_sections.model import CloseSection, Facts, OpenEvent, Poll, SectionStatus, State


def closing(state: State, poll: Poll, index: str, now: datetime, reason: str) -> CloseSection:
    """A section has closed; the episode in which it was open ends."""
    episode = state.details[index].episode
    return CloseSection(
        term=poll.term,
        campus=poll.campus,
        index_number=index,
        episode=episode,
        event_at=now,
        dedupe_key=dedupe_key(poll, index, "CLOSED", episode),
        reason=reason,
    )


def open_event(state: State, poll: Poll, index: str, before: SectionStatus, now: datetime) -> OpenEvent:
    """The event that all notifications of this episode share."""
    details = state.details[index]
    just_opened = before == "CLOSED"
    return OpenEvent(
        term=poll.term,
        campus=poll.campus,
        index_number=index,
        status_before=before,
        seat_delta=int(just_opened),
        episode=details.episode,
        event_at=now,
        dedupe_key=dedupe_key(poll, index, "OPEN", details.episode),
        facts=Facts(
            term=poll.term,
            campus=poll.campus,
            index_number=index,
            section_number=details.section_number,
            course=details.course,
            title=details.title,
            open_to=details.open_to,
            permission=details.permission,
            eligibility=details.eligibility,
            subtitle=details.subtitle,
            seen_at=now,
            unread_since=details.unread_since,
        ),
        reason="was closed and is listed" if just_opened else "was open from the start, and has a new subscriber",
    )


def dedupe_key(poll: Poll, index: str, status: SectionStatus, episode: int) -> str:
    """SHA-1 of ``term|campus|index|status|episode``."""
    text = f"{poll.term}|{poll.campus}|{index}|{status}|{episode}"
    return sha1(text.encode(), usedforsecurity=False).hexdigest()
