"""What is remembered of one term and campus: what fetch goes by, and what decide is given."""

from __future__ import annotations

from datetime import datetime, timedelta

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


class HeldRun(Struct, frozen=True, kw_only=True):
    """A run of answers that were held: empty, fallen sharply or rejected, one after the other.

    Attributes:
        since, last_at: when its first and its latest answer came; what fails in between says nothing.
        seen: the campus' own open sections that any of its answers held.
    """

    since: datetime
    last_at: datetime
    seen: list[str]

    @property
    def span(self) -> timedelta:
        """From its first answer to its latest."""
        return self.last_at - self.since


class Memory(Struct, frozen=True, kw_only=True):
    """What a poll of one term and campus leaves for the next to be judged by.

    Attributes:
        counts: open sections in the last 16 accepted answers, oldest first.
        last_counted_at: when the last answer came that counted as one of its own.
        settled_hash: the last answer's hash when all statuses agree with it, so that the same need not be parsed again.
        listed, ignored: entries of the last answer that was parsed, and how many of them were not indexes.
        accepted_at: when an answer was accepted last.
        accepted_digest: of the sections in the answer that is kept for other campuses to be held against; None without.
        ignores_campus: whether an accepted answer has held sections outside the campus' own catalogue.
        held: the run of held answers that is on.
        failing_since: the first of the polls that all have failed since.
        doubted_since: since when nothing could be believed, once that has lasted long enough to be told.
    """

    counts: list[int] = []
    last_counted_at: datetime | None = None
    suspicion: Suspicion | None = None
    settled_hash: str | None = None
    listed: int = 0
    ignored: int = 0
    accepted_at: datetime | None = None
    accepted_digest: str | None = None
    ignores_campus: bool = False
    held: HeldRun | None = None
    failing_since: datetime | None = None
    doubted_since: datetime | None = None


class Campus(Memory, frozen=True, kw_only=True):
    """What is known of one term and campus when an answer comes.

    Attributes:
        catalogue_size: sections in the catalogue; 0 while there is none.
        oldest_poll_at: of the polls that are kept.
    """

    catalogue_size: int = 0
    oldest_poll_at: datetime | None = None


class Reference(Struct, frozen=True, kw_only=True):
    """The last accepted answer for another campus of the term, whose answers hold sections of other campuses too.

    Attributes:
        size: the sections in it.
        shared: how many of them the present answer holds.
    """

    campus: str
    accepted_at: datetime
    size: int
    shared: int


class Details(Struct, frozen=True, kw_only=True, gc=False):
    """One section: its episode, which every recorded close raises, and what the catalogue says of it.

    Attributes:
        unread_since: since when no answer could be believed, where the section closed because of that.
    """

    episode: int
    section_number: str
    course: str
    title: str
    open_to: str
    permission: str
    eligibility: str = ""
    subtitle: str = ""
    unread_since: datetime | None = None


class Candidate(Struct, frozen=True, kw_only=True, gc=False):
    """An eligible subscription that was not yet notified of its section's present or coming episode.

    Attributes:
        opened_at: when a pass saw the section open; None while it is closed, and where it was open from the start.
        has_event: whether this episode has an open event already.
        missed_at: when an accepted answer last did not hold the section although it counted as open.
        told: what became of the notification of the present episode, ``sent`` also where it was spared; None where there was
            none. Only what may have closed unseen is a candidate in spite of one.
        course: that the subscription follows as a whole; empty where it follows one section.
    """

    id: int
    index_number: str
    created_at: datetime
    window: str | None
    snooze_until: datetime | None
    unless_open: bool
    opened_at: datetime | None
    has_event: bool
    missed_at: datetime | None = None
    told: str | None = None
    course: str = ""


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
    course: str = ""


class State(Struct, frozen=True, kw_only=True):
    """What is known of one term and campus.

    Attributes:
        minute: of the day, by the wall clock of ``timezone``.
        open, closed, unknown: the known sections by status; not read when the answer is the same as the last one.
        misses: of open sections that have some.
        unresolved: known sections that the catalogue does not hold.
        references: what an answer without a section of this campus is held against.
        rolling: subscriptions to courses that go on with the term of this answer, which has become the current one.
        details: of sections that the answer may change, and of the candidates'.
    """

    campus: Campus = Campus()
    minute: int = 0
    open: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    misses: dict[str, int] = {}
    unresolved: frozenset[str] = frozenset()
    references: list[Reference] = []
    details: dict[str, Details] = {}
    candidates: list[Candidate] = []
    deferred: list[Deferred] = []
    rolling: list[int] = []
