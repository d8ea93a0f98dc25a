"""Settings and the frozen values that travel from fetch through decide to the database."""

from __future__ import annotations

from pollctl_stockx_ops.model.accounts import Account, AccountStatus, Expired, Login, Tokens
from pollctl_stockx_ops.model.batch import Batch, Day, Hold, Pace, Response
from pollctl_stockx_ops.model.decisions import (
    BreakAccount,
    CompleteJob,
    Decision,
    ExpireAccount,
    FailJob,
    HoldUpstream,
    KeepPace,
    KeepTokens,
    ListingChange,
    PostponeJob,
    SummariseDay,
)
from pollctl_stockx_ops.model.jobs import (
    COUNTERS,
    LISTING_STATUS,
    OPEN_STATUSES,
    TYPES_THAT_GO_LIVE,
    DueJob,
    Job,
    JobStatus,
    NewJob,
)
from pollctl_stockx_ops.model.settings import OPERATION_STATUS, Dialect, News, OperationStatus, Settings
from pollctl_stockx_ops.model.state import DayCounts, State

__all__ = [
    "COUNTERS",
    "LISTING_STATUS",
    "OPEN_STATUSES",
    "OPERATION_STATUS",
    "TYPES_THAT_GO_LIVE",
    "Account",
    "AccountStatus",
    "Batch",
    "BreakAccount",
    "CompleteJob",
    "Day",
    "DayCounts",
    "Decision",
    "Dialect",
    "DueJob",
    "ExpireAccount",
    "Expired",
    "FailJob",
    "Hold",
    "HoldUpstream",
    "Job",
    "JobStatus",
    "KeepPace",
    "KeepTokens",
    "ListingChange",
    "Login",
    "NewJob",
    "News",
    "OperationStatus",
    "Pace",
    "PostponeJob",
    "Response",
    "Settings",
    "State",
    "SummariseDay",
    "Tokens",
]
