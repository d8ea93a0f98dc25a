"""Runs, and what a pass reads of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

RunStatus = Literal["queued", "running", "ready", "failed", "canceled"]
Mode = Literal["Overwrite", "Append", "Update"]

KEY_PREFIX = "pollctl_"
"""How the customer key of every definition and data extension of ours begins."""
AUTH_FAILURES = 3
"""How often in a row a fresh token must be refused too, until a run has failed: a refusal comes and goes."""


class Job(Struct, frozen=True, kw_only=True):
    """A run with its poll state, as far as the rules look at it.

    Attributes:
        is_own_target: whether this run created its data extension.
        object_id: the query definition upstream; None when it is not known.
        started_at: T0, the moment from which its age counts; None before its start.
        is_polled: whether its poll state is open.
        first_false_at: when REST first said that it is not running.
        confirmations: how often REST has said so by now, far enough apart.
        rowset_attempts: how often the rowset could not be read; more than 0 means that only the rowset is asked for.
        probed_at: when its target was last looked through for a first row.
        auth_failures: in how many polls in a row a fresh token was refused too.
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
    auth_failures: int = 0

    def age(self, now: datetime) -> timedelta:
        """How long ago it was started."""
        return now - (self.started_at or now)


class State(Struct, frozen=True, kw_only=True):
    """The rows that one batch needs.

    Attributes:
        jobs: by id.
        active: how many runs are running or on their way to it.
        failed_starts: queued runs whose start was given up, with the reason.
        needed_keys: customer keys of definitions that a run still needs.
        expired_targets: runs whose own data extension is still there, though it has been kept long enough.
    """

    jobs: dict[str, Job] = {}
    active: int = 0
    failed_starts: dict[str, str] = {}
    needed_keys: list[str] = []
    expired_targets: list[str] = []
