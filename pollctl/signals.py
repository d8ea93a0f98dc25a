"""Signals as something to wait for beside pipes, instead of handlers that interrupt anything."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Those that ask a process to end."""


@contextmanager
def caught() -> Iterator[int]:
    """Yield a descriptor from which the number of each signal that arrives can be read, a byte each.

    Only for the main thread. Signals that this process was started to ignore (``nohup``) stay ignored.
    """
    numbers = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = {number: signal.signal(number, _leave_to_reader) for number in (*numbers, signal.SIGCHLD)}
    woken = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


def as_at_start() -> None:
    """Take signals as Python does when it begins, in a copy of a process that catches them; what is ignored stays ignored."""
    os.close(signal.set_wakeup_fd(-1))
    for number in (*ENDING, signal.SIGCHLD):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def is_of_a_person(error: BaseException) -> bool:
    """Whether an error is Ctrl-C. A pass has handlers of its own, so that one raised there by a plugin is the plugin's."""
    if not isinstance(error, KeyboardInterrupt):
        return False
    return isinstance(error, Interrupted) or signal.getsignal(signal.SIGINT) is signal.default_int_handler


class Interrupted(KeyboardInterrupt):
    """A signal that asked for the end before the pass had begun."""


def name_of(number: int) -> str:
    """How people call a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _leave_to_reader(number: int, frame: FrameType | None) -> None:
    """Do nothing: Python has written the number to the pipe."""
