"""The end of what does not end by itself, and of a pass whose supervisor is gone."""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache

from pollctl.concurrency.threads import no_thread, start_daemon

SUPERVISOR = "POLLCTL_SUPERVISOR"
"""Environment variable in which a supervisor gives its process id to those that it starts."""

_LOOK_EVERY_S = 1.0
_LONGEST_S = 365 * 86400.0  # what faulthandler and locks can count
_STDERR = 2


@contextmanager
def watchdog(
    limit: timedelta,
    message: str,
    *,
    suspect_after: timedelta | None = None,
    on_suspicion: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """End this process with exit code 1 when the block takes longer than *limit*.

    A daemon thread does it, with one line on stderr; should something hold the interpreter's lock, faulthandler
    does it a second later, with the tracebacks of all threads. When the supervisor that started this process is
    gone, the process gets SIGTERM, as if it had passed one on. Blocks must not be nested.

    Args:
        limit: how long the block may take.
        message: the line, without newline.
        suspect_after: how long the block may take before it seems to hang: a supervisor may kill this process before *limit*.
        on_suspicion: called then, in the thread.

    Raises:
        MachineError: no thread can be started.
    """
    seconds = min(limit.total_seconds(), _LONGEST_S)
    is_done = threading.Event()
    now = time.monotonic()
    suspicion = _Suspicion(now + min(suspect_after or limit, limit).total_seconds(), on_suspicion)
    watcher = start_daemon(_watch, is_done, now + seconds, message, _supervisor(), suspicion, name="watchdog")
    try:
        _set_backstop(seconds + 1)
        yield
    finally:
        is_done.set()
        faulthandler.cancel_dump_traceback_later()
        watcher.join(_LOOK_EVERY_S)  # the next block may need the one thread that there is


def _set_backstop(seconds: float) -> None:
    try:
        faulthandler.dump_traceback_later(seconds, exit=True, file=_STDERR)
    except RuntimeError as error:
        raise no_thread(error) from error


class _Suspicion:
    """What is done once when a block seems to hang."""

    def __init__(self, at: float, act: Callable[[], None]) -> None:
        self._at = at
        self._act = act
        self._is_over = False

    def look(self) -> float:
        """Act if it is time; answers in how many seconds to look again."""
        if self._is_over:
            return _LOOK_EVERY_S
        remaining = self._at - time.monotonic()
        if remaining <= 0:
            self._is_over = True
            self._act()
        return max(0.0, min(remaining, _LOOK_EVERY_S))


def _watch(is_done: threading.Event, end_at: float, message: str, supervisor: str, suspicion: _Suspicion) -> None:
    while (remaining := end_at - time.monotonic()) > 0:
        look_again_in = suspicion.look()
        if supervisor not in ("", str(os.getppid())):
            supervisor = ""
            os.kill(os.getpid(), signal.SIGTERM)
        if is_done.wait(min(remaining, look_again_in)):
            return
    if is_done.is_set():  # while the whole process was stopped
        return
    try:
        os.write(_STDERR, f"pollctl: {message}\n".encode(errors="backslashreplace"))
    finally:
        os._exit(1)


@cache
def _supervisor() -> str:
    """The process id of our supervisor; taken out of the environment, as what we start has us for a parent."""
    return os.environ.pop(SUPERVISOR, "")


def begin_again() -> None:
    """Look for the supervisor anew: this process is a copy of it."""
    _supervisor.cache_clear()
