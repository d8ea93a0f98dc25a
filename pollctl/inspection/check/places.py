"""Where the database lies: whose it is, who may write there, and whether there is room."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pollctl.console.words import count
from pollctl.inspection.check.findings import Finding
from pollctl.ownership import (
    ROOT,
    described,
    fault_of_file,
    fault_of_folder,
    may_write,
    name_of,
    refusal_to_write,
)

_LEAST_ROOM = 100_000_000  # bytes
_GROWTH = 2  # a backup and an upgrade copy the database


def of_database(path: Path, *, is_obeyed: bool = True) -> Iterator[Finding]:
    """Folder, owners, modes, mount and room of a database.

    Args:
        path: the database.
        is_obeyed: whether it is this user who would write to it; else it is root, who looks at somebody's.
    """
    folder = Path(os.path.realpath(path)).parent  # which takes links to themselves as they are
    if not folder.is_dir():
        text = f"there is no folder {folder}; create it, or set pollctl.database elsewhere"
        yield _failed(f"{path}: {text}")
        return
    with suppress(OSError):  # that they cannot be had is told by whoever needs them
        if is_obeyed and (refusal := refusal_to_write(path)):
            yield _failed(refusal)
        else:
            yield from _whose(path, folder)
        yield from _mount_and_room(path, folder)


def _whose(path: Path, folder: Path) -> Iterator[Finding]:
    """Whether database, locks and folder are for who writes there, and nobody else may put others in their place."""
    state = path.stat() if path.exists() else None
    user = state.st_uid if state and os.geteuid() == ROOT else os.geteuid()  # root looks at somebody's
    if fault := fault_of_folder(folder, user):
        yield _failed(f"the folder {folder} of database and locks: {fault}")
    elif fault := _closed_to(user, folder):
        yield _failed(fault)
    else:
        yield _fine(f"folder {folder}: {described(folder.stat())}")
    if state is None:
        return
    fault = fault_of_file(path, state, user) or _closed_file(path, state, user)
    yield _failed(f"{path}: {fault}") if fault else _fine(f"{path}: {described(state)}")
    yield from _locks(path, state)


def _closed_to(user: int, folder: Path) -> str:
    """Why journals and locks cannot be made in a folder, with who may write there and the remedy; empty where they can."""
    if may_write(folder, user) or _is_read_only(folder):
        return ""
    state = folder.stat()
    name = name_of(user)
    him, you = ("", f", and you are {name}") if user == os.geteuid() else (f" by {name}", "")
    return (
        f"folder {folder}: no journal, no lock can be made in it{him}: only {described(state)}, may write there{you};"
        f" as root `install -d -o {name} {folder / 'pollctl'}`, and set pollctl.database to a file in that"
    )


def _closed_file(path: Path, state: os.stat_result, user: int) -> str:
    if may_write(path, user) or _is_read_only(path.parent):
        return ""
    return f"its own user may not write to it: {described(state)}; `chmod u+w {path}`"


def _locks(path: Path, database: os.stat_result) -> Iterator[Finding]:
    """Whether the owner of the database can use its locks."""
    locks = {lock: lock.lstat() for lock in sorted(path.parent.glob(f"{path.name}.*.lock"))}
    foreign = [lock for lock, state in locks.items() if not _is_usable(state, database)]
    for lock in foreign:
        remedy = f"give it to the owner of the database: `chown {name_of(database.st_uid)}: {lock}`"
        yield _failed(f"{lock}: belongs to {described(locks[lock])}; {remedy}")
    if locks and not foreign:
        whose = dict.fromkeys(map(described, locks.values()))
        yield _fine(f"{count(len(locks), 'lock')} beside it: {'; '.join(whose)}")


def _is_usable(lock: os.stat_result, database: os.stat_result) -> bool:
    return lock.st_uid == database.st_uid or _is_shared(lock, database)


def _is_shared(lock: os.stat_result, database: os.stat_result) -> bool:
    return lock.st_gid == database.st_gid and bool(lock.st_mode & database.st_mode & stat.S_IWGRP)


def _mount_and_room(path: Path, folder: Path) -> Iterator[Finding]:
    mount = os.statvfs(folder)
    if _is_read_only(folder):
        yield _failed(f"{folder} lies on a read-only mount: no pass can write there")
    free, size = mount.f_bavail * mount.f_frsize, path.stat().st_size if path.exists() else 0
    if free < max(_LEAST_ROOM, _GROWTH * size):
        text = f"{free // 1_000_000} MB are free in {folder}, and the database has {size // 1_000_000} MB: make room"
        yield Finding(level="warn", subject="database", text=text)


def _is_read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _fine(text: str) -> Finding:
    return Finding(level="ok", subject="database", text=text)


def _failed(text: str) -> Finding:
    return Finding(level="FAIL", subject="database", text=text, exit_code=1)
