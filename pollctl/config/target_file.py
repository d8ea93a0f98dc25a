"""Files that a command is told to write: it must not put its output in the place of something else."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pollctl.errors import UsageError
from pollctl.redaction import one_line

if TYPE_CHECKING:
    from pollctl.config.settings import Config

STDOUT = Path("-")
"""What people write for stdout in the place of a file."""
_HEAD = 100  # bytes: the header of SQLite
_BESIDE_DATABASE = ("", "-journal", "-wal", "-shm", ".new", ".idle", ".lock", ".*.lock")
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


@contextmanager
def written_whole(path: Path, *, mode: int | None = None, newline: str | None = None) -> Iterator[TextIO]:
    """A new file that takes the place of *path* when the block has ended well; else what was there stays, and nothing else.

    Args:
        path: the file.
        mode: of the new file, whatever the umask; None: as the umask says.
        newline: as of ``open``.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline=newline) as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            yield file
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink()


def require_replaceable(path: Path, config: Config, is_ours: Callable[[bytes], bool], what: str) -> None:
    """See that nothing is lost when a file is written: none is there, an empty one, or one that was written so before.

    Args:
        path: the file.
        config: names what must never be replaced.
        is_ours: whether a file that begins with these bytes was written by the same command.
        what: what the command writes, as in ``a backup``.

    Raises:
        UsageError: something else is there.
    """
    if not _is_there(path, config):
        return
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head and not is_ours(head):
        raise UsageError(
            f"{_shown(path)}: is there already and is not {what} of pollctl; name another file, or remove it"
        )


def require_new(path: Path, config: Config, *, may_replace: bool) -> None:
    """See that no file is there, or a regular one that may be replaced.

    Raises:
        UsageError: one is there, or something else is.
    """
    if _is_there(path, config) and not may_replace:
        raise UsageError(f"{_shown(path)}: is there already; --force replaces it")


def _is_there(path: Path, config: Config) -> bool:
    """Whether a regular file is there that does not belong to pollctl itself.

    Raises:
        UsageError: something is there that is never replaced.
    """
    for own, what in _own_files(config):
        if fnmatchcase(os.path.realpath(path), own):
            raise UsageError(f"{_shown(path)}: is {what}; name another file")
    try:
        state = path.lstat()
    except OSError:  # whatever keeps it from being written is told then
        return False
    if not stat.S_ISREG(state.st_mode):
        kind = _KINDS.get(stat.S_IFMT(state.st_mode), "something else")
        raise UsageError(f"{_shown(path)}: is {kind}, which is not replaced; name a file")
    for file in (config.path, config.core.database):  # by another name: a hard link
        if file and file.exists() and file.samefile(path):
            raise UsageError(f"{_shown(path)}: is {_shown(file)} by another name; name another file")
    return True


def _own_files(config: Config) -> Iterator[tuple[str, str]]:
    """Patterns of the paths that no output may have, and what lies there."""
    if config.path:
        yield _literal(os.path.realpath(config.path)), "the settings file"
    for suffix in _BESIDE_DATABASE:
        yield (
            _literal(str(config.core.database)) + suffix,
            "the database itself" if not suffix else "a file of the database",
        )


def _literal(path: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in path)


def _shown(path: Path) -> str:
    return one_line(str(path))
