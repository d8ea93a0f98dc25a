"""Files that settings are read from: regular ones that no stranger may have written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pollctl.ownership import fault_of_file, refusal_to_read


class UnfitFileError(ValueError):
    """A file that is there and may be read, but is not to be obeyed; the text, which follows the name of the file, says why."""


def read_at_most(path: Path, limit: int, *, is_obeyed: bool = True) -> bytes:
    """The content of a file, up to *limit* bytes and one more, which tells that it is larger.

    Never waits: a pipe that nobody writes into, or a device without end, is refused unread.

    Args:
        path: the file.
        limit: more than that is not wanted.
        is_obeyed: whether somebody acts by what it says; else its owner and mode do not count.

    Raises:
        UnfitFileError: it is not a regular file, or strangers may have written it.
        OSError: it cannot be read.
    """
    with open(path, "rb", opener=_open_without_waiting) as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise UnfitFileError("not a regular file")
        if is_obeyed and (fault := fault_of_file(path, state)):
            raise UnfitFileError(f"not obeyed: {fault}")
        return file.read(limit + 1)


def why_unread(path: Path, error: OSError | ValueError) -> str:
    """What the system says of a file that cannot be read; where it refuses that, whose it is as well."""
    why = getattr(error, "strerror", None) or "no such path"
    whose = refusal_to_read(path) if isinstance(error, PermissionError) else ""
    return ": ".join(filter(None, (why, whose)))


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
