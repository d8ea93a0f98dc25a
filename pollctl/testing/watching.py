"""Watching a call for the clock, chance, the environment, files, sockets, threads and the terminal.

Python tells a profile function of every call that is made, whoever holds the function under whatever name: an alias in a
module, a default argument, a closure. So nothing is replaced for it and nothing must be put back, and other threads go on.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

from pollctl.plugin_host.conformance import forbidden
from pollctl.plugin_host.conformance.forbidden import Refusal

_MODULES = {"posix": "os", "nt": "os", "_io": "io", "_socket": "socket", "_sqlite3": "sqlite3", "_thread": "_thread"}
"""Where builtin functions live, and where they are imported from."""
_UNTOLD_NAMES = """
    time.gmtime time.localtime time.strftime time.asctime time.ctime time.mktime time.tzset builtins.hash builtins.id
    builtins.exec builtins.eval builtins.compile builtins.__import__ builtins.globals sys._getframe"""
_UNTOLD = frozenset(_UNTOLD_NAMES.split())
"""Whether these are pure depends on their arguments, which are not told; or the standard library needs them itself."""
_HARMLESS_THREAD_CALLS = frozenset({"_thread.allocate_lock", "_thread.get_ident", "_thread.RLock"})
_ELSEWHERE = ("zoneinfo", "importlib", "_frozen_importlib", "tzdata")
"""Importing, and reading time zones, is not what decide does."""
_random_of_all = random.seed.__self__  # type: ignore[attr-defined] # the hidden instance behind random.random()

_ENVIRONMENT = type(os.environ)
_BY_CODE: dict[CodeType, tuple[str, Refusal]] = {
    **{
        getattr(_ENVIRONMENT, name).__code__: ("os.environ", forbidden.ENVIRONMENT)
        for name in ("__getitem__", "__setitem__", "__delitem__", "__iter__", "__len__", "copy")
    },
    random.Random.seed.__code__: ("random.Random() without a seed", forbidden.CHANCE),
    uuid.uuid1.__code__: ("uuid.uuid1", forbidden.CHANCE),
    uuid.uuid4.__code__: ("uuid.uuid4", forbidden.CHANCE),
    socket.socket.__init__.__code__: ("socket.socket", forbidden.NETWORK),
    threading.Thread.start.__code__: ("threading.Thread", forbidden.THREAD),
    logging.Logger._log.__code__: ("logging", forbidden.TERMINAL),  # noqa: SLF001 - what every method of it comes to
}


def watched(call: Callable[[], Any], top: str) -> list[str]:
    """What a call does that a pure function does not, with file and line of the code below the package *top*."""
    watch = _Watch(top)
    previous, is_collecting = sys.getprofile(), gc.isenabled()
    gc.disable()  # what others do when garbage is collected is not the call's doing
    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(previous)
        if is_collecting:
            gc.enable()
    return list(watch.seen)


class _Watch:
    """A profile function that notes; raising would end the call at the first finding, and could be caught."""

    def __init__(self, top: str) -> None:
        self.top = top
        self.seen: dict[str, None] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            self._note(frame, _of_builtin(argument))
        elif event == "call" and frame.f_code in _BY_CODE and frame.f_back:
            self._note(frame.f_back, _of_function(frame))

    def _note(self, frame: FrameType, found: tuple[str, Refusal] | None) -> None:
        if found is None or any(_module_of(one).partition(".")[0] in _ELSEWHERE for one in _callers(frame)):
            return
        name, refusal = found
        own = next((one for one in _callers(frame) if _module_of(one).partition(".")[0] == self.top), frame)
        self.seen[f"it {refusal.does} ({name}) at {_place(own)}; {refusal.instead}"] = None


def _of_builtin(function: Any) -> tuple[str, Refusal] | None:
    holder, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if holder is _random_of_all:
        return f"random.{name}", forbidden.CHANCE
    if isinstance(holder, type) and issubclass(holder, date):
        is_clock = name in ("now", "utcnow", "today")
        return (f"{holder.__name__}.{name}", forbidden.CLOCK) if is_clock else None
    if not isinstance(holder, ModuleType):
        return None
    dotted = f"{_MODULES.get(holder.__name__, holder.__name__)}.{name}"
    if dotted in _UNTOLD | _HARMLESS_THREAD_CALLS:
        return None
    refusal = forbidden.refused(dotted, None)
    return (dotted.removeprefix("builtins."), refusal) if refusal else None


def _of_function(frame: FrameType) -> tuple[str, Refusal] | None:
    if frame.f_code is random.Random.seed.__code__ and frame.f_locals.get("a") is not None:
        return None
    return _BY_CODE[frame.f_code]


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None and _module_of(frame) != __name__:
        yield frame
        frame = frame.f_back


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _place(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    depth = _module_of(frame).count(".") + 1 + (path.stem == "__init__")
    return f"{'/'.join(path.parts[-depth:])}:{frame.f_lineno}"
