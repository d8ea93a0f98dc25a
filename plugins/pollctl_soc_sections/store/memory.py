"""What is remembered of a term and campus, as columns and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pollctl import from_text
from pollctl_soc_sections.model import HeldRun, Memory, Suspicion
from pollctl_soc_sections.store.moments import moment_or_none, text_or_none

COLUMNS = (
    "counts", "last_counted_at", "settled_hash", "suspect_first", "suspect_since", "suspect_polls", "listed_count",
    "ignored_count", "accepted_at", "accepted_digest", "ignores_campus", "held_since", "held_last_at", "held_seen",
    "failing_since", "doubted_since",
)  # fmt: skip
"""Of ``soc_campuses``."""
_INDEXES = 100_000


def memory_columns(memory: Memory) -> dict[str, Any]:
    """What ``soc_campuses`` holds of it, by column."""
    suspicion, held = memory.suspicion, memory.held
    values = (
        json.dumps(memory.counts),
        text_or_none(memory.last_counted_at),
        memory.settled_hash,
        " ".join(suspicion.first) if suspicion else None,
        text_or_none(suspicion.since) if suspicion else None,
        suspicion.polls if suspicion else 0,
        memory.listed,
        memory.ignored,
        text_or_none(memory.accepted_at),
        memory.accepted_digest,
        memory.ignores_campus,
        text_or_none(held.since) if held else None,
        text_or_none(held.last_at) if held else None,
        " ".join(held.seen) if held else None,
        text_or_none(memory.failing_since),
        text_or_none(memory.doubted_since),
    )
    return dict(zip(COLUMNS, values, strict=True))


def memory_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a memory from the columns that hold them."""
    return {
        "counts": json.loads(row["counts"]),
        "last_counted_at": moment_or_none(row["last_counted_at"]),
        "suspicion": _suspicion(row),
        "settled_hash": row["settled_hash"],
        "listed": row["listed_count"],
        "ignored": row["ignored_count"],
        "accepted_at": moment_or_none(row["accepted_at"]),
        "accepted_digest": row["accepted_digest"],
        "ignores_campus": bool(row["ignores_campus"]),
        "held": _held(row),
        "failing_since": moment_or_none(row["failing_since"]),
        "doubted_since": moment_or_none(row["doubted_since"]),
    }


def _suspicion(row: Mapping[str, Any]) -> Suspicion | None:
    since = row["suspect_since"]
    if since is None:
        return None
    return Suspicion(first=row["suspect_first"].split(), since=from_text(since), polls=row["suspect_polls"])


def _held(row: Mapping[str, Any]) -> HeldRun | None:
    since = row["held_since"]
    if since is None:
        return None
    return HeldRun(since=from_text(since), last_at=from_text(row["held_last_at"]), seen=row["held_seen"].split())


def pack(indexes: Iterable[str]) -> bytes:
    """Indexes as one bit each: a sixth of their text, written with each change of an answer."""
    bits = bytearray(_INDEXES // 8)
    for index in indexes:
        number = int(index)
        bits[number >> 3] |= 1 << (number & 7)
    return bytes(bits)


def shared(bits: bytes, indexes: Iterable[str]) -> int:
    """How many of some indexes are among those that were packed."""
    return sum(bits[number >> 3] >> (number & 7) & 1 for number in map(int, indexes))
