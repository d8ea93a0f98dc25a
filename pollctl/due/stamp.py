"""The row of ``next_due`` in a file beside the database, with the state of the database that it was read of.

Whoever finds the database in that very state knows the row without opening SQLite, which takes longer than all else of an
idle tick. The file is never taken back: a commit, by whomever, gives the database another state
(docs/decisions/0023-the-stamp.md says why none can pass unseen). What is in doubt counts as no stamp.
"""

# the fast path imports this: as little as there
# ruff: noqa: PTH116, PTH123

from __future__ import annotations

import os

TYPE_CHECKING = False  # see pollctl/__init__.py
if TYPE_CHECKING:
    from collections.abc import Sequence

_LARGEST = 1_000_000
_NO_WAL = b"\1\1"
"""The versions of the file format, bytes 18 and 19 of the header (https://www.sqlite.org/fileformat.html): 2 in WAL."""
_WRITABLE_BY_OTHERS = 0o022


def path_of(database: str) -> str:
    """Where the stamp of a database lies."""
    return f"{database}.idle"


def text_of(state: str, row: Sequence[str]) -> str:
    """What a stamp holds: the state of the database, and the row."""
    return "\n".join((state, *row))


def read(database: str) -> Sequence[str] | None:
    """The row that the database holds, if its stamp says so for certain.

    Raises:
        ValueError: the stamp is damaged.
    """
    try:
        with open(path_of(database), "rb", opener=without_waiting) as file, open(database, "rb") as held:
            is_ours = _is_trusted(file.fileno(), held.fileno())
            state, *row = file.read(_LARGEST).decode().split("\n", 3)
            return row if is_ours and state and state == state_of(database, held.fileno()) else None
    except OSError:
        return None


def state_of(database: str, descriptor: int) -> str:
    """What each commit changes: the counter in the header, and what the file system tells of the file.

    Empty where that is not certain: in WAL, whose commits lie in another file, and where a journal may have something to undo.

    Args:
        database: its path, without links.
        descriptor: the same, open to be read.
    """
    if _size(f"{database}-journal"):
        return ""
    header, file = os.pread(descriptor, 28, 0), os.fstat(descriptor)
    if header[18:20] != _NO_WAL:
        return ""
    return f"{header[24:28].hex()}:{file.st_dev}:{file.st_ino}:{file.st_size}:{file.st_mtime_ns}:{file.st_ctime_ns}"


def without_waiting(path: str, flags: int) -> int:
    """Open a file, or a pipe that nobody writes into, which then is empty."""
    return os.open(path, flags | os.O_NONBLOCK)


def _is_trusted(stamp: int, database: int) -> bool:
    """Whether only this user, or the owner of the database, can have written its stamp."""
    file = os.fstat(stamp)
    return file.st_uid in (os.geteuid(), os.fstat(database).st_uid) and not file.st_mode & _WRITABLE_BY_OTHERS


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
