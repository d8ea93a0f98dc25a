"""What ``decide`` may decide; each decision carries a reason that a person can read."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pollctl_stockx_ops.model.accounts import Tokens
from pollctl_stockx_ops.model.batch import Hold, Pace
from pollctl_stockx_ops.model.jobs import Job
from pollctl_stockx_ops.model.state import DayCounts


class ListingChange(Struct, frozen=True, kw_only=True):
    """What a listing becomes; None keeps what it has."""

    listing_id: str
    status: str
    ask_price: int | None
    currency_code: str | None
    expires_at: datetime | None


class CompleteJob(Struct, frozen=True, kw_only=True, tag=True):
    """An operation succeeded, or parts of it did.

    Attributes:
        at: the moment of its end.
        history_status: what its row in the history says became of it.
        error_code: of a partial success, with its message: what was not done.
        recipients: None when nobody is to be notified.
        unread: what beside the upstream's word could not be read.
    """

    job: Job
    at: datetime
    is_partial: bool
    listing_id: str | None
    change: ListingChange | None
    recipients: list[str] | None
    reason: str
    history_status: str = "COMPLETED"
    error_code: str | None = None
    error_message: str | None = None
    unread: list[str] = []


class FailJob(Struct, frozen=True, kw_only=True, tag=True):
    """An operation failed, or has not ended within the time allowed; ``recipients`` is None when nobody is to be notified."""

    job: Job
    error_code: str
    error_message: str
    is_timeout: bool
    reason: str
    recipients: list[str] | None = None
    unread: list[str] = []


class PostponeJob(Struct, frozen=True, kw_only=True, tag=True):
    """Ask again, but not before ``until``.

    Attributes:
        is_answered: whether the upstream said that the operation is under way.
        forbidden_count: answers 403 in a row that count, this one included.
        forbidden_since: the moment of the first of them.
    """

    job_id: str
    attempt: int
    until: datetime
    is_rate_limited: bool
    reason: str
    is_answered: bool = False
    forbidden_count: int = 0
    forbidden_since: datetime | None = None


class BreakAccount(Struct, frozen=True, kw_only=True, tag=True):
    """The upstream refuses a login, also with a fresh token; its user must be notified, of the job that failed by it too."""

    user_id: str
    connection: int
    recipients: list[str] | None
    reason: str
    job_id: str = ""


class ExpireAccount(Struct, frozen=True, kw_only=True, tag=True):
    """The refresh token of a login is no longer accepted; its user must be notified, and connect again."""

    user_id: str
    connection: int
    reason: str
    recipients: list[str] | None = None


class KeepTokens(Struct, frozen=True, kw_only=True, tag=True):
    """Store a refreshed login."""

    tokens: Tokens
    reason: str


class HoldUpstream(Struct, frozen=True, kw_only=True, tag=True):
    """Send a host no request for a while."""

    hold: Hold
    reason: str


class SummariseDay(Struct, frozen=True, kw_only=True, tag=True):
    """Notify each user how a day went; ``recipients`` are the names of the addresses of those who are to be told."""

    day: str
    summaries: dict[str, DayCounts]
    recipients: dict[str, list[str]]
    reason: str


class KeepPace(Struct, frozen=True, kw_only=True, tag=True):
    """Store when the latest request started."""

    pace: Pace
    reason: str


Decision = (
    CompleteJob
    | FailJob
    | PostponeJob
    | BreakAccount
    | ExpireAccount
    | KeepTokens
    | HoldUpstream
    | SummariseDay
    | KeepPace
)
