"""One pass of a plugin at a time: a kernel lock beside the database that dies with its holder."""

from __future__ import annotations

import errno
import faulthandler
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from pollctl.api.names import checked
from pollctl.clock import now, to_text
from pollctl.errors import DatabaseError, LockedError
from pollctl.ownership import described

_PROBE_PATIENCE = 0.1  # s; a reader that asks who holds the lock holds it itself for microseconds
_PAUSE = 0.01
_LONGEST_STACK = 32 * 1024
_OWNER_ALONE = 0o600
_GROUP = stat.S_IRGRP | stat.S_IWGRP


class Holder(NamedTuple):
    """Who holds a lock: process id, run id, and the moment it was taken as database text."""

    pid: int
    run_id: str
    since: str

    def __str__(self) -> str:
        return f"pid {self.pid}, run {self.run_id}, since {self.since}"


def lock_path(database: Path, name: str) -> Path:
    """Where the lock of plugin *name* lies: beside the database, so that a copied database brings no lock along.

    Raises:
        UsageError: no plugin can have this name.
    """
    return database.with_name(f"{database.name}.{checked(name)}.lock")


@contextmanager
def held(path: Path, *, run_id: str, wait: float = 0, like: Path | None = None) -> Iterator[str]:
    """Hold the lock at *path*; waits at most *wait* seconds for another holder.

    Gives what a holder left there that was ended from outside: where its threads stood (see ``note_stack``), or nothing.

    The file is never unlinked: two processes that lock two files of the same name would both hold "the" lock. A forked
    child closes its copy, so that only this process holds it.

    Args:
        path: the file; it is made where there is none.
        run_id: written into it for others to read.
        wait: seconds.
        like: the database, if it is there: the file belongs to the same users.

    Raises:
        LockedError: another pass holds it; says who, and since when.
        DatabaseError: the disk on which both lie does not take the holder's name.
    """
    descriptor = _take(path, time.monotonic() + max(wait, _PROBE_PATIENCE), like)
    open_in_children = [descriptor]
    os.register_at_fork(after_in_child=lambda: _close_all(open_in_children))
    try:
        left_behind = _left_behind(descriptor)
        _sign(path, descriptor, run_id)
        yield left_behind
    finally:
        open_in_children.clear()
        with suppress(OSError):  # a disk that fails must not hide what the pass has to say; the lock ends all the same
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def holder(path: Path) -> Holder | None:
    """Who holds the lock at *path* right now, or None.

    Raises:
        DatabaseError: it is a link, or this user may not read it.
    """
    try:
        descriptor = _opened(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe that lies there must not be waited for
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise _of_another(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def note_stack(path: Path) -> None:
    """Write where every thread of this process stands behind the name of the holder, if this process is it.

    For whoever finds the lock when the process was ended, as it hung.
    """
    with suppress(OSError):  # it is only to help
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if _named(descriptor).pid == os.getpid():
                os.write(descriptor, b"\n")
                faulthandler.dump_traceback(descriptor, all_threads=True)
        finally:
            os.close(descriptor)


def _left_behind(descriptor: int) -> str:
    with suppress(OSError):  # it is no file; whoever signs it says so
        return os.pread(descriptor, _LONGEST_STACK, 0).decode(errors="replace").partition("\n")[2]
    return ""


def _sign(path: Path, descriptor: int, run_id: str) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps([os.getpid(), run_id, to_text(now())]).encode(), 0)
    except OSError as error:
        raise DatabaseError(f"{path}: {error.strerror}; nothing was started") from error


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _take(path: Path, give_up_at: float, like: Path | None) -> int:
    while True:
        descriptor = private_file(path, like=like)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _named(descriptor)
            os.close(descriptor)
            if time.monotonic() >= give_up_at:
                raise LockedError(f"{path.name} is held by another pass ({other})") from None
            time.sleep(_PAUSE)
            continue
        if _is_still_at(path, descriptor):
            return descriptor
        os.close(descriptor)


def _is_still_at(path: Path, descriptor: int) -> bool:
    """Whether the file that we locked is the one that the next pass will find (somebody may have deleted it)."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def _named(descriptor: int) -> Holder:
    try:
        pid, run_id, since = json.loads(os.pread(descriptor, 4096, 0).partition(b"\n")[0])
    except ValueError:
        return Holder(0, "just starting or ending", "now")
    return Holder(pid, run_id, since)


def private_file(path: Path, flags: int = 0, *, like: Path | None = None) -> int:
    """Open a file to read and write, made for its owner alone where there is none, whatever the umask; a descriptor.

    Args:
        path: the file.
        flags: of ``open``.
        like: a file to whose owner and group it is to belong too, if that is there.

    Raises:
        DatabaseError: a link lies there, or it belongs to another user.
        OSError: it cannot be opened.
    """
    try:
        descriptor = _opened(path, os.O_RDWR | os.O_CREAT | flags)
    except PermissionError as error:
        raise _of_another(path, error) from error
    if os.fstat(descriptor).st_uid == os.geteuid():
        _share(descriptor, like)
    return descriptor


def _share(descriptor: int, like: Path | None) -> None:
    """Give a file of ours to the users of another; a umask may have taken rights away that its owner needs."""
    wanted = like.stat() if like and like.exists() else None
    mode = _OWNER_ALONE | (stat.S_IMODE(wanted.st_mode) & _GROUP if wanted else 0)
    state = os.fstat(descriptor)
    if wanted and (state.st_gid != wanted.st_gid or state.st_uid != wanted.st_uid):
        with suppress(PermissionError):  # only root may give files away, and others to their own groups
            os.fchown(descriptor, wanted.st_uid if os.geteuid() == 0 else -1, wanted.st_gid)
    if stat.S_IMODE(state.st_mode) & mode != mode:
        os.fchmod(descriptor, mode)


def _of_another(path: Path, error: PermissionError) -> DatabaseError:
    """Why a file cannot be opened that lies there already: somebody else made it."""
    try:
        whose = described(path.stat())
    except OSError:
        return DatabaseError(f"{path}: {error.strerror}")
    return DatabaseError(f"{path}: belongs to {whose}, not to you; give it to the owner of the database with `chown`")


def _opened(path: Path, flags: int) -> int:
    """Open a file of ours, and neither what a link at its place names nor what would let us wait (a pipe)."""
    try:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, _OWNER_ALONE)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        why = f"{path}: is a symbolic link, which is not followed here; remove it (it is only a name) and start again"
        raise DatabaseError(why) from error
