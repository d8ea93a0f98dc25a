"""Processes that begin as copies of this one: what it has imported they need not import again.

Only on Linux and while there is one thread: else a lock that another thread holds would be held in the copy for ever, and
``subprocesses`` starts an interpreter anew. See docs/decisions/0014-forked-passes.md.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, NoReturn

from pollctl import signals
from pollctl.supervision.ending import Belongings

Life = Callable[[], int]
"""What a forked process does; answers its exit code. May raise SystemExit, like the main function of a script."""


class Streams(NamedTuple):
    """The descriptors of a process.

    Attributes:
        output: takes stdout and stderr.
        report: takes its report, under this number.
    """

    output: int
    report: int


def can_fork() -> bool:
    """Whether a copy of this process would be whole, as no other thread lives, Python's or a library's, and ends in order."""
    if sys.platform != "linux" or not hasattr(os, "fork") or threading.active_count() > 1 or not find_spec("_ctypes"):
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
    except OSError:
        return False


def forked(life: Life, environ: Mapping[str, str], streams: Streams, not_theirs: Iterable[int]) -> int:
    """Start a process in a session of its own that lives *life*; answers its number once it leads its group.

    It has the signals, streams and ``sys.path`` that ``python -P`` would give it, and is taken down in order like that.

    Args:
        life: what it does.
        environ: its environment variables.
        streams: its descriptors; stdin is empty.
        not_theirs: descriptors that it is not to have.

    Raises:
        OSError: there is no room for another process.
    """
    import_module("ctypes")  # which the copy needs at its end
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # else the copy says it again
    leads, has_begun = os.pipe()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if not pid:
            _live(life, environ, streams, [leads, has_begun, *not_theirs], blocked)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        os.close(has_begun)
        with suppress(OSError):
            os.read(leads, 1)  # nothing comes: it closes its end as soon as it leads
        os.close(leads)
    return pid


def _live(
    life: Life, environ: Mapping[str, str], streams: Streams, not_theirs: Iterable[int], mask: set[int | signal.Signals]
) -> NoReturn:
    """The whole life of the copy; it never comes back to what the original was about to do."""
    code, belongings = 1, Belongings()
    try:
        os.setsid()
        _take(streams, not_theirs)
        signals.as_at_start()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.environ.clear()
        os.environ.update(environ)
        _leave_out_own_folder()
        code = _code_of(life)
    except BaseException:  # noqa: BLE001 - Python's own last words
        traceback.print_exc()
    finally:
        belongings.end(code)


def _take(streams: Streams, not_theirs: Iterable[int]) -> None:
    for descriptor in not_theirs:
        os.close(descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate((nothing, streams.output, streams.output)):
        os.dup2(descriptor, number)
    for descriptor in {nothing, streams.output} - {0, 1, 2, streams.report}:
        os.close(descriptor)
    # those of the original were made for a file or a terminal
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    for number, name, mode, buffering in ((0, "stdin", "r", -1), (1, "stdout", "w", -1), (2, "stderr", "w", 1)):
        at_once = 1 if mode == "w" and os.environ.get("PYTHONUNBUFFERED") else buffering
        stream = open(number, mode, at_once, encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _leave_out_own_folder() -> None:
    """Take from ``sys.path`` what Python put there: modules that lie here, or beside the script, must not be taken for ours."""
    script = Path(sys.argv[0])
    folders = {"", str(script.resolve().parent)}
    with suppress(OSError):  # the present folder is gone
        folders |= {str(Path.cwd()), str(script.parent.absolute())}
    if not sys.flags.safe_path and sys.path and sys.path[0] in folders:
        del sys.path[0]


def _code_of(life: Life) -> int:
    """The exit code of a life, as ``sys.exit`` understands it."""
    try:
        return life()
    except SystemExit as ended:
        if isinstance(ended.code, int):
            return ended.code
        if ended.code is not None:
            print(ended.code, file=sys.stderr)
        return int(ended.code is not None)
