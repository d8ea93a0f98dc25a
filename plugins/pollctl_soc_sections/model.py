"""Settings and the frozen values that travel from fetch through decide to the database."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from pollctl import Duration, HttpUrl
from pollctl_soc_sections.notation import read_campus, read_term

_WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")

SectionStatus = Literal["UNKNOWN", "OPEN", "CLOSED"]
SubscriptionStatus = Literal["pending", "active", "paused", "suppressed", "unsubscribed"]
ELIGIBLE = ("pending", "active")
Verdict = Literal["accepted", "confirmed", "too_soon", "suspect_drop", "suspect_empty", "rejected", "failed"]
"""What an answer was taken for.

``confirmed``: suspect, but believed at last. ``too_soon``: within ``min_poll_gap`` of the last counted one.
``rejected``: of another term or campus. ``failed``: no answer that could be read.
"""


class Settings(Struct, frozen=True, kw_only=True):
    """The section ``[plugins.soc_sections]``; sample.toml says what each key means."""

    base_url: HttpUrl = HttpUrl("https://classes.rutgers.edu/soc/api")
    terms: tuple[str, ...] = ("92026",)
    campuses: tuple[str, ...] = ("NB", "NK")
    miss_threshold: Annotated[int, Meta(ge=1)] = 2
    min_poll_gap: Duration = Duration(seconds=30)
    drop_guard: Annotated[float, Meta(gt=0, le=1)] = 0.10
    drop_guard_min: Annotated[int, Meta(ge=1)] = 25
    confirm_polls: Annotated[int, Meta(ge=1)] = 3
    confirm_span: Duration = Duration(minutes=5)
    catalogue_every: Duration = Duration(days=1)
    confirm_empty: bool = False
    allow_hosts: tuple[str, ...] = ("classes.rutgers.edu", "sis.rutgers.edu")
    concurrency: Annotated[int, Meta(ge=1, le=100)] = 3
    chunk: Annotated[int, Meta(ge=1)] = 200

    def __post_init__(self) -> None:
        for key, read, values in (("terms", read_term, self.terms), ("campuses", read_campus, self.campuses)):
            for value in values:
                try:
                    read(value)
                except ValueError as error:
                    raise ValueError(f"{key}: {error}") from error

    @property
    def polled(self) -> list[tuple[str, str]]:
        """Pairs of term and campus that a pass asks for, each once."""
        return list(dict.fromkeys((read_term(term), campus) for term in self.terms for campus in self.campuses))


def read_window(text: str) -> tuple[int, int]:
    """First and last minute of the day of a window such as ``08:00-22:00``; it may wrap midnight.

    Raises:
        ValueError: it is none.
    """
    if match := _WINDOW.fullmatch(text):
        return int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    raise ValueError(f"{text!r} is no window; write 08:00-22:00")


def is_within(window: str | None, minute: int) -> bool:
    """Whether a minute of the day lies in a window, both ends included; without one always."""
    if window is None:
        return True
    first, last = read_window(window)
    return first <= minute <= last if first <= last else minute >= first or minute <= last


def quiet(window: str | None, snooze_until: datetime | None, minute: int, now: datetime) -> str | None:
    """Why a subscriber must not be disturbed now; None when nothing is in the way."""
    if snooze_until is not None and now < snooze_until:
        return "snoozed"
    return None if is_within(window, minute) else f"outside {window}"


# batches


class Poll(Struct, frozen=True, kw_only=True, tag=True):
    """What the upstream said is open in one term and campus.

    Attributes:
        content_hash: SHA-256 of the body.
        listed: the indexes in the answer; empty when it is the same as the last one, which was not read again.
        is_same: whether it equals an answer that all statuses agree with already.
        ignored: entries that were no indexes.
        failure: why there is no answer that could be read; empty when there is one.
        hold_until: before when the upstream wants no request.
    """

    term: str
    campus: str
    content_hash: str = ""
    listed: frozenset[str] = frozenset()
    is_same: bool = False
    ignored: int = 0
    failure: str = ""
    hold_until: datetime | None = None


class CatalogueSection(Struct, frozen=True, kw_only=True, gc=False):
    """One section as the catalogue describes it; empty text where it says nothing."""

    index_number: str
    section_number: str
    course: str
    title: str
    open_to: str
    permission: str


class Catalogue(Struct, frozen=True, kw_only=True, tag=True):
    """The sections of one term and campus, or why they could not be read."""

    term: str
    campus: str
    sections: list[CatalogueSection] = []
    failure: str = ""
    hold_until: datetime | None = None


Batch = Poll | Catalogue

# state


class Suspicion(Struct, frozen=True, kw_only=True):
    """A run of suspect answers that agree: the campus' own sections in the first one, since when, and how many."""

    first: list[str]
    since: datetime
    polls: int


class Campus(Struct, frozen=True, kw_only=True):
    """What is remembered of one term and campus from poll to poll.

    Attributes:
        counts: open sections in the last 16 accepted answers, oldest first.
        last_counted_at: when the last answer came that counted as one of its own.
        catalogue_size: sections in the catalogue; 0 while there is none.
        oldest_poll_at: of the polls that are kept.
    """

    counts: list[int] = []
    last_counted_at: datetime | None = None
    suspicion: Suspicion | None = None
    catalogue_size: int = 0
    oldest_poll_at: datetime | None = None


class Details(Struct, frozen=True, kw_only=True, gc=False):
    """One section: its episode, which every recorded close raises, and what the catalogue says of it."""

    episode: int
    section_number: str
    course: str
    title: str
    open_to: str
    permission: str


class Candidate(Struct, frozen=True, kw_only=True, gc=False):
    """An eligible subscription that was not yet told of its section's present or coming episode.

    Attributes:
        opened_at: when a pass saw the section open; None while it is closed, and where it was open from the start.
        has_event: whether this episode has an open event already.
    """

    id: int
    index_number: str
    created_at: datetime
    window: str | None
    snooze_until: datetime | None
    unless_open: bool
    opened_at: datetime | None
    has_event: bool


class Deferred(Struct, frozen=True, kw_only=True, gc=False):
    """A notification that waits for its subscriber's window, or for the end of a snooze or a pause.

    Attributes:
        effect_key: of the effect that was queued for it but came too late to be sent; None where there was none yet.
    """

    event_id: int
    dedupe_key: str
    effect_key: str | None
    subscription_id: int
    status: SubscriptionStatus
    index_number: str
    episode: int
    window: str | None
    snooze_until: datetime | None


class State(Struct, frozen=True, kw_only=True):
    """What is known of one term and campus.

    Attributes:
        minute: of the day, by the wall clock of ``timezone``.
        open, closed, unknown: the known sections by status; not read when the answer is the same as the last one.
        misses: of open sections that have some.
        unresolved: known sections that the catalogue does not hold.
        details: of sections that the answer may change, and of the candidates'.
        dead: event and subscription of notifications whose delivery was given up.
    """

    campus: Campus = Campus()
    minute: int = 0
    open: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    misses: dict[str, int] = {}
    unresolved: frozenset[str] = frozenset()
    details: dict[str, Details] = {}
    candidates: list[Candidate] = []
    deferred: list[Deferred] = []
    dead: list[tuple[int, int]] = []


# decisions


class Facts(Struct, frozen=True, kw_only=True):
    """What a notification says of a section, kept with the event."""

    term: str
    campus: str
    index_number: str
    section_number: str
    course: str
    title: str
    open_to: str
    permission: str
    seen_at: datetime


class RecordPoll(Struct, frozen=True, kw_only=True, tag=True):
    """Keep one poll, and what the next one is judged by.

    Attributes:
        listed: entries in the answer; None where it was not read.
        known: how many of them are known sections of this campus.
        settled_hash: the answer's hash when all statuses agree with it, so that the same answer need not be read again.
        is_unread: whether there is nothing to remember: the answer was rejected, or there was none.
    """

    term: str
    campus: str
    verdict: Verdict
    polled_at: datetime
    content_hash: str
    listed: int | None
    known: int | None
    ignored: int
    counts: list[int]
    last_counted_at: datetime | None
    suspicion: Suspicion | None
    settled_hash: str | None
    is_unread: bool
    reason: str


class StoreStates(Struct, frozen=True, kw_only=True, tag=True):
    """First sight of sections: keep what they are and tell nobody."""

    term: str
    campus: str
    open: list[str]
    closed: list[str]
    at: datetime
    reason: str


class OpenEvent(Struct, frozen=True, kw_only=True, tag=True):
    """A section is open, and someone may be told.

    Attributes:
        status_before: ``CLOSED``: it has just opened; ``UNKNOWN``: it was open from the start, and someone new asks.
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
    """A section was missed often enough; nobody is told."""

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
    reason: str


class FanOut(Struct, frozen=True, kw_only=True, tag=True):
    """One notification for each of some subscriptions to one section; deferred ones wait for their time."""

    dedupe_key: str
    subscriptions: list[int]
    is_deferred: bool
    reason: str


class Release(Struct, frozen=True, kw_only=True, tag=True):
    """The time of a deferred notification has come; ``effect_key`` is new, because the outbox sends no key twice."""

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
    """Keep a catalogue; the first one starts the baseline anew, because it says what is counted."""

    term: str
    campus: str
    sections: list[CatalogueSection]
    is_first: bool
    read_at: datetime
    reason: str


class KeepCatalogue(Struct, frozen=True, kw_only=True, tag=True):
    """A catalogue could not be had: go on with the old one and try again later."""

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
    """Let go of old polls; their counters stay."""

    term: str
    campus: str
    before: datetime
    reason: str


Decision = (
    RecordPoll
    | StoreStates
    | OpenEvent
    | CloseSection
    | CountMisses
    | FanOut
    | Release
    | EndNotification
    | StoreCatalogue
    | KeepCatalogue
    | HoldUpstream
    | PrunePolls
)
