"""What decide can decide; names and fields are those that ``pollctl plan --json`` prints."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pollctl_shell_query.model.batch import Hold, Token


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
    """Rebuild the poll state of a run that has no open poll; it is due at once."""

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
    auth_failures: int = 0


class FinishRun(Struct, frozen=True, kw_only=True, tag=True):
    """The rows of a run can be read."""

    run_id: str
    poll_count: int
    row_count: int
    object_id: str | None
    counts: dict[str, int]
    reason: str


class FailRun(Struct, frozen=True, kw_only=True, tag=True):
    """A run has failed."""

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
