"""How long to wait for a database that another program has locked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

BUSY_TIMEOUT_S = 10.0
_ends: list[float] = []


@contextmanager
def patient_for(seconds: float) -> Iterator[None]:
    """Let all that opens the database in the block wait so long together, not each by itself."""
    _ends.append(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.pop()


def patience() -> float:
    """Seconds that a connection that is opened now waits for a lock."""
    if not _ends:
        return BUSY_TIMEOUT_S
    return min(BUSY_TIMEOUT_S, max(0.0, _ends[-1] - time.monotonic()))
