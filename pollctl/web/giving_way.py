"""Readers that give way: where the journal is no WAL, a pass cannot commit while a statement reads."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from pathlib import Path

_PENDING_BYTE = 0x4000_0000
"""What whoever waits for readers to end has locked (https://www.sqlite.org/fileformat.html#the_lock_byte_page)."""
_LOCK = "hhqqi0q"  # struct flock: type, whence, start, length, process
_EVERY_S = 0.002


class Waiting:
    """Whether another process waits for readers of a database; asking costs a system call each two milliseconds.

    Its descriptor stays open as long as the connection: closing it would take SQLite's own locks of the file from this process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._asked_at = 0.0

    def close(self) -> None:
        """Close the file, after the connection."""
        os.close(self._descriptor)

    def is_replaced(self) -> bool:
        """Whether the file is no longer where it was opened."""
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return True

    def is_somebody(self) -> bool:
        """Whether somebody waits."""
        now = time.monotonic()
        if now - self._asked_at < _EVERY_S:
            return False
        self._asked_at = now
        asked = struct.pack(_LOCK, fcntl.F_RDLCK, os.SEEK_SET, _PENDING_BYTE, 1, 0)
        (found, *_) = struct.unpack(_LOCK, fcntl.fcntl(self._descriptor, fcntl.F_GETLK, asked))
        return bool(found != fcntl.F_UNLCK)
