"""The idle case of ``pollctl due --run``, which cron starts 1,440 times a day: nothing is due, known already.

The full way leaves a row in ``next_due``: until which moment nothing can be due, and a fingerprint of all it
computed from. While that fits, this module answers: from the stamp that holds the row too (``stamp``), else with SQLite and
little more. It never answers "due": any doubt takes the full way.

Why a wrong guess can do no harm: the settings file is only scanned for its database, not parsed; but a row
that fits was written by the full way, which had parsed exactly this file in exactly this state and found
exactly this database.
"""

# os.path instead of pathlib, as importing that takes as long as starting Python
# ruff: noqa: PTH109, PTH113, PTH116, PTH117, PTH118, PTH120

from __future__ import annotations

import os
import sys
import time

from pollctl.due import stamp

TYPE_CHECKING = False  # see pollctl/__init__.py
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FORMAT = "1"
SOURCES = ("pollctl", "croniter")
"""Packages whose code computes when a plugin is due."""
ROW = "SELECT due_at, reckoned_at, fingerprint FROM next_due"

_HEAD = 8
_LARGEST = 1_000_000
_PATIENCE_S = 1.0
_began_ns = time.time_ns()
_CLOCK_TICK_NS = 20_000_000  # file systems stamp with a clock that ticks every 1 to 10 ms


def is_nothing_due(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether these arguments mean ``due --run``, and nothing is due for certain.

    Args:
        arguments: those of the command line, without the program's name.
        environ: the environment variables.

    Answers False to all but ``due --run`` with ``--config FILE``, ``--log-format`` and ``--verbose`` before it.
    """
    if "due" not in arguments or "--run" not in arguments or "POLLCTL_NOW" in environ:
        return False
    is_plain, named = _understood(arguments)
    if not is_plain:
        return False
    try:
        settings = find(named, environ)
        database = settings and guess_database(settings)
        if not (settings and database and _is_own(settings) and os.path.isfile(database)):
            return False  # SQLite would wait for whoever writes into a pipe
        return _is_before_next(settings, database, environ)
    except (OSError, ValueError):
        return False


def find(named: str, environ: Mapping[str, str]) -> str:
    """The absolute path of the settings file, by the rules of ``config.find``; empty where there is none."""
    named = named or environ.get("POLLCTL_CONFIG", "")
    for place in [named] if named else _usual_places(environ):
        if os.path.lexists(place):
            return os.path.join(os.getcwd(), place)
    return ""


def guess_database(settings: str) -> str:
    """The database that a settings file seems to name; empty when that takes a TOML parser to say."""
    content = _content(settings)
    if len(content) > _LARGEST:
        return ""
    name = _value(_line_of_database(content).decode())
    return os.path.realpath(os.path.join(os.path.dirname(settings), name)) if name else ""


def mentions(key: str, settings: str) -> bool:
    """Whether a settings file may have a key: only where it does it is worth the time to parse it.

    Raises:
        OSError: it cannot be read.
    """
    return bool(settings) and key.encode() in _content(settings)


def _content(settings: str) -> bytes:
    with open(settings, "rb", opener=stamp.without_waiting) as file:
        return file.read(_LARGEST + 1) or b""  # None of a pipe, which the full way refuses


def _is_own(settings: str) -> bool:
    """Whether it is plain that no stranger may have written the settings; ``ownership`` knows of more that may be obeyed.

    The fingerprint does not tell: the row may have been written for another user, in whose hands the same file is right.
    """
    file, link = os.stat(settings), os.lstat(settings)
    if not {file.st_uid, link.st_uid} <= {os.geteuid(), 0}:
        return False
    by_others, by_group = file.st_mode & 0o002, file.st_mode & 0o020
    return not by_others and (not by_group or file.st_gid in (os.getegid(), 0))


def fingerprint(settings: str, database: str, environ: Mapping[str, str], sources: Iterable[str]) -> str:
    """Everything that a evaluation came from, one line each.

    Args:
        settings: absolute path of the settings file.
        database: the database; only its identity counts, since each pass changes its content.
        environ: the environment variables.
        sources: paths of zone files and code; one that does not exist counts as that.

    Raises:
        OSError: there is no such database.
    """
    file = os.stat(database)
    head = (
        FORMAT,
        str(sys.hexversion),
        sys.prefix,
        os.path.dirname(__file__),
        os.uname().nodename,  # seeds jitter and H
        environ.get("PYTHONPATH", ""),
        environ.get("PYTHONTZPATH", ""),
        f"{file.st_dev}:{file.st_ino}",
    )
    return "\n".join((*head, *map(_state, (settings, *sources))))


def is_older_than_this_process(path: str) -> bool:
    """Whether a file has not changed since this process began: what was read of it is what it holds."""
    try:
        return os.stat(path).st_ctime_ns < _began_ns - _CLOCK_TICK_NS
    except OSError:
        return True  # that it does not exist is what was read


def connect_address(database: str, mode: str) -> str:
    """A database as an address for sqlite3: ``ro`` to read, ``rw`` to write without creating it."""
    for character, code in (("%", "%25"), ("?", "%3f"), ("#", "%23")):
        database = database.replace(character, code)
    return f"file:{database}?mode={mode}"


def _understood(arguments: Sequence[str]) -> tuple[bool, str]:
    """Whether the arguments are of the form that is answered here, and the settings file that they name."""
    *before, command, option = arguments
    if [command, option] != ["due", "--run"]:
        return False, ""
    named = ""
    words = iter(before)
    for word in words:
        if word == "--config":
            named = next(words, "")
            if not named:
                return False, ""
        elif word == "--log-format":
            if next(words, "") not in ("text", "json"):
                return False, ""
        elif word not in ("-v", "--verbose"):
            return False, ""
    return True, named


def _usual_places(environ: Mapping[str, str]) -> list[str]:
    folder = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(folder):
        folder = f"{environ['HOME']}/.config" if environ.get("HOME") else ""
    own = [os.path.join(folder, "pollctl/config.toml")] if folder else []
    return ["pollctl.toml", *own, "/etc/pollctl/config.toml"]


def _line_of_database(content: bytes) -> bytes:
    """What stands right of ``database =`` below ``[pollctl]``, or the default."""
    is_core = False
    for line in content.splitlines():
        words = line.strip()
        if words.startswith(b"["):
            is_core = words.partition(b"#")[0].rstrip() == b"[pollctl]"
        elif is_core and words.startswith(b"database"):
            equals, _, value = words[8:].partition(b"=")
            if not equals.strip():
                return value.strip()
    return b'"pollctl.db"'


def _value(text: str) -> str:
    """A one-line TOML text without escapes; empty for everything else."""
    quote = text[:1]
    if quote not in ('"', "'"):
        return ""
    value, _, rest = text[1:].partition(quote)
    is_plain = rest.strip()[:1] in ("", "#") and "\\" not in value and not value.startswith("~")
    return value if is_plain else ""


def _is_before_next(settings: str, database: str, environ: Mapping[str, str]) -> bool:
    row = stamp.read(database) or _kept(database)
    if not row:
        return False
    due_at, reckoned_at, known = row
    if not reckoned_at <= _now() < due_at:
        return False
    sources = [line.partition(" ")[2] for line in known.split("\n")[_HEAD + 1 :]]
    return known == fingerprint(settings, database, environ, sources)


def _kept(database: str) -> Sequence[str] | None:
    """The row in the database."""
    import _sqlite3  # without the module around it, which imports datetime and collections

    try:
        connection = _sqlite3.connect(connect_address(database, "ro"), uri=True, timeout=_PATIENCE_S)
        try:
            row: Sequence[str] | None = connection.execute(ROW).fetchone()
            return row
        finally:
            connection.close()
    except _sqlite3.Error:
        return None


def _now() -> str:
    """The present moment as the database keeps it."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds // 1_000_000:03d}Z"


def _state(path: str) -> str:
    try:
        file = os.stat(path)
    except OSError:
        return f"- {path}"
    return f"{file.st_dev}:{file.st_ino}:{file.st_size}:{file.st_mtime_ns}:{file.st_ctime_ns} {path}"
