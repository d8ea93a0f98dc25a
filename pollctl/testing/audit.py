"""Listening to Python's audit hooks during a call."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

_HARMLESS_EVENTS = (
    "import",
    "compile",
    "exec",
    "marshal.",
    "object.",
    "sys._getframe",
    "sys.setprofile",
    "builtins.id",
    "code.__new__",
)

_heard: list[str] | None = None
_is_listening = False


def audited(call: Callable[[], Any]) -> list[str]:
    """The events that Python's audit hooks tell of during a call: files, sockets, processes ...; imports do not count."""
    global _heard  # noqa: PLW0603 - an audit hook cannot be removed, only switched off
    _listen()
    heard: list[str] = []
    _heard = heard
    try:
        call()
    finally:
        _heard = None
    return heard


def _listen() -> None:
    global _is_listening  # noqa: PLW0603 - as above
    if not _is_listening:
        sys.addaudithook(_hear)
        _is_listening = True


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard is None or event.startswith(_HARMLESS_EVENTS) or _is_of_an_import(sys._getframe(1)):  # noqa: SLF001
        return
    if event == "open" and _is_constant(str(arguments[0])):
        return
    _heard.append(event)


def _is_of_an_import(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith("<frozen importlib")


def _is_constant(path: str) -> bool:
    """Whether a file is source or a time zone, which are there like constants."""
    return path.endswith((".py", ".pyc")) or "zoneinfo" in Path(path).parts
