"""The rows that ``decide`` needs for one batch."""

from __future__ import annotations

from msgspec import Struct

from pollctl_stockx_ops.model.accounts import Account
from pollctl_stockx_ops.model.jobs import Job


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
