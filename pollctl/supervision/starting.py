"""How the process of a pass is started: as a copy of this one, or as an interpreter of its own, with the same pipes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple, Protocol

from pollctl.supervision.forking import Life, Streams, forked

Command = Callable[[Sequence[str]], int]
"""Carries out the words of a command line; answers the exit code."""


class Task(NamedTuple):
    """What is to be run: under which name, how, and how many seconds it may live.

    Attributes:
        words: those of the command line of pollctl; the number of the descriptor that takes the report comes after them.
    """

    name: str
    words: Sequence[str]
    environ: Mapping[str, str]
    limit_s: float


class Process(Protocol):
    """A process that was started, the leader of a group of its own."""

    pid: int

    def wait(self) -> int:
        """Take it away; its exit code, or minus the number of the signal that ended it."""


Start = Callable[[Task, Streams, Sequence[int]], Process]
"""Starts a process for a task, with its ends of its pipes, and without ours."""


class Spawned:
    """An interpreter of its own."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], streams: Streams) -> None:
        self._popen = subprocess.Popen(
            # -P: a module that happens to lie in the present folder must not be taken for one of ours
            [sys.executable, "-P", "-m", "pollctl", *words],
            stdin=subprocess.DEVNULL,
            stdout=streams.output,
            stderr=streams.output,
            env=dict(environ),
            pass_fds=(streams.report,),
            start_new_session=True,
        )
        self.pid = self._popen.pid

    def wait(self) -> int:
        """Take it away; its exit code."""
        return self._popen.wait()


class Forked:
    """A copy of this process."""

    def __init__(self, life: Life, environ: Mapping[str, str], streams: Streams, not_theirs: Sequence[int]) -> None:
        self.pid = forked(life, environ, streams, not_theirs)

    def wait(self) -> int:
        """Take it away; its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def started(task: Task, start: Start) -> tuple[int, int, Process]:
    """Start a process; answers the descriptors to read its report and its output from, and the process.

    The report has a pipe of its own: what code of plugins prints, at exit too, cannot get into it.
    """
    with ExitStack() as ours, ExitStack() as theirs:
        (report, report_to), (output, output_to) = (_pipe(ours, theirs) for _ in range(2))
        process = start(task, Streams(output_to, report_to), (report, output))
        ours.pop_all()
    return report, output, process


def _pipe(ours: ExitStack, theirs: ExitStack) -> tuple[int, int]:
    """A pipe whose ends are closed with these."""
    reader, writer = os.pipe()
    ours.callback(os.close, reader)
    theirs.callback(os.close, writer)
    return reader, writer
