"""Passes that end by SIGKILL right before one of their commits or requests, each in a process of its own.

The processes are copies of one that has imported everything, so that each begins within milliseconds. Python's audit events tell of
what is sent, SQLite's trace of commits: nothing of pollctl or of the plugin is replaced.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, NoReturn

from msgspec import Struct
from msgspec.json import decode, encode

_PROGRAM = "from pollctl.testing import killing; killing.serve()"
_LOADED_LATE = ("boto3", "lxml.builder", "zeep", "zeep.helpers")
"""What plugins may import where they need it; imported beforehand where the test's process has it."""
_FILES = ("stdout", "stderr", "last")


class Ended(NamedTuple):
    """How a pass ended.

    Attributes:
        is_killed: whether it came to the point where it is killed.
        before: what it was about to do then.
        code: its exit code, as of subprocess.
    """

    is_killed: bool
    before: str
    stdout: str
    stderr: str
    code: int


class _Order(Struct, frozen=True):
    words: Sequence[str]
    folder: str
    env: Mapping[str, str]
    point: int
    files: Sequence[str]


class Passes:
    """A process that makes passes of one plugin in copies of itself; it ends with ``close``, or with this process."""

    def __init__(self, plugin: str, env: Mapping[str, str]) -> None:
        path = os.pathsep.join(filter(None, [env.get("PYTHONPATH", ""), *sys.path]))
        late = [name for name in _LOADED_LATE if name in sys.modules]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, plugin, *late],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()

    def run(self, words: Sequence[str], folder: Path, env: Mapping[str, str], point: int) -> Ended:
        """One command line of pollctl, killed before its commit or request number *point*, from 1, or never."""
        with TemporaryDirectory() as place:
            files = [str(Path(place, name)) for name in _FILES]
            code = self._exit_code(_Order(words, str(folder), env, point, files))
            stdout, stderr, last = (Path(name).read_text(encoding="utf-8", errors="replace") for name in files)
        return Ended(code == -signal.SIGKILL, last.strip(), stdout, stderr, code)

    def _exit_code(self, order: _Order) -> int:
        asked, answered = self._process.stdin, self._process.stdout
        if asked is None or answered is None:
            raise RuntimeError("it was started without pipes")
        asked.write(encode(order) + b"\n")
        asked.flush()
        if not (line := answered.readline()):
            raise RuntimeError("the process in which passes are killed has ended; what it said stands on stderr")
        return int(line)


def serve() -> None:
    """The life of that process: import everything, then make a copy for each order on stdin until there are no more."""
    from pollctl.cli import copies

    carry_out = copies.command()
    _import_all(*sys.argv[1:])
    for line in sys.stdin.buffer:
        pid = os.fork()
        if not pid:
            _live(carry_out, decode(line, type=_Order))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _import_all(plugin: str, *others: str) -> None:
    from pollctl.errors import PollctlError
    from pollctl.plugin_host.discovery import find

    with suppress(PollctlError, ImportError, AttributeError):  # the pass says what is wrong
        module = import_module(find(plugin).entry_point.module)
        for found in walk_packages(getattr(module, "__path__", []), f"{module.__name__}."):
            import_module(found.name)
    for name in others:
        import_module(name)
    import_module("apprise").Apprise.instantiate("json://127.0.0.1")


def _live(carry_out: Any, order: _Order) -> NoReturn:
    for number, path in ((0, os.devnull), (1, order.files[0]), (2, order.files[1])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.env)
    _Assassin(order.point, order.files[2]).lie_in_wait()
    code = 1
    try:
        code = carry_out(["--config", str(Path(order.folder, "pollctl.toml")), *order.words])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class _Assassin:
    """Counts commits and requests, and kills this process before one of them."""

    def __init__(self, point: int, last: str) -> None:
        self._left = point
        self._last = os.open(last, os.O_WRONLY | os.O_CREAT, 0o600)

    def lie_in_wait(self) -> None:
        """Listen from now on."""
        sqlite3.connect = partial(self._connected, sqlite3.connect)
        sys.addaudithook(self._hear)

    def _connected(self, connect: Any, *arguments: Any, **more: Any) -> Any:
        connection = connect(*arguments, **more)
        connection.set_trace_callback(self._trace)
        return connection

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "http.client.send":
            self._step(partial(_request, arguments[1]))
        elif event == "smtplib.send":
            self._step(lambda: "mail")

    def _trace(self, statement: str) -> None:
        if statement.lstrip()[:6].upper() == "COMMIT":
            self._step(lambda: "a commit")

    def _step(self, what: Any) -> None:
        self._left -= 1
        if not self._left:
            os.write(self._last, what().encode())
            os.kill(os.getpid(), signal.SIGKILL)


def _request(sent: Any) -> str:
    """The first line of what is sent, where it is the beginning of a request."""
    head = bytes(sent[:2000]).partition(b"\r\n")[0] if isinstance(sent, bytes) else b""
    return head.decode("latin-1").rpartition(" HTTP/")[0] or "the body of a request"


def printed_report(stdout: str) -> Mapping[str, Any] | None:
    """The report of a pass or plan that came to its end, if it printed one."""
    return json.loads(stdout) if stdout.startswith("{") else None
