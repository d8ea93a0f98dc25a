"""Settings and the frozen values that travel from fetch through decide to the database."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from pollctl import Duration, HttpUrl, PositiveDuration, Secret

RunStatus = Literal["queued", "running", "ready", "failed", "canceled"]
Mode = Literal["Overwrite", "Append", "Update"]

KEY_PREFIX = "pollctl_"
"""How the customer key of every definition and data extension of ours begins."""
_LONGEST = timedelta(days=366)


class Settings(Struct, frozen=True, kw_only=True):
    """The section ``[plugins.shell_query]``; sample.toml says what each key means."""

    auth_url: HttpUrl | None = None
    client_id: Secret = Secret("")
    client_secret: Secret = Secret("")
    account_id: Annotated[int, Meta(ge=0)] = 0
    initial_delay: PositiveDuration = PositiveDuration(seconds=2)
    max_delay: PositiveDuration = PositiveDuration(seconds=30)
    backoff: Annotated[float, Meta(ge=1, le=10)] = 2.0
    jitter: Annotated[float, Meta(ge=0, le=0.9)] = 0.2
    max_polls: Annotated[int, Meta(ge=1, le=100_000)] = 120
    max_duration: PositiveDuration = PositiveDuration(minutes=29)
    stuck_after: Duration = Duration(minutes=3)
    completed_date_after: Duration = Duration(seconds=5)
    confirmations: Annotated[int, Meta(ge=1, le=100)] = 2
    confirmation_gap: Duration = Duration(seconds=15)
    rowset_attempts: Annotated[int, Meta(ge=1, le=100)] = 6
    rowset_delay: PositiveDuration = PositiveDuration(seconds=3)
    rowset_max_delay: PositiveDuration = PositiveDuration(seconds=8)
    row_probe: bool = True
    row_probe_after: Duration = Duration(seconds=5)
    row_probe_every: PositiveDuration = PositiveDuration(seconds=15)
    reconcile_after: PositiveDuration = PositiveDuration(minutes=2)
    sweep_after: PositiveDuration = PositiveDuration(hours=24)
    target_keep: Duration = Duration(days=7)
    max_active: Annotated[int, Meta(ge=1, le=1000)] = 10
    keep_sql: bool = False
    wsdl: Path | None = None

    def __post_init__(self) -> None:
        """What makes no sense together is refused before anything starts."""
        if self.auth_url:
            _require_base(self.auth_url)
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, timedelta) and value > _LONGEST:
                raise ValueError(f'{name} "{value}" is longer than a year')
        for smaller, larger in (
            ("initial_delay", "max_delay"),
            ("rowset_delay", "rowset_max_delay"),
            ("stuck_after", "max_duration"),
            ("completed_date_after", "max_duration"),
            ("row_probe_after", "max_duration"),
            ("confirmation_gap", "max_duration"),
            ("max_duration", "sweep_after"),
        ):
            if getattr(self, smaller) > getattr(self, larger):
                raise ValueError(
                    f'{smaller} "{getattr(self, smaller)}" is longer than {larger} "{getattr(self, larger)}"'
                )

    @property
    def auth_base(self) -> str:
        """What paths of the token endpoint are put behind; empty where ``auth_url`` is not set."""
        return (self.auth_url or "").rstrip("/")


def _require_base(url: str) -> None:
    """Refuse an ``auth_url`` that nothing can be put behind.

    Raises:
        ValueError: what is wrong with it.
    """
    parts = urlsplit(url)
    if parts.query or parts.fragment or parts.username or parts.path.rstrip("/").endswith("/v2/token"):
        raise ValueError(
            'auth_url ends behind its host and holds no login: write "https://SUBDOMAIN.auth.marketingcloudapis.com"'
        )


class Job(Struct, frozen=True, kw_only=True):
    """A run with its poll state, as far as the rules look at it.

    Attributes:
        is_own_target: whether this run created its data extension.
        object_id: the query definition upstream; None when it is not known.
        started_at: T0, the moment from which its age is reckoned; None before its start.
        is_polled: whether its poll state is open.
        first_false_at: when REST first said that it is not running; ``confirmations`` counts how often it has, far apart.
        rowset_attempts: how often the rowset could not be read; more than 0 means that only the rowset is asked for.
    """

    id: str
    status: RunStatus
    target: str
    is_own_target: bool
    customer_key: str
    task_id: str | None = None
    object_id: str | None = None
    started_at: datetime | None = None
    is_polled: bool = False
    poll_count: int = 0
    next_poll_at: datetime | None = None
    first_false_at: datetime | None = None
    confirmations: int = 0
    rowset_attempts: int = 0
    probed_at: datetime | None = None

    def age(self, now: datetime) -> timedelta:
        """How long ago it was started."""
        return now - (self.started_at or now)


class State(Struct, frozen=True, kw_only=True):
    """The rows that one batch needs.

    Attributes:
        jobs: by id.
        active: how many runs are running or on their way to it.
        stillborn: queued runs whose start was given up, with the reason.
        living: customer keys of definitions that are still needed.
        undeleted: runs whose own data extension is still there.
    """

    jobs: dict[str, Job] = {}
    active: int = 0
    stillborn: dict[str, str] = {}
    living: list[str] = []
    undeleted: list[str] = []


class Token(Struct, frozen=True, kw_only=True):
    """What the token endpoint granted. The token is a secret: a recording does not hold it.

    Attributes:
        grantor: a digest of the settings it was asked for with, so that it serves no other account.
        renew_at: from then on a new one is asked for.
        soap_url, rest_url: where to ask, without a slash at the end.
    """

    access_token: Secret
    grantor: str
    renew_at: datetime
    soap_url: str
    rest_url: str


class Hold(Struct, frozen=True, kw_only=True):
    """The moment before which an upstream wants no request."""

    upstream: str
    until: datetime


class Rowset(Struct, frozen=True, kw_only=True):
    """What asking for rows brought: their number, or why there is none."""

    count: int | None = None
    trouble: str = ""
    retry_after_s: float | None = None


class Reading(Struct, frozen=True, kw_only=True):
    """What the upstream said about one run in one poll; None is what was not asked.

    Attributes:
        poll_count: of the run when it was asked about.
        trouble: why the status is not known.
        retry_after_s: how long no request is wanted, reckoned from the round's ``now``.
        is_refused: whether a fresh token was refused too.
        status: the upstream's word; ``error`` what it says went wrong.
        object_id: found by the customer key, because it was not known.
        is_running: what REST says; ``rest_trouble`` why it says nothing.
    """

    run_id: str
    poll_count: int
    trouble: str = ""
    retry_after_s: float | None = None
    is_refused: bool = False
    status: str = ""
    error: str = ""
    has_completed_date: bool = False
    object_id: str | None = None
    probe: Rowset | None = None
    is_running: bool | None = None
    rest_trouble: str = ""
    rowset: Rowset | None = None


class Definition(Struct, frozen=True, kw_only=True):
    """A query definition of ours that the sweep found; ``created_at`` is None when it cannot be read."""

    object_id: str
    customer_key: str
    created_at: datetime | None


class Batch(Struct, frozen=True, kw_only=True):
    """What one step of a pass brought; ids are those of runs.

    Attributes:
        canceled: have an open poll though they were cancelled.
        stillborn: wait for a start that was given up.
        stuck: run without an open poll.
        spent: have used up their time or their polls.
        waiting: may be started, the oldest first.
        outlived: their data extension has been kept long enough.
        definitions: what a sweep found; None without one.
    """

    token: Token | None = None
    holds: list[Hold] = []
    canceled: list[str] = []
    stillborn: list[str] = []
    stuck: list[str] = []
    spent: list[str] = []
    waiting: list[str] = []
    outlived: list[str] = []
    readings: list[Reading] = []
    definitions: list[Definition] | None = None


# decisions


class KeepToken(Struct, frozen=True, kw_only=True, tag=True):
    """Keep a token for later passes."""

    token: Token
    reason: str


class HoldUpstream(Struct, frozen=True, kw_only=True, tag=True):
    """Leave an upstream alone for a while."""

    hold: Hold
    reason: str


class StartRun(Struct, frozen=True, kw_only=True, tag=True):
    """Create and start the definition of a run."""

    run_id: str
    reason: str


class ResumePolling(Struct, frozen=True, kw_only=True, tag=True):
    """Rebuild the poll state of a run that nobody asks about; it is due at once."""

    run_id: str
    started_at: datetime
    reason: str


class CloseRun(Struct, frozen=True, kw_only=True, tag=True):
    """Stop polling a run that was cancelled, and clean up after it."""

    run_id: str
    reason: str


class PollAgain(Struct, frozen=True, kw_only=True, tag=True):
    """The poll state that a run has after a poll without an end."""

    run_id: str
    poll_count: int
    next_poll_at: datetime
    object_id: str | None
    first_false_at: datetime | None
    confirmations: int
    rowset_attempts: int
    probed_at: datetime | None
    counts: dict[str, int]
    reason: str


class FinishRun(Struct, frozen=True, kw_only=True, tag=True):
    """The rows of a run can be read."""

    run_id: str
    poll_count: int
    row_count: int
    object_id: str | None
    counts: dict[str, int]
    reason: str


class FailRun(Struct, frozen=True, kw_only=True, tag=True):
    """A run came to a bad end."""

    run_id: str
    poll_count: int
    message: str
    object_id: str | None
    counts: dict[str, int]
    reason: str


class DeleteDefinition(Struct, frozen=True, kw_only=True, tag=True):
    """Delete a definition that nobody needs any more."""

    object_id: str
    customer_key: str
    reason: str


class DeleteTarget(Struct, frozen=True, kw_only=True, tag=True):
    """Delete the data extension that a run made for itself."""

    run_id: str
    reason: str


class NoteSweep(Struct, frozen=True, kw_only=True, tag=True):
    """Remember that definitions were swept."""

    found: int
    reason: str


Decision = (
    KeepToken
    | HoldUpstream
    | StartRun
    | ResumePolling
    | CloseRun
    | PollAgain
    | FinishRun
    | FailRun
    | DeleteDefinition
    | DeleteTarget
    | NoteSweep
)


def new_key() -> str:
    """The customer key of a new run: 36 characters, as many as there may be."""
    return KEY_PREFIX + secrets.token_hex(14)


def in_words(duration: timedelta) -> str:
    """A duration in words: ``29 minutes``, ``90 seconds``, ``1 hour``."""
    number, unit = duration.total_seconds(), "second"
    for name, size in (("hour", 3600), ("minute", 60)):
        if number >= size and number % size == 0:
            number, unit = number / size, name
            break
    return f"{number:g} {unit}{'' if number == 1 else 's'}"
