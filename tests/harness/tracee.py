"""A process that is watched through ptrace(2), system call by system call, over all its threads, and killed before any of them.

strace cannot do this: it counts the calls of each thread by itself.

Most calls of a pass look, map and wait. Whoever is killed before such a *silent* call leaves behind exactly what he leaves behind
when killed before the next call that is not silent, so that killing before each of the others, the *telling* ones, shows all
there is to see.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple, Protocol

_SEIZE, _SYSCALL, _SYSCALL_INFO = 0x4206, 24, 0x420E
_EVERYTHING = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x100000  # SYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL
_OF_THIS_THREAD = 0x40000000 | 0x20000000  # __WALL | __WNOTHREAD
_SYSCALL_STOP = signal.SIGTRAP | 0x80
_ENTRY = 1
_POKE, _RESULT_AT, _NUMBER_AT, _NO_CALL = 6, 10 * 8, 15 * 8, 2**64 - 1  # sys/user.h: rax, orig_rax
_INFO = struct.Struct("=B3xIQQQ6Q")  # linux/ptrace.h: op, arch, instruction pointer, stack pointer, number, arguments
_X86_64 = 0xC000003E
_FLOCK, _OPENAT = 73, 257
_SILENT = frozenset({
    0, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 21, 24, 25, 28, 32, 33, 39, 63, 72, 79, 89, 96, 97, 99, 102, 104,
    107, 108, 110, 131, 158, 186, 202, 204, 217, 218, 228, 229, 257, 262, 267, 273, 292, 302, 318, 332, 334, 439,
})  # fmt: skip
"""Numbers on x86-64 of calls that nobody else can notice.

Reading, looking (stat, lseek, getdents, readlink, access), mapping, signals' masks, ids, clocks, waiting for another thread, dup,
ioctl on files; close and fcntl, whose locks end with the process anyway; openat, unless it creates or cuts off a file.
"""
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class Call(NamedTuple):
    """One system call: its number on x86-64, and its first arguments."""

    number: int
    first: int = 0
    second: int = 0
    third: int = 0

    @property
    def is_telling(self) -> bool:
        """Whether anybody outside the process can notice it."""
        if self.number == _OPENAT:
            return bool(self.third & (os.O_CREAT | os.O_TRUNC))
        return self.number not in _SILENT


Meddle = Callable[[int, Call | None], None]
"""Is told of a thread and the call that it is about to make, or None when it comes back from one."""


class Watched(NamedTuple):
    """How a watched process ended.

    Attributes:
        code: as of subprocess; -9 when it was killed.
        calls: those that its threads made after the lock, in order; before the last one it was killed, if it was.
        stderr: what it complained of.
    """

    code: int
    calls: Sequence[Call]
    stderr: str

    @property
    def telling(self) -> list[Call]:
        return [call for call in self.calls if call.is_telling]


class Waiting(Protocol):
    """A process that does nothing until it is let go."""

    pid: int

    def go(self) -> None:
        """Let it begin."""

    def wait(self) -> int:
        """Its exit code, once it has ended and whoever watched it has seen that."""


def watch(
    begin: Callable[[int], Waiting],
    lock: Path,
    *,
    kill_before: int = 0,
    among_all: bool = False,
    meddle: Meddle | None = None,
) -> Watched:
    """Let a process run to its end, or kill it before a system call.

    Args:
        begin: answers the process, whose stderr is the descriptor that it is given.
        lock: counting begins when this file is locked.
        kill_before: which telling call it does not live to make, from 1; 0: none.
        among_all: count silent calls as well.
        meddle: is told of every call after the lock, and may spoil it.
    """
    with TemporaryFile() as stderr:
        process = begin(stderr.fileno())
        _ptrace(_SEIZE, process.pid, _EVERYTHING)
        process.go()
        watching = _Watching(lock, kill_before, among_all=among_all, meddle=meddle)
        code = _follow(process.pid, watching)
        process.wait()
        stderr.seek(0)
        return Watched(code, watching.calls, stderr.read().decode())


def _follow(leader: int, watching: _Watching) -> int:
    """Let all threads run from call to call, until the process ends; answers its exit code."""
    while True:
        tid, status = os.waitpid(-1, _OF_THIS_THREAD)
        if not os.WIFSTOPPED(status):
            if tid == leader:
                return os.waitstatus_to_exitcode(status)
            continue
        number = os.WSTOPSIG(status)
        if number != _SYSCALL_STOP:
            _ptrace(_SYSCALL, tid, 0 if status >> 16 else number)  # an event of ptrace itself is no signal
        elif watching.is_last(tid, _entered(tid)):
            os.kill(leader, signal.SIGKILL)
        else:
            _ptrace(_SYSCALL, tid, 0)


class _Watching:
    """Finds the lock, keeps the calls after it, and knows the last."""

    def __init__(self, lock: Path, kill_before: int, *, among_all: bool, meddle: Meddle | None) -> None:
        self.calls: list[Call] = []
        self._meddle = meddle
        self._lock, self._left, self._among_all = lock, kill_before or -1, among_all
        self._is_locking = self._is_locked = False

    def is_last(self, tid: int, call: Call | None) -> bool:
        """Whether a thread must not live to make this call; None is one that it has just made."""
        if self._is_locked and self._meddle:
            self._meddle(tid, call)
        if call is None:
            self._is_locked = self._is_locked or self._is_locking
            return False
        if not self._is_locked:
            if call.number == _FLOCK:
                self._is_locking = Path(f"/proc/{tid}/fd/{call.first}").readlink() == self._lock
            return False
        self.calls.append(call)
        self._left -= self._among_all or call.is_telling
        return self._left == 0


def _entered(tid: int) -> Call | None:
    """The call that a thread is about to make; None when it comes back from one."""
    buffer = ctypes.create_string_buffer(_INFO.size)
    _libc.ptrace(_SYSCALL_INFO, tid, _INFO.size, ctypes.addressof(buffer))
    kind, arch, _, _, number, first, second, third, *_ = _INFO.unpack(buffer.raw)
    return Call(number, first, second, third) if kind == _ENTRY and arch == _X86_64 else None


def withhold(tid: int) -> None:
    """Let the kernel not make the call that a thread is about to make."""
    _ptrace(_POKE, tid, _NO_CALL, where=_NUMBER_AT)


def answer(tid: int, result: int) -> None:
    """Let a call that a thread comes back from have had this result; errors are negative."""
    _ptrace(_POKE, tid, result & (2**64 - 1), where=_RESULT_AT)


def _ptrace(request: int, tid: int, value: int, *, where: int = 0) -> None:
    """Make a request; that a thread was killed meanwhile is not an error."""
    _libc.ptrace(request, tid, where, value)


def _may_trace() -> bool:
    """Whether this machine lets a process watch another."""
    with subprocess.Popen(["/bin/sh", "-c", "read go"], stdin=subprocess.PIPE) as child:
        answer = _libc.ptrace(_SEIZE, child.pid, 0, _EVERYTHING)
        child.kill()
        return bool(answer == 0)


is_possible = sys.platform == "linux" and platform.machine() == "x86_64" and _may_trace()
why_not = "needs Linux on x86-64, and the right to watch processes (ptrace)"
