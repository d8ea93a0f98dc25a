"""What deliver returns and settle records."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from pollctl_shell_query.model.batch import Hold, Token


class DeliveryResult(Struct, frozen=True, kw_only=True):
    """What became of an effect.

    Attributes:
        outcome: ``skipped``: the run was cancelled before. ``postponed``: it was not asked for, as there was no token, or the
            upstream wants no request now; the run waits again.
        may_exist: whether a definition may be upstream that nobody needs.
        token, holds: what later passes must know.
    """

    outcome: Literal["started", "failed", "skipped", "postponed", "deleted"]
    object_id: str | None = None
    task_id: str | None = None
    message: str = ""
    may_exist: bool = False
    token: Token | None = None
    holds: list[Hold] = []
