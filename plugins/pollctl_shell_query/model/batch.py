"""What fetch learns from the upstream and from the database, as decide gets it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pollctl import Secret


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
    """The answer to a request for rows: their number, or why it is not known."""

    count: int | None = None
    error: str = ""
    retry_after_s: float | None = None


class PollResponse(Struct, frozen=True, kw_only=True):
    """What the upstream answered about one run in one poll; None is what was not asked.

    Attributes:
        poll_count: of the run when it was asked about.
        request_error: why the status is not known.
        retry_after_s: how long no request is wanted, counted from the round's ``now``.
        is_token_refused: whether a fresh token was refused too.
        status: the upstream's word for it; ``error_message`` is its ErrorMsg.
        object_id: found by the customer key, because it was not known.
        probe: a look for a first row in the run's own target.
        is_running: REST's answer; ``rest_error`` is why there is none.
        rowset: the rows of a query that has ended.
    """

    run_id: str
    poll_count: int
    request_error: str = ""
    retry_after_s: float | None = None
    is_token_refused: bool = False
    status: str = ""
    error_message: str = ""
    has_completed_date: bool = False
    object_id: str | None = None
    probe: Rowset | None = None
    is_running: bool | None = None
    rest_error: str = ""
    rowset: Rowset | None = None


class Definition(Struct, frozen=True, kw_only=True):
    """A query definition of ours that the sweep found; ``created_at`` is None when it cannot be read."""

    object_id: str
    customer_key: str
    created_at: datetime | None


class Batch(Struct, frozen=True, kw_only=True):
    """What one step of a pass learned; ids are those of runs.

    Attributes:
        canceled: have an open poll though they were cancelled.
        failed_starts: are queued, and their start was given up.
        unpolled: were started, and have no open poll.
        exhausted: have used up their time or their polls.
        waiting: may be started, the oldest first.
        expired_targets: their own data extension has been kept long enough.
        definitions: what a sweep found; None without one.
    """

    token: Token | None = None
    holds: list[Hold] = []
    canceled: list[str] = []
    failed_starts: list[str] = []
    unpolled: list[str] = []
    exhausted: list[str] = []
    waiting: list[str] = []
    expired_targets: list[str] = []
    responses: list[PollResponse] = []
    definitions: list[Definition] | None = None
