"""Names resolved by threads of our own: libcurl has twenty for that at most, and waits at its end for those that hang."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from pollctl.concurrency.daemon_executor import DaemonExecutor
from pollctl.http.connecting import addresses_of

MOST_AT_ONCE = 64
Key = tuple[str, int]
"""Host and port."""


class Resolved(NamedTuple):
    """Where a name leads, with the address that answered first in front; or why nowhere."""

    addresses: tuple[str, ...] = ()
    took_ms: float = 0.0
    error: BaseException | None = None


class Names:
    """What names were found to stand for in one pass."""

    def __init__(self) -> None:
        self._known: dict[Key, Resolved] = {}
        self._waiting: dict[Key, list[Callable[[Resolved], None]]] = {}
        self._threads = DaemonExecutor(MOST_AT_ONCE)

    def known(self, key: Key) -> Resolved | None:
        """What was found before."""
        return self._known.get(key)

    def look_up(
        self, key: Key, until: float, then: Callable[[Resolved], None], hand_over: Callable[[Callable[[], None]], None]
    ) -> None:
        """Have *then* called with what is found; a name that several ask for is looked up once.

        Args:
            key: host and port.
            until: the moment of ``time.monotonic`` by which one of several addresses must answer.
            then: takes what is found.
            hand_over: has something done in the thread that all other calls come from.

        Raises:
            MachineError: no thread can be started.
        """
        waiting = self._waiting.setdefault(key, [])
        waiting.append(then)
        if len(waiting) > 1:
            return

        def find() -> None:
            found = _found(key, until)
            hand_over(lambda: self._take(key, found))

        try:
            self._threads.submit(find)
        except BaseException:
            del self._waiting[key]
            raise

    def close(self) -> None:
        """Wait for nothing."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _take(self, key: Key, found: Resolved) -> None:
        if found.error is None:
            self._known[key] = found._replace(took_ms=0.0)
        for then in self._waiting.pop(key):
            then(found)


def _found(key: Key, until: float) -> Resolved:
    began = time.monotonic()
    try:
        addresses = addresses_of(*key, timeout=max(0.0, until - began))
    except Exception as error:  # noqa: BLE001 - the exchange says it
        return Resolved(error=error)
    return Resolved(tuple(addresses), (time.monotonic() - began) * 1000)
