"""What one step of a pass fetched.

Some fields have another name in JSON: that of the recordings of earlier versions, which ``pollctl replay`` still reads.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from pollctl_stockx_ops.model.accounts import Expired, Tokens


class Response(Struct, frozen=True, kw_only=True):
    """What the upstream answered about one job.

    Attributes:
        attempt: of the job, when it was asked about.
        connection: of the account, when it was asked for.
        status: of the HTTP answer; 0 without one.
        error: why the answer cannot be used; empty for one of status 2xx that is understood.
        word: the upstream's word for the status of the operation.
        amount: asking price in the API's own whole units.
        unread: what beside the word could not be read, and is left as it was.
        is_singled_out: whether in the same round another request was answered otherwise; only looked at with a 403.
        retry_after_s: how long the upstream wants no request, counted from the pass' ``now``.
    """

    job_id: str
    attempt: int
    connection: int
    status: int
    error: str = field(default="", name="trouble")
    word: str = ""
    error_code: str | None = None
    error_message: str | None = None
    listing_id: str | None = None
    amount: int | None = None
    currency_code: str | None = None
    expires_at: datetime | None = None
    unread: list[str] = []
    is_singled_out: bool = False
    retry_after_s: float | None = None


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
    """When the latest request started, so that the next pass keeps the rate; the row of ``stockx_pace``.

    Attributes:
        boot_id: of the machine's start, which ``last_start`` counts from.
        last_start: seconds of the system's monotonic clock; None while a pass is asking, or was cut off: then the
            moment is unknown, and counts as just now.
    """

    boot_id: str
    last_start: float | None


class Batch(Struct, frozen=True, kw_only=True):
    """What one step of a pass fetched.

    Attributes:
        overdue: ids of jobs that may have run out of time.
        day: yesterday, if it has not been summed up yet.
    """

    overdue: list[str] = []
    responses: list[Response] = field(default_factory=list, name="replies")
    tokens: list[Tokens] = []
    expired: list[Expired] = []
    holds: list[Hold] = []
    day: Day | None = None
    pace: Pace | None = None
