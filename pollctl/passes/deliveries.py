"""The deliveries of a pass, each in a thread: whether anything went out in it, and what a plugin may not do there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pollctl.api.run import T
from pollctl.errors import MisuseError


class Delivery:
    """The delivery of one effect: ``has_begun`` once a request or message of it may have gone out."""

    def __init__(self) -> None:
        self.has_begun = False


class Deliveries:
    """The deliveries of one pass, of which each thread makes one at a time."""

    def __init__(self) -> None:
        self._in_this_thread = threading.local()

    @contextmanager
    def delivering(self) -> Iterator[Delivery]:
        """While the plugin delivers one effect in this thread, note whether anything was sent for it."""
        self._in_this_thread.delivery = delivery = Delivery()
        try:
            yield delivery
        finally:
            del self._in_this_thread.delivery

    def refuse(self, what: str) -> None:
        """Refuse what no delivery may do.

        Raises:
            MisuseError: this thread delivers.
        """
        if hasattr(self._in_this_thread, "delivery"):
            raise MisuseError(
                f"run.{what} in deliver: what it queues would belong to no transaction; call it in settle"
            )

    def note_begin(self) -> None:
        """Note that something may have gone out, if this thread delivers."""
        delivery = getattr(self._in_this_thread, "delivery", None)
        if delivery:
            delivery.has_begun = True

    def noting_begin(self, values: Iterator[T]) -> Iterator[T]:
        """Hand on values, each of which shows that something went out."""
        for value in values:
            self.note_begin()
            yield value
