"""Settings and the frozen values that travel from fetch through decide to the database."""

from __future__ import annotations

from pollctl_shell_query.model.batch import Batch, Definition, Hold, PollResponse, Rowset, Token
from pollctl_shell_query.model.columns import Column, read_columns
from pollctl_shell_query.model.decisions import (
    CloseRun,
    Decision,
    DeleteDefinition,
    DeleteTarget,
    FailRun,
    FinishRun,
    HoldUpstream,
    KeepToken,
    NoteSweep,
    PollAgain,
    ResumePolling,
    StartRun,
)
from pollctl_shell_query.model.delivery import DeliveryResult
from pollctl_shell_query.model.runs import AUTH_FAILURES, KEY_PREFIX, Job, Mode, RunStatus, State
from pollctl_shell_query.model.settings import Settings

__all__ = [
    "AUTH_FAILURES",
    "KEY_PREFIX",
    "Batch",
    "CloseRun",
    "Column",
    "Decision",
    "Definition",
    "DeleteDefinition",
    "DeleteTarget",
    "DeliveryResult",
    "FailRun",
    "FinishRun",
    "Hold",
    "HoldUpstream",
    "Job",
    "KeepToken",
    "Mode",
    "NoteSweep",
    "PollAgain",
    "PollResponse",
    "ResumePolling",
    "Rowset",
    "RunStatus",
    "Settings",
    "StartRun",
    "State",
    "Token",
    "read_columns",
]
