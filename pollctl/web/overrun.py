"""What SQLite does not end: within one function of SQL, such as ``instr``, it does not ask whether it should."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_LIMIT_S = 2.5
"""Five times what a statement has; passes wait for the database four times as long."""


class Overrun:
    """Whether what runs has gone on for too long. One thread runs it, another may ask."""

    def __init__(self) -> None:
        self._ends_at: float | None = None

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the time of the block."""
        self._ends_at = time.monotonic() + _LIMIT_S
        try:
            yield
        finally:
            self._ends_at = None

    def is_there(self) -> bool:
        """Whether it has."""
        ends_at = self._ends_at
        return ends_at is not None and time.monotonic() > ends_at
