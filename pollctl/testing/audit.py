"""Listening to Python's audit hooks during a call."""

from __future__ import annotations

import sys
from collections.abc import Callable
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
    if _heard is None or event.startswith(_HARMLESS_EVENTS):
        return
    if event == "open" and str(arguments[0]).endswith((".py", ".pyc")):
        return
    _heard.append(event)
