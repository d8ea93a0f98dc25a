"""What SQLite and the disk report, as errors that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pollctl.errors import DatabaseError
from pollctl.patience import BUSY_TIMEOUT_S

_REMEDIES = {
    "SQLITE_NOTADB": "; it is not an SQLite file: set pollctl.database to another, or restore a backup",
    "SQLITE_CORRUPT": "; restore a backup (`pollctl db backup` makes them)",
    "SQLITE_BUSY": f"; another program has held it for {BUSY_TIMEOUT_S:.0f} s",
    "SQLITE_CANTOPEN": "; is the folder there, and may this user write to it?",
    "SQLITE_READONLY": "; this user may not write to it",
    "SQLITE_FULL": "; make room on the disk",
    "SQLITE_IOERR": "; the disk fails (see the system's log), or a limit on the size of files is reached (`ulimit -f`)",
}


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Raise what SQLite and the disk report in the block as a DatabaseError that names *path* and the remedy."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise explained(error, str(path)) from error
    except OSError as error:
        raise DatabaseError(f"{path}: {error.strerror or error}") from error


def is_of_the_machine(error: sqlite3.Error) -> bool:
    """Whether disk, file or another program is to blame, and not the statement."""
    name = getattr(error, "sqlite_errorname", "")
    return name in _REMEDIES or name.startswith(("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_BUSY", "SQLITE_READONLY"))


def raise_for_machine(error: BaseException) -> None:
    """Raise what disk, file or another program is to blame for; it may stand behind *error*, which came of it.

    Raises:
        DatabaseError: such an error stands there.
    """
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, sqlite3.Error) and is_of_the_machine(behind):
            raise explained(behind) from error
        behind = behind.__context__


def explained(error: sqlite3.Error, where: str = "the database") -> DatabaseError:
    """What SQLite reports, with the remedy where one is known."""
    name = getattr(error, "sqlite_errorname", "")
    remedy = next((_REMEDIES[known] for known in _REMEDIES if name.startswith(known)), "")
    return DatabaseError(f"{where}: {error}{remedy}")
