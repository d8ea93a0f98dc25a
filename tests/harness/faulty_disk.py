"""A disk on which a write or a sync of the database fails, once or from then on."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path

from tracee import Call, answer, withhold

_BY_DESCRIPTOR = {1: "write", 18: "pwrite64", 74: "fsync", 75: "fdatasync", 77: "ftruncate"}
_BY_PATH = {82: "rename", 87: "unlink"}
_OPENAT = 257


class FaultyDisk:
    """Spoils calls that change files whose names begin like the database's: itself, its journal, its lock, a new one.

    Args:
        database: the path of the file.
        error: of ``errno``.
        at: which of these calls fails, from 1; 0: none.
        is_lasting: whether all later ones fail as well.

    Attributes:
        count: such calls, by name.
        failed: the name and the file of the first that failed.
    """

    def __init__(self, database: Path, error: int = 0, at: int = 0, *, is_lasting: bool = False) -> None:
        self.count: Counter[str] = Counter()
        self.failed = ""
        self._database = database
        self._error, self._at, self._is_lasting = error, at, is_lasting
        self._spoilt: set[int] = set()

    def __str__(self) -> str:
        how = " and all later ones" if self._is_lasting else ""
        return (
            f"call {self._at} ({self.failed or 'never made'}){how} with {errno.errorcode.get(self._error, 'nothing')}"
        )

    def __call__(self, tid: int, call: Call | None) -> None:
        if call is None:
            if tid in self._spoilt:
                self._spoilt.remove(tid)
                answer(tid, -self._error)
            return
        name, path = _changes(tid, call)
        if not path.startswith(str(self._database)) and path != f"{self._database.parent}":
            return
        self.count[name] += 1
        number = self.count.total()
        if number == self._at or (self._is_lasting and 0 < self._at < number):
            self.failed = self.failed or f"{name} {Path(path).name}"
            self._spoilt.add(tid)
            withhold(tid)


def _changes(tid: int, call: Call) -> tuple[str, str]:
    """The name of a call that changes a file, and that file; twice nothing for any other call."""
    if call.number in _BY_DESCRIPTOR:
        return _BY_DESCRIPTOR[call.number], os.readlink(f"/proc/{tid}/fd/{call.first}")  # noqa: PTH115 - it may be no file
    if call.number in _BY_PATH:
        return _BY_PATH[call.number], _text(tid, call.first)
    if call.number == _OPENAT and call.third & os.O_CREAT:
        return "openat", _text(tid, call.second)
    return "", ""


def _text(tid: int, address: int) -> str:
    with Path(f"/proc/{tid}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(4096).split(b"\0", 1)[0].decode()
