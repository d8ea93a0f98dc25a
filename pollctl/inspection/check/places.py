"""Where the database lies: whose it is, who may write there, and whether there is room."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pollctl.console.words import count
from pollctl.inspection.check.findings import Finding
from pollctl.ownership import ROOT, described, fault_of_file, fault_of_folder

_LEAST_ROOM = 100_000_000  # bytes
_GROWTH = 2  # a backup and an upgrade copy the database


def of_database(path: Path) -> Iterator[Finding]:
    """Folder, owners, modes, mount and room of a database."""
    folder = Path(os.path.realpath(path)).parent  # which takes links to themselves as they are
    if not folder.is_dir():
        text = f"there is no folder {folder}; create it, or set pollctl.database elsewhere"
        yield _failed(f"{path}: {text}")
        return
    with suppress(OSError):  # that they cannot be had is told by whoever needs them
        yield from _whose(path, folder)
        yield from _mount_and_room(path, folder)


def _whose(path: Path, folder: Path) -> Iterator[Finding]:
    """Whether database, locks and folder belong to who writes there, and nobody else may put others in their place."""
    state = path.stat() if path.exists() else None
    user = state.st_uid if state and os.geteuid() == ROOT else os.geteuid()  # root looks at somebody's
    if fault := fault_of_folder(folder, user):
        yield _failed(f"the folder {folder} of database and locks: {fault}")
    else:
        yield _fine(f"folder {folder}: {described(folder.stat())}")
    if state is None:
        return
    fault = fault_of_file(path, state, user)
    yield _failed(f"{path}: {fault}") if fault else _fine(f"{path}: {described(state)}")
    yield from _locks(path, state)


def _locks(path: Path, database: os.stat_result) -> Iterator[Finding]:
    """Whether the owner of the database can use its locks."""
    locks = {lock: lock.lstat() for lock in sorted(path.parent.glob(f"{path.name}.*.lock"))}
    foreign = [lock for lock, state in locks.items() if not _is_usable(state, database)]
    for lock in foreign:
        remedy = f"give it to the owner of the database: `chown {_owner(database.st_uid)}: {lock}`"
        yield _failed(f"{lock}: belongs to {described(locks[lock])}; {remedy}")
    if locks and not foreign:
        whose = dict.fromkeys(map(described, locks.values()))
        yield _fine(f"{count(len(locks), 'lock')} beside it: {'; '.join(whose)}")


def _is_usable(lock: os.stat_result, database: os.stat_result) -> bool:
    return lock.st_uid == database.st_uid or _is_shared(lock, database)


def _is_shared(lock: os.stat_result, database: os.stat_result) -> bool:
    return lock.st_gid == database.st_gid and bool(lock.st_mode & database.st_mode & stat.S_IWGRP)


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _mount_and_room(path: Path, folder: Path) -> Iterator[Finding]:
    mount = os.statvfs(folder)
    if mount.f_flag & os.ST_RDONLY:
        yield _failed(f"{folder} lies on a read-only mount: no pass can write there")
    free, size = mount.f_bavail * mount.f_frsize, path.stat().st_size if path.exists() else 0
    if free < max(_LEAST_ROOM, _GROWTH * size):
        text = f"{free // 1_000_000} MB are free in {folder}, and the database has {size // 1_000_000} MB: make room"
        yield Finding(level="warn", subject="database", text=text)


def _fine(text: str) -> Finding:
    return Finding(level="ok", subject="database", text=text)


def _failed(text: str) -> Finding:
    return Finding(level="FAIL", subject="database", text=text, exit_code=1)
