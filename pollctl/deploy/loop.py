"""What containers run in place of cron: ``due --run`` at each full minute, one at a time, until a signal asks for the end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from pollctl import clock, signals
from pollctl.console import log_format, warn

LONGEST_END_S = 5.0
"""How soon the loop has ended after a signal; runtimes of containers kill after ten seconds."""
_PATIENCE_S = 4.6  # probes in flight are cut after 4, and what they brought is committed then
_LOOK_EVERY_S = 1.0  # somebody may set the clock, or the machine may sleep
_MINUTE_S = 60

OnBeat = Callable[[], None]


def command(settings: Path | None) -> list[str]:
    """The words that run what is due by a settings file, in a form that the fast path knows."""
    file = ["--config", str(settings.absolute())] if settings else []
    # -P: a module that happens to lie in the present folder must not be taken for one of ours
    return [sys.executable, "-P", "-m", "pollctl", *file, *log_format.options(), "due", "--run"]


def run(command: Sequence[str], on_beat: OnBeat) -> None:
    """Run *command* at each full minute until SIGTERM, SIGINT or SIGHUP; each run is asked to end then, and waited for.

    None begins before the one before it has ended; what took longer than until the next full minute is followed at once.

    Args:
        command: the words of what is started; it gets our streams, but stdin, and a session of its own.
        on_beat: called at the beginning and whenever a run has ended.

    Raises:
        OSError: what *on_beat* raises at the beginning.
    """
    with signals.caught() as descriptor:
        Loop(command, on_beat, descriptor).run()


class Loop:
    """The run in flight, if there is one, and the minute in which the latest began.

    Args:
        command: as of `run`.
        on_beat: likewise.
        descriptor: where the numbers of signals can be read.
    """

    def __init__(self, command: Sequence[str], on_beat: OnBeat, descriptor: int) -> None:
        self._command = command
        self._on_beat = on_beat
        self._descriptor = descriptor
        self._tick: subprocess.Popen[bytes] | None = None
        self._minute = _minute()

    def run(self) -> None:
        """Go on until a signal asks for the end."""
        self._on_beat()
        while not (number := self._asked(_until_next_look())):
            if self._tick and self._tick.poll() is not None:
                self._tick = None
                self._beat()
            if not self._tick and _minute() != self._minute:  # also where the clock was set back
                self._minute = _minute()
                self._tick = self._started()
        self._end(number)

    def _beat(self) -> None:
        try:
            self._on_beat()
        except OSError as error:  # who watches the beat will act; those that are due must not wait for that
            warn(f"{error.filename}: {error.strerror}")

    def _started(self) -> subprocess.Popen[bytes] | None:
        """The next run; None where the system has no room for it, which the next minute may have."""
        environ = clock.environ_of_child()
        try:
            return subprocess.Popen(self._command, stdin=subprocess.DEVNULL, env=environ, start_new_session=True)
        except OSError as error:
            warn(f"what is due cannot be started: {error.strerror}")
            return None

    def _asked(self, seconds: float) -> int:
        """Wait for a signal; answers the first that asks for the end, or 0. The end of a run ends the wait, too."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.poll(max(0.0, seconds) * 1000)
        numbers = b""
        with suppress(BlockingIOError):
            numbers = os.read(self._descriptor, select.PIPE_BUF)
        return next((number for number in numbers if number != signal.SIGCHLD), 0)

    def _end(self, number: int) -> None:
        """Have the run in flight end: asked, then told by Ctrl-C, which ends passes at once, then killed."""
        give_up_at = time.monotonic() + LONGEST_END_S
        if not self._ended(number, give_up_at - LONGEST_END_S + _PATIENCE_S):
            self._ended(signal.SIGINT, give_up_at)
        if self._tick:
            self._tick.kill()
            self._tick.wait()

    def _ended(self, number: int, until: float) -> bool:
        """Whether the run ends in time when it gets a signal, and any that comes meanwhile."""
        while self._tick and self._tick.poll() is None:
            if number:
                self._tick.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)
            if (left := until - time.monotonic()) <= 0:
                return False
            number = self._asked(left)
        return True


def _minute() -> int:
    return int(clock.reading().timestamp() // _MINUTE_S)


def _until_next_look() -> float:
    return min(_LOOK_EVERY_S, _MINUTE_S - clock.reading().timestamp() % _MINUTE_S)
