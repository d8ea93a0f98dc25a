"""pollctl run within this process, in a tenth of the time that a process of its own takes.

Everything that a command can see is as in a new process: environment, folder, standard streams down to their descriptors, plugins
that PYTHONPATH names, signal handlers, warnings, caches, known secrets. Afterwards all of it is as before.
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
import zoneinfo
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, chdir, contextmanager
from pathlib import Path
from typing import Any, NoReturn
from warnings import WarningMessage

from pollctl import __main__, clock, redaction
from pollctl.cli import shutdown
from pollctl.due import fast_path
from pollctl.supervision import subprocesses
from pollctl.testing.captured_streams import CapturedStreams

Done = subprocess.CompletedProcess[str]
_HEARD = ("PYTHONPATH", "PYTHONTZPATH")
"""Variables that Python reads when it starts, and that are read again here."""
_DEPRECATED = (DeprecationWarning, PendingDeprecationWarning)


def run(
    folder: Path,
    env: Mapping[str, str],
    arguments: Sequence[str],
    hear: Callable[[WarningMessage], object] = lambda _: None,
) -> Done:
    """Run ``pollctl ARGUMENTS`` in *folder* with environment *env* to its end; answers the same as a process would.

    Not for what ends, kills, or limits its process, and not for environments that Python reads when it starts.

    Args:
        folder: where it is run.
        env: all of its environment.
        arguments: behind ``pollctl``.
        hear: called when it has ended, with each warning of what is deprecated in it: a process would not say them.

    Raises:
        RuntimeError: it needs a process of its own.
    """
    _refuse_what_needs_a_process(env)
    with CapturedStreams() as streams, surroundings(folder, env, arguments) as deprecations:
        code = _exit_code()
    for warning in deprecations:
        hear(warning)
    return Done(["pollctl", *arguments], code, *streams.said)


def _refuse_what_needs_a_process(env: Mapping[str, str]) -> None:
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a thread cannot run pollctl within this process: start one")
    deaf = sorted(name for name in env if name.startswith(("PYTHON", "LC_")) and name not in _HEARD)
    if deaf:
        raise RuntimeError(f"Python reads {', '.join(deaf)} when it starts: start a process")


def known_secrets_kept(*begin_with: set[str]) -> AbstractContextManager[None]:
    """Let the secrets that are known after a block be those of before; it begins with others, if given."""
    return _kept(lambda: set(_secrets()), _set_secrets, *begin_with)


def _set_secrets(secrets: set[str]) -> None:
    _secrets().clear()
    _secrets().update(secrets)


def _secrets() -> set[str]:
    return redaction._known_secrets  # noqa: SLF001 - they are known for the whole life of a process otherwise


def _exit_code() -> int:
    """What the process would exit with, and on stderr what the interpreter would say at its end."""
    try:
        return __main__.main()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        traceback.print_exc()
        return 130
    except Exception:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        return 1


@contextmanager
def surroundings(
    folder: Path, env: Mapping[str, str], arguments: Sequence[str] = ()
) -> Iterator[Sequence[WarningMessage]]:
    """The world of a process that has just started; in the list stands what was deprecated in it."""
    with ExitStack() as stack:
        for one in (
            chdir(folder),
            _environment(env),
            _replaced(sys, "argv", ["pollctl", *arguments]),
            _plugins(env.get("PYTHONPATH", "")),
            _replaced(threading, "excepthook", threading.__excepthook__),
            _replaced(sys, "unraisablehook", sys.__unraisablehook__),
            # a source may be replaced within the second that byte code knows
            _replaced(sys, "dont_write_bytecode", True),
            _replaced(logging.root, "handlers", []),
            _replaced(clock, "_started", time.monotonic()),
            _replaced(fast_path, "_began_ns", time.time_ns()),
            _no_end_of_process(),
            _replaced(subprocesses, "can_fork", lambda: False),
            _kept(lambda: os.umask(0o022), os.umask),
            _signals(),
            known_secrets_kept(set()),
        ):
            stack.enter_context(one)
        yield stack.enter_context(_warnings())


@contextmanager
def _kept(read: Any, write: Any, *begin_with: Any) -> Iterator[None]:
    """Put back what *read* answers by *write*; *begin_with* is written first, if given."""
    before = read()
    for value in begin_with:
        write(value)
    try:
        yield
    finally:
        write(before)


def _replaced(owner: Any, name: str, value: object) -> AbstractContextManager[None]:
    return _kept(lambda: getattr(owner, name), functools.partial(setattr, owner, name), value)


@contextmanager
def _environment(env: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    _set_environment(env)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(env: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    zoneinfo.reset_tzpath()


@contextmanager
def _plugins(search_path: str) -> Iterator[None]:
    """Let the folders of PYTHONPATH be looked through first, and forget what was imported from them or cached of it."""
    folders = [folder for folder in search_path.split(os.pathsep) if folder]
    before = list(sys.path)
    sys.path[:0] = folders
    _forget(folders)
    try:
        yield
    finally:
        sys.path[:] = before
        _forget(folders)


def _forget(folders: Sequence[str]) -> None:
    for name, module in list(sys.modules.items()):
        if any(_origin(module).startswith(f"{folder}/") for folder in folders):
            del sys.modules[name]
        elif name.startswith("pollctl") and not name.startswith("pollctl.testing"):
            _clear_caches(module)
    for folder in folders:
        sys.path_importer_cache.pop(folder, None)
    importlib.invalidate_caches()


def _origin(module: object) -> str:
    return getattr(getattr(module, "__spec__", None), "origin", None) or ""


def _clear_caches(module: object) -> None:
    for value in vars(module).values():
        if isinstance(value, functools._lru_cache_wrapper):  # noqa: SLF001 - it has no other name
            value.cache_clear()


@contextmanager
def _no_end_of_process() -> Iterator[None]:
    """A thread of a test's own upstream is no reason to end this process."""
    with (
        _replaced(shutdown, "leave", lambda code: code),
        _replaced(shutdown, "end_soon", lambda _: None),
        _replaced(os, "_exit", _refuse_to_exit),
    ):
        yield


def _refuse_to_exit(code: int) -> NoReturn:
    raise RuntimeError(f"this would end the process with exit code {code}: start one")


@contextmanager
def _signals() -> Iterator[None]:
    """The handlers that a process begins with."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _warnings() -> Iterator[list[WarningMessage]]:
    """Warnings as Python treats them where nobody says otherwise, the deprecated kept: the rest stands on stderr, or is ignored."""
    deprecations: list[WarningMessage] = []

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,  # noqa: ARG001 - the signature is that of warnings.showwarning
        line: str | None = None,
    ) -> None:
        if issubclass(category, _DEPRECATED):
            deprecations.append(WarningMessage(message, category, filename, lineno))
            return
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))

    with warnings.catch_warnings():
        warnings.resetwarnings()
        for category in _DEPRECATED:
            warnings.simplefilter("always", category)
        for ignored in (ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", ignored)
        warnings.showwarning = show
        yield deprecations
