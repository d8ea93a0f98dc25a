"""Jobs: how they are tracked, chosen and judged."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct

JobStatus = Literal["PENDING", "IN_PROGRESS", "COMPLETED", "FAILED", "PARTIAL"]

OPEN_STATUSES = ("PENDING", "IN_PROGRESS")
LISTING_STATUS = {
    "create_listing": "ACTIVE",
    "update_listing": "ACTIVE",
    "activate_listing": "ACTIVE",
    "deactivate_listing": "INACTIVE",
    "delete_listing": "DELETED",
}
"""What a completed job makes of its listing, by type of job; any other type leaves listings alone."""
TYPES_THAT_GO_LIVE = ("create_listing", "activate_listing")
"""Types of jobs that put a listing on the market."""
COUNTERS = ("completed", "failed", "timed_out", "partial", "in_progress", "rate_limited")
"""What can become of a job in a pass; ``processed`` is their sum."""


class NewJob(Struct, frozen=True, kw_only=True):
    """A job as ``track`` adds it."""

    operation_id: str
    user_id: str
    job_type: str
    listing_id: str | None


class DueJob(NamedTuple):
    """A job whose operation is to be asked about."""

    job_id: str
    attempt: int
    user_id: str
    operation_id: str
    listing_id: str | None
    started_at: str
    next_poll_at: str | None = None


class Job(Struct, frozen=True, kw_only=True):
    """One row of ``stockx_batch_jobs``, as far as the rules look at it.

    Attributes:
        attempt: 1, and one more with every ``retry``.
        asked_at: the last moment at which the upstream said how the operation stands.
        forbidden_count: answers 403 in a row that count against it.
        forbidden_since: the moment of the first of them.
    """

    id: str
    user_id: str
    job_type: str
    status: JobStatus
    operation_id: str
    listing_id: str | None
    started_at: datetime
    attempt: int
    asked_at: datetime | None = None
    forbidden_count: int = 0
    forbidden_since: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether its operation has not come to an end yet."""
        return self.status in OPEN_STATUSES
