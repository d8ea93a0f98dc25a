"""Processes that run side by side, each in a group of its own that ends with it or is killed in time."""

from __future__ import annotations

import errno
import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from pollctl import signals
from pollctl.supervision.forking import Streams, can_fork
from pollctl.supervision.starting import Command, Forked, Process, Spawned, Start, Task, started

_SCARCE = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
_CHUNK = 65_536
_CHUNKS_AT_ONCE = 16  # one that never stops talking must not keep us from looking at the clock
_LONGEST_POLL_S = 60.0


class Exit(NamedTuple):
    """How a process ended.

    Attributes:
        code: its exit code, or minus the number of the signal that ended it.
        report: all that it wrote to the descriptor of its report.
        is_overdue: whether it was killed for living longer than it may.
        not_started: why it could not be started at all.
    """

    task: Task
    code: int
    report: bytes = b""
    is_overdue: bool = False
    not_started: str = ""


class Children:
    """Runs tasks and passes on the signals that ask for the end.

    Args:
        on_line: called with the name of a task and each line of what it prints, stdout and stderr alike, as they come.
        command: what a process of its own does with the words of its task: where it can be, each begins as a copy of this
            process that calls it; where not, or without, as an interpreter that is started anew.

    Attributes:
        ended_by: the first signal that asked for the end, SIGHUP taken as SIGTERM; 0 if there was none.
    """

    def __init__(self, on_line: Callable[[str, str], None], command: Command | None = None) -> None:
        self.ended_by = 0
        self._command = command
        self._on_line = on_line
        self._running: list[_Child] = []

    def run(self, tasks: Sequence[Task]) -> Iterator[Exit]:
        """Run tasks to their end, all at once as far as the system allows; yields each as it ends.

        After a signal none is started any more, and those that run are waited for.
        """
        waiting = deque(tasks)
        with signals.caught() as self._signal_fd:
            while self._running or (waiting and not self.ended_by):
                yield from self._start(waiting)
                self._wait(self._signal_fd)
                yield from self._reap()

    def _start(self, waiting: deque[Task]) -> Iterator[Exit]:
        while waiting and not self.ended_by:
            try:
                child = _Child(waiting[0], self._start_one)
            except OSError as error:
                if self._running and error.errno in _SCARCE:
                    return  # when one of those has ended there is room again
                yield Exit(waiting.popleft(), 1, not_started=error.strerror or str(error))
                continue
            waiting.popleft()
            self._running.append(child)

    def _start_one(self, task: Task, streams: Streams, readers: Sequence[int]) -> Process:
        words = [*task.words, str(streams.report)]
        if self._command is None or not can_fork():
            return Spawned(words, task.environ, streams)
        ours = [descriptor for child in self._running for descriptor in child.descriptors]
        return Forked(partial(self._command, words), task.environ, streams, [*ours, *readers, self._signal_fd])

    def _wait(self, signal_fd: int) -> None:
        """Wait until something happens, and take in what the children say."""
        if not self._running:
            return
        poll = select.poll()
        poll.register(signal_fd, select.POLLIN)
        for child in self._running:
            for descriptor in child.open_pipes:
                poll.register(descriptor, select.POLLIN)
        first = min(child.kill_at for child in self._running) - time.monotonic()
        poll.poll(max(0.0, min(first, _LONGEST_POLL_S)) * 1000 + 1)
        self._forward(signal_fd)
        for child in self._running:
            child.take_in(self._on_line)
            if time.monotonic() >= child.kill_at and not child.has_ended():  # it may be we who were stopped meanwhile
                child.kill()

    def _forward(self, signal_fd: int) -> None:
        with suppress(BlockingIOError):
            for number in os.read(signal_fd, _CHUNK):
                if number == signal.SIGCHLD:
                    continue
                passed_on = signal.SIGTERM if number == signal.SIGHUP else number
                self.ended_by = self.ended_by or passed_on
                for child in self._running:
                    child.ask_to_end(passed_on)

    def _reap(self) -> Iterator[Exit]:
        for child in [child for child in self._running if child.has_ended()]:
            self._running.remove(child)
            yield child.end(self._on_line)


class _Child:
    """One process and what it has said so far."""

    def __init__(self, task: Task, start: Start) -> None:
        self.task = task
        self._report, self._output, self.process = started(task, start)
        self.kill_at = time.monotonic() + task.limit_s
        self.open_pipes = {self._report, self._output}
        self._said = {self._report: bytearray(), self._output: bytearray()}
        self._is_overdue = False
        for descriptor in self.open_pipes:
            os.set_blocking(descriptor, False)

    @property
    def descriptors(self) -> tuple[int, int]:
        """Those that are open as long as it lives."""
        return self._report, self._output

    def take_in(self, on_line: Callable[[str, str], None]) -> None:
        """Read what is there, and tell the whole lines of what it prints."""
        for descriptor in list(self.open_pipes):
            with suppress(BlockingIOError):
                for _ in range(_CHUNKS_AT_ONCE):
                    chunk = os.read(descriptor, _CHUNK)
                    if not chunk:
                        self.open_pipes.remove(descriptor)
                        break
                    self._said[descriptor] += chunk
        self._tell(on_line)

    def ask_to_end(self, number: int) -> None:
        """Pass a signal on to the process; it is ours to reap, so its number cannot belong to another yet."""
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """End the process and all that it started, at once."""
        self._is_overdue = True
        self.kill_at = float("inf")
        self._kill_group()

    def has_ended(self) -> bool:
        """Whether the process has ended; it is left a zombie, so that nobody gets the number of its group."""
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def end(self, on_line: Callable[[str, str], None]) -> Exit:
        """Kill what the process has left behind, and say how it ended."""
        self._kill_group()
        self.take_in(on_line)
        self._said[self._output] += b"\n" if self._said[self._output] else b""
        self._tell(on_line)
        os.close(self._report)
        os.close(self._output)
        code = self.process.wait()
        was_hit = code == -signal.SIGKILL  # else it ended by itself at the last moment
        return Exit(self.task, code, bytes(self._said[self._report]), self._is_overdue and was_hit)

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _tell(self, on_line: Callable[[str, str], None]) -> None:
        *lines, rest = bytes(self._said[self._output]).split(b"\n")
        if len(rest) > _CHUNK:  # one line without end must not fill the memory
            lines, rest = [*lines, rest], b""
        self._said[self._output] = bytearray(rest)
        for line in lines:
            on_line(self.task.name, line.decode(errors="backslashreplace"))
