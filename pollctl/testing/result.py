"""What one pass on a bench came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from pollctl.testing.internet import Message

Row = Mapping[str, Any]


class QueuedEffect(Struct, frozen=True, kw_only=True):
    """An effect that a pass queued, as it stands after the pass.

    Attributes:
        status: ``pending``, ``delivered``, ``unknown`` or ``dead``.
        error: of the last try, if one failed.
        result: what deliver answered.
    """

    kind: str
    key: str
    lane: str
    payload: Any
    status: str
    error: str | None = None
    result: Any = None


class Result(Struct, frozen=True, kw_only=True):
    """What a pass came to.

    Attributes:
        outcome: ``ok``, ``partial``, ``failed`` ...; ``killed`` of one that ``kill_at`` ended; empty where no pass came about, and
            *log* says why.
        decisions: of all its batches, of the plugin's own types.
        effects: those that it queued, in their order.
        messages: those that arrived while it ran.
        rows: of each table of the plugin, after the pass.
        stats: what the plugin counted.
        error: the message of what made it fail; empty where nothing did.
        log: what it wrote to stderr.
    """

    outcome: str
    decisions: Sequence[Any] = ()
    effects: Sequence[QueuedEffect] = ()
    messages: Sequence[Message] = ()
    rows: Mapping[str, Sequence[Row]] = {}
    stats: Mapping[str, int] = {}
    error: str = ""
    log: str = ""
