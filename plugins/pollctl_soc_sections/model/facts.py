"""What a message says of a section."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Facts(Struct, frozen=True, kw_only=True):
    """What a notification says of a section, kept with the event.

    Attributes:
        unread_since: since when no answer could be believed, so that it may have been open all along; None where it was closed.
    """

    term: str
    campus: str
    index_number: str
    section_number: str
    course: str
    title: str
    open_to: str
    permission: str
    seen_at: datetime
    eligibility: str = ""
    subtitle: str = ""
    unread_since: datetime | None = None
