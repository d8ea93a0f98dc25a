"""What is remembered of one term and campus: what fetch goes by, and what decide is given."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pollctl_soc_sections.model.subscription import SubscriptionStatus


class FetchState(Struct, frozen=True):
    """What fetch must know of a term and campus before it makes requests.

    Attributes:
        settled_hash: of the answer that every status agrees with; None when the next one must be parsed.
        catalogue_size: sections in the catalogue; 0 while there is none.
        read_at, tried_at: when the catalogue was last read, and when it was last requested.
        has_failed_first: whether there is no catalogue because the last attempt failed.
    """

    settled_hash: str | None = None
    catalogue_size: int = 0
    read_at: datetime | None = None
    tried_at: datetime | None = None
    has_failed_first: bool = False


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
    """An eligible subscription that was not yet notified of its section's present or coming episode.

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
