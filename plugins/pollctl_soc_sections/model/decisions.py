"""What one batch changes; each decision has a reason that a person can read."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from pollctl_soc_sections.model.batch import CatalogueSection
from pollctl_soc_sections.model.facts import Facts
from pollctl_soc_sections.model.state import Memory

SectionStatus = Literal["UNKNOWN", "OPEN", "CLOSED"]
PollVerdict = Literal["accepted", "confirmed", "too_soon", "suspect_drop", "suspect_empty", "rejected", "failed"]
"""What an answer was taken for.

``confirmed``: suspect, but believed at last. ``too_soon``: within ``min_poll_gap`` of the last counted one.
``rejected``: of another term or campus. ``failed``: no answer that could be read.
"""


class RecordPoll(Struct, frozen=True, kw_only=True, tag=True):
    """Keep one poll, and what the next one is judged by.

    Attributes:
        listed: entries in the answer; None where there was none.
        known: how many of them are known sections of this campus.
        is_unread: whether the answer was rejected, or there was none.
        duration_ms: how long the exchange took.
        doubt: why the pass is partial at best: the answer was rejected, or nothing can be believed for long; else empty.
    """

    term: str
    campus: str
    verdict: PollVerdict
    polled_at: datetime
    content_hash: str
    listed: int | None
    known: int | None
    ignored: int
    is_unread: bool
    duration_ms: float
    remembered: Memory
    doubt: str
    reason: str


class KeepAnswer(Struct, frozen=True, kw_only=True, tag=True):
    """Keep the sections of an accepted answer: those of campuses that are full are held against it."""

    term: str
    campus: str
    listed: list[str]
    reason: str


class TellOperators(Struct, frozen=True, kw_only=True, tag=True):
    """Nothing could be believed about a term and campus for so long that whoever runs this must hear of it, once."""

    term: str
    campus: str
    since: datetime
    what: str
    reason: str


class StoreStates(Struct, frozen=True, kw_only=True, tag=True):
    """First sight of sections: store their statuses and notify nobody."""

    term: str
    campus: str
    open: list[str]
    closed: list[str]
    at: datetime
    reason: str


class OpenEvent(Struct, frozen=True, kw_only=True, tag=True):
    """A section is open, and someone may be notified.

    Attributes:
        status_before: ``CLOSED``: it has just opened; ``UNKNOWN``: it was open from the start, and has a new subscriber.
    """

    term: str
    campus: str
    index_number: str
    status_before: SectionStatus
    seat_delta: int
    episode: int
    event_at: datetime
    dedupe_key: str
    facts: Facts
    reason: str


class CloseSection(Struct, frozen=True, kw_only=True, tag=True):
    """A section was missed often enough, or in all of a long run of held answers; nobody is notified."""

    term: str
    campus: str
    index_number: str
    episode: int
    event_at: datetime
    dedupe_key: str
    reason: str


class CountMisses(Struct, frozen=True, kw_only=True, tag=True):
    """Open sections that were missed once more, and some that are back before they counted as closed."""

    term: str
    campus: str
    missed: list[str]
    back: list[str]
    at: datetime
    reason: str


class FanOut(Struct, frozen=True, kw_only=True, tag=True):
    """One notification for each of some subscriptions to one section, queued at once or deferred."""

    dedupe_key: str
    subscriptions: list[int]
    is_deferred: bool
    reason: str


class FanOutCourse(Struct, frozen=True, kw_only=True, tag=True):
    """One notification of all that opened of a course, to one subscription, queued at once or deferred."""

    dedupe_keys: list[str]
    subscription: int
    is_deferred: bool
    reason: str


class RollOver(Struct, frozen=True, kw_only=True, tag=True):
    """Subscriptions that go on in the term that has become the current one."""

    term: str
    subscriptions: list[int]
    at: datetime
    reason: str


class Spare(Struct, frozen=True, kw_only=True, tag=True):
    """Subscriptions that are not told of an opening, because they were of the one before, and it may be the same."""

    dedupe_key: str
    subscriptions: list[int]
    reason: str


class Release(Struct, frozen=True, kw_only=True, tag=True):
    """The time of a deferred notification has come; ``effect_key`` is new, because the outbox sends no key twice.

    Those with the same key are one message.
    """

    event_id: int
    dedupe_key: str
    subscription_id: int
    effect_key: str
    reason: str


class EndNotification(Struct, frozen=True, kw_only=True, tag=True):
    """A notification will not go out: its section closed again (``expired``), or delivery was given up (``failed``)."""

    event_id: int
    subscription_id: int
    status: Literal["expired", "failed"]
    reason: str


class StoreCatalogue(Struct, frozen=True, kw_only=True, tag=True):
    """Keep a catalogue; the first one starts a new baseline, because it defines what is counted."""

    term: str
    campus: str
    sections: list[CatalogueSection]
    is_first: bool
    read_at: datetime
    reason: str


class KeepCatalogue(Struct, frozen=True, kw_only=True, tag=True):
    """A catalogue could not be read: go on with the old one and try again later."""

    term: str
    campus: str
    tried_at: datetime
    failure: str
    reason: str


class HoldUpstream(Struct, frozen=True, kw_only=True, tag=True):
    """The upstream wants no request before a moment."""

    until: datetime
    reason: str


class PrunePolls(Struct, frozen=True, kw_only=True, tag=True):
    """Delete old polls; their counters stay."""

    term: str
    campus: str
    before: datetime
    reason: str


Decision = (
    RecordPoll
    | KeepAnswer
    | TellOperators
    | StoreStates
    | OpenEvent
    | CloseSection
    | CountMisses
    | FanOut
    | FanOutCourse
    | RollOver
    | Spare
    | Release
    | EndNotification
    | StoreCatalogue
    | KeepCatalogue
    | HoldUpstream
    | PrunePolls
)
