"""The end of a forked process: what Python does in order when it ends, for what the copy has made, and nothing for what it found.

To take Python down as a whole costs half the processor time of a small pass, because it touches all that the copy shares with
its original. See docs/decisions/0014-forked-passes.md.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import ModuleType
from typing import Any, NoReturn

_PATIENCE_S = 0.05  # for all threads of ours together, which have nothing to do any more
_FLUSH_FAILED = 120  # Python's own exit code for that


class Belongings:
    """What a copy will have made of its own at its end; ask for it right behind the fork."""

    def __init__(self) -> None:
        gc.freeze()  # what there is now is the original's: the collector looks at it no more, nor must it be copied for that
        self._found = frozenset(sys.modules)

    def end(self, code: int) -> NoReturn:
        """End the process with an exit code: threads joined, exit functions called, modules cleared, files closed.

        With a thread left over, which might come upon what is half gone, all of Python is taken down instead.
        """
        from ctypes import c_int, pythonapi

        try:
            threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as Python itself begins
            atexit._run_exitfuncs()  # noqa: SLF001 - likewise
            if not _is_another_thread_alive():
                self._go(code)
        except BaseException:  # noqa: BLE001 - Python's own last words
            traceback.print_exc()
        pythonapi.Py_Exit(c_int(code))
        raise AssertionError("Py_Exit does not come back")

    def _go(self, code: int) -> NoReturn:
        is_said = _flushed()
        for file in _files():  # in circles, what a file is written through may be closed before it
            with suppress(Exception):
                file.flush()
        _clear([name for name in sys.modules if name not in self._found])
        gc.collect()
        for file in _files():
            with suppress(Exception):
                file.close()
        is_said &= _flushed()
        os._exit(code if is_said else _FLUSH_FAILED)


def _is_another_thread_alive() -> bool:
    """Whether any thread but this one lives, Python's or a library's; yes where the system cannot be asked."""
    until = time.monotonic() + _PATIENCE_S
    for thread in threading.enumerate():
        if thread.name.startswith("pollctl-"):
            thread.join(max(0.0, until - time.monotonic()))
    try:
        return threading.active_count() > 1 or len(os.listdir("/proc/self/task")) > 1  # noqa: PTH208
    except OSError:  # no descriptor is left
        return True


def _flushed() -> bool:
    """Write what was printed; answers whether it could be."""
    is_said = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except (OSError, ValueError, AttributeError):
            is_said = False
    return is_said


def _clear(names: Iterable[str]) -> None:
    """Let modules go, and clear those that something still holds, the latest first, as Python does at its end."""
    left = list(map(_let_go, names))
    gc.collect()
    for reference in reversed(left):
        module = reference()
        if isinstance(module, ModuleType):
            _clear_names(module.__dict__)


def _let_go(name: str) -> Callable[[], object]:
    module = sys.modules.pop(name)
    with suppress(TypeError):  # what only says that it is a module, as the libraries of cffi do
        return weakref.ref(module)
    return lambda: None


def _clear_names(names: dict[str, Any]) -> None:
    """Private names first: what they hold may need the others at its end."""
    for is_private in (True, False):
        for name in list(names):
            if name != "__builtins__" and (name.startswith("_") and not name.startswith("__")) == is_private:
                names[name] = None


def _files() -> list[Any]:
    """The files that the copy has opened and something holds, those of text before what they are written through."""
    kinds: dict[type, bool] = {}  # to ask for each object takes ten times as long
    found = []
    for one in gc.get_objects():
        kind = type(one)
        if kind not in kinds:
            kinds[kind] = issubclass(kind, io.IOBase)
        if kinds[kind] and _is_open(one):
            found.append(one)
    return sorted(found, key=lambda one: not isinstance(one, io.TextIOBase))


def _is_open(file: Any) -> bool:
    try:
        return file not in (sys.stdin, sys.stdout, sys.stderr) and not file.closed
    except Exception:  # noqa: BLE001 - what a class of a plugin says of itself may be anything
        return False
