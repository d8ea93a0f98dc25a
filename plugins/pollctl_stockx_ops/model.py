"""Settings and the frozen values that travel from fetch through decide to the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from pollctl import HttpUrl, PositiveDuration, Secret

Dialect = Literal["v2", "operations"]
JobStatus = Literal["PENDING", "IN_PROGRESS", "COMPLETED", "FAILED", "PARTIAL"]
AccountStatus = Literal["ACTIVE", "BROKEN", "EXPIRED", "REVOKED"]
Said = Literal["open", "completed", "failed", "partial"]

OPEN = ("PENDING", "IN_PROGRESS")
SAID: dict[Dialect, dict[str, Said]] = {
    "v2": {"PENDING": "open", "SUCCEEDED": "completed", "FAILED": "failed"},
    "operations": {
        "queued": "open",
        "processing": "open",
        "completed": "completed",
        "failed": "failed",
        "partial_success": "partial",
    },
}
"""What each dialect's word for the state of an operation means; any other word means ``open``."""
LISTING_STATUS = {
    "create_listing": "ACTIVE",
    "update_listing": "ACTIVE",
    "activate_listing": "ACTIVE",
    "deactivate_listing": "INACTIVE",
    "delete_listing": "DELETED",
}
"""What a completed job makes of its listing, by type of job; any other type leaves listings alone."""
LIVE = ("create_listing", "activate_listing")
"""Types of jobs that put a listing on the market."""
COUNTED = ("completed", "failed", "timed_out", "partial", "in_progress", "rate_limited")
"""What can become of a job in a pass; ``processed`` is their sum."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Settings(Struct, frozen=True, kw_only=True):
    """The section ``[plugins.stockx_ops]``; sample.toml says what each key means."""

    base_url: HttpUrl = HttpUrl("https://api.stockx.com")
    token_url: HttpUrl = HttpUrl("https://accounts.stockx.com/oauth/token")
    dialect: Dialect = "v2"
    api_key: Secret = Secret("")
    client_id: Secret = Secret("")
    client_secret: Secret = Secret("")
    max_jobs: Annotated[int, Meta(ge=1, le=1000)] = 50
    poll_delay: PositiveDuration = PositiveDuration(seconds=20)
    rate_limit_delay: PositiveDuration = PositiveDuration(seconds=60)
    give_up_after: PositiveDuration = PositiveDuration(minutes=15)
    rate: str = "1/s"
    notify: tuple[Secret, ...] = ()

    def __post_init__(self) -> None:
        _ = self.interval

    @property
    def interval(self) -> float:
        """Seconds between the starts of two requests that ``rate`` asks for.

        Raises:
            ValueError: it is no rate.
        """
        count, _, unit = self.rate.partition("/")
        if unit not in _UNITS or not (count.isascii() and count.isdecimal()) or int(count) == 0:
            raise ValueError(f'rate {self.rate!r} is no rate; write "1/s", "30/m" or "100/h"')
        return _UNITS[unit] / int(count)


class NewJob(Struct, frozen=True, kw_only=True):
    """What is asked for with ``track``."""

    operation_id: str
    user_id: str
    job_type: str
    listing_id: str | None


class Job(Struct, frozen=True, kw_only=True):
    """One row of ``stockx_batch_jobs``, as far as the rules look at it.

    Attributes:
        attempt: 1, and one more with every ``retry``.
    """

    id: str
    user_id: str
    job_type: str
    status: JobStatus
    operation_id: str
    listing_id: str | None
    started_at: datetime
    attempt: int

    @property
    def is_open(self) -> bool:
        """Whether its operation has not come to an end yet."""
        return self.status in OPEN


class Account(Struct, frozen=True, kw_only=True):
    """Whether a user's login works; ``connection`` counts the times it was connected anew."""

    status: AccountStatus
    connection: int


class Reply(Struct, frozen=True, kw_only=True):
    """What the upstream said about one job.

    Attributes:
        attempt: of the job, when it was asked about.
        connection: of the account, when it was asked for.
        status: of the HTTP answer; 0 without one.
        trouble: why the answer cannot be used; empty for one of status 2xx that is understood.
        word: the upstream's word for the state of the operation.
        amount: asking price in the API's own whole units.
        retry_after_s: how long the upstream wants no request, reckoned from the pass' ``now``.
    """

    job_id: str
    attempt: int
    connection: int
    status: int
    trouble: str = ""
    word: str = ""
    error_code: str | None = None
    error_message: str | None = None
    listing_id: str | None = None
    amount: int | None = None
    currency_code: str | None = None
    expires_at: datetime | None = None
    retry_after_s: float | None = None


class Tokens(Struct, frozen=True, kw_only=True):
    """A refreshed login; ``refresh_token`` is None when the old one stays, ``expires_at`` when nobody knows.

    The tokens are secrets: a recording holds none of them.
    """

    user_id: str
    connection: int
    access_token: Secret
    refresh_token: Secret | None
    expires_at: datetime | None


class Expired(Struct, frozen=True, kw_only=True):
    """A login that the token endpoint no longer takes."""

    user_id: str
    connection: int


class Hold(Struct, frozen=True, kw_only=True):
    """The moment before which a host wants no request."""

    host: str
    until: datetime


class Day(Struct, frozen=True, kw_only=True):
    """A day that is over, by its name in the plugin's time zone and its moments in UTC, the end left out."""

    name: str
    starts_at: datetime
    ends_at: datetime


class Pace(Struct, frozen=True, kw_only=True):
    """When the latest request started, so that the next pass keeps the rate.

    Attributes:
        boot_id: of the machine's start, which ``last_start`` counts from.
        last_start: seconds of the system's monotonic clock; None while a pass is asking, or was cut off: then nobody
            knows, and it counts as just now.
    """

    boot_id: str
    last_start: float | None


class Batch(Struct, frozen=True, kw_only=True):
    """What one step of a pass brought.

    Attributes:
        overdue: ids of jobs that may have run out of time.
        day: yesterday, if nobody has summed it up yet.
    """

    overdue: list[str] = []
    replies: list[Reply] = []
    tokens: list[Tokens] = []
    expired: list[Expired] = []
    holds: list[Hold] = []
    day: Day | None = None
    pace: Pace | None = None


class DayCounts(Struct, frozen=True, kw_only=True):
    """What became of the jobs that a user started on one day."""

    jobs: int
    completed: int
    partial: int
    failed: int
    timed_out: int
    open: int


class State(Struct, frozen=True, kw_only=True):
    """The rows that one batch needs.

    Attributes:
        jobs: by id.
        accounts: by user.
        recipients: names of the addresses that a user's notifications go to; the addresses are secrets and stay out.
        summaries: by user, of the day that is to be summed up.
    """

    jobs: dict[str, Job] = {}
    accounts: dict[str, Account] = {}
    recipients: dict[str, list[str]] = {}
    summaries: dict[str, DayCounts] = {}


class ListingChange(Struct, frozen=True, kw_only=True):
    """What a listing becomes; None keeps what it has."""

    listing_id: str
    status: str
    ask_price: int | None
    currency_code: str | None
    expires_at: datetime | None


class CompleteJob(Struct, frozen=True, kw_only=True, tag=True):
    """An operation succeeded, or parts of it did; ``recipients`` is None when there is nothing to tell."""

    job: Job
    at: datetime
    is_partial: bool
    listing_id: str | None
    change: ListingChange | None
    recipients: list[str] | None
    reason: str


class FailJob(Struct, frozen=True, kw_only=True, tag=True):
    """An operation failed, or nothing is known of it after all the time allowed."""

    job: Job
    error_code: str
    error_message: str
    is_timeout: bool
    reason: str


class PostponeJob(Struct, frozen=True, kw_only=True, tag=True):
    """Ask again, but not before ``until``."""

    job_id: str
    attempt: int
    until: datetime
    is_rate_limited: bool
    reason: str


class BreakAccount(Struct, frozen=True, kw_only=True, tag=True):
    """The upstream refuses a login, also with a fresh token; a person must look."""

    user_id: str
    connection: int
    recipients: list[str]
    reason: str


class ExpireAccount(Struct, frozen=True, kw_only=True, tag=True):
    """The refresh token of a login is no longer taken; its user must connect again."""

    user_id: str
    connection: int
    reason: str


class KeepTokens(Struct, frozen=True, kw_only=True, tag=True):
    """Keep a refreshed login."""

    tokens: Tokens
    reason: str


class HoldUpstream(Struct, frozen=True, kw_only=True, tag=True):
    """Leave a host alone for a while."""

    hold: Hold
    reason: str


class SummariseDay(Struct, frozen=True, kw_only=True, tag=True):
    """Tell each user how yesterday went, by the names of their addresses."""

    day: str
    summaries: dict[str, DayCounts]
    recipients: dict[str, list[str]]
    reason: str


class KeepPace(Struct, frozen=True, kw_only=True, tag=True):
    """Remember when the latest request started."""

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


def in_words(duration: timedelta) -> str:
    """A duration in words: ``15 minutes``, ``90 seconds``, ``1 hour``."""
    seconds = duration.total_seconds()
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return _plural(seconds / size, unit)
    return _plural(seconds, "second")


def _plural(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"
