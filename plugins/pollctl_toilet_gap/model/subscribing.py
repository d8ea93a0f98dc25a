"""What delivering the effect ``subscribe`` hands to settle."""

from __future__ import annotations

from msgspec import Struct, field


class SubscribeResult(Struct, frozen=True, kw_only=True):
    """How an attempt to subscribe ended; a failed one is a result, too.

    Attributes:
        id: of the subscription; None if none was made.
        error: why none was made.
        is_uncertain: whether a subscription may exist whose id was lost.
    """

    id: str | None = None
    error: str | None = field(default=None, name="trouble")
    is_uncertain: bool = False
