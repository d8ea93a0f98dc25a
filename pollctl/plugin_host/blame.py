"""Whose code raised an error and where: a plugin's, or that of a wrapper around it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from traceback import format_exception
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pollctl.console import log_format, log_lines
from pollctl.errors import text_of

if TYPE_CHECKING:
    from pollctl.plugin_host.installed import EntryPoint

_OURS = str(Path(__file__).parent.parent)
_IMPORTING = "<frozen importlib"


class Guest(NamedTuple):
    """Somebody's code that pollctl calls.

    Attributes:
        kind: a wrapper goes around the hooks of all plugins.
        name: of its entry point, as people write it.
        entry_point: where it is.
    """

    kind: Literal["plugin", "wrapper"]
    name: str
    entry_point: EntryPoint

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} ({self.entry_point.origin})"

    def owns(self, file: str) -> bool:
        """Whether a source file belongs to it."""
        home = self.entry_point.file or _home(self.entry_point.module)
        return bool(home) and (file == home or file.startswith(f"{home}/"))


class Place(NamedTuple):
    """Where an error was raised.

    Attributes:
        guest: whose code was the last to be called, of those that were asked about; None if none of theirs was.
        text: its last line, and where it ended: ``decide.py:13, in json/decoder.py``; empty if nobody knows.
        since: the traceback from their first line on.
    """

    guest: Guest | None
    text: str
    since: TracebackType | None


def place_of(error: BaseException, guests: Sequence[Guest]) -> Place:
    """Where an error was raised, as seen by those whose code it passed through."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        owner = next((guest for guest in guests if guest.owns(error.filename)), None)
        return Place(owner, f"{Path(error.filename).name}:{error.lineno}", None)
    frames = [one for one in _frames(error.__traceback__) if not one.file.startswith(_IMPORTING)]
    if not frames:
        return Place(None, "", None)
    own = [(frame, guest) for frame in frames for guest in guests if guest.owns(frame.file)]
    if not own:
        ours = frames[-1].file.startswith(f"{_OURS}/")  # a wrong answer, of which no line of theirs is known
        return Place(None, "" if ours else f"{Path(frames[-1].file).name}:{frames[-1].line}", error.__traceback__)
    last, guest = own[-1]
    beyond = [one for one in frames[frames.index(last) + 1 :] if not one.file.startswith(f"{_OURS}/")]
    ended = f", in {'/'.join(Path(beyond[-1].file).parts[-2:])}" if beyond else ""
    return Place(guest, f"{Path(last.file).name}:{last.line}{ended}", own[0][0].traceback)


def raised_here(what: str, error: BaseException, guests: Sequence[Guest]) -> str:
    """As ``raised``, where it stands beside the plugin's name: only a wrapper is named."""
    return raised(what, error, guests).removeprefix(f"{guests[0]}: ")


def raised(what: str, error: BaseException, guests: Sequence[Guest]) -> str:
    """What a hook or an import raised, in a line; with ``--debug`` the traceback goes to stderr too.

    Args:
        what: what raised, such as ``decide``; the first of *guests* is whose it is, unless the error shows that it is another's.
        error: what it raised.
        guests: the plugin, and the wrappers around it.
    """
    place = place_of(error, guests)
    show_traceback(error, place)
    where = f" ({place.text})" if place.text else ""
    return f"{place.guest or guests[0]}: {what} raised {type(error).__name__}: {text_of(error)}{where}"


def show_traceback(error: BaseException, place: Place) -> None:
    """With ``--debug``, write a guest's own part of a traceback to stderr, the same once."""
    if log_format.is_debugging():
        _show_once("".join(format_exception(type(error), error, place.since)))


@cache
def _show_once(text: str) -> None:
    log_lines(text)


def function_place(function: Any) -> str:
    """Where a function is defined, as ``__init__.py:12``."""
    from inspect import unwrap

    code = getattr(unwrap(getattr(function, "__func__", function)), "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code else "of no file"


def class_place(kind: type, field: str = "") -> str:
    """Where a class is defined, or a field of it, as ``model.py:12``."""
    from inspect import getsourcefile, getsourcelines

    try:
        file, (lines, first) = getsourcefile(kind), getsourcelines(kind)
    except (OSError, TypeError):
        return f"of module {kind.__module__}"
    within = next((number for number, line in enumerate(lines) if line.split(":")[0].strip() == field), 0)
    return f"{Path(file or '').name}:{first + within}"


class _Frame(NamedTuple):
    file: str
    line: int
    traceback: TracebackType


def _frames(traceback: TracebackType | None) -> list[_Frame]:
    frames = []
    while traceback is not None:
        frames.append(_Frame(traceback.tb_frame.f_code.co_filename, traceback.tb_lineno, traceback))
        traceback = traceback.tb_next
    return frames


@cache
def _home(module: str) -> str:
    """The folder of the package that a module is in, or the file of a module that is in none; empty if it cannot be found.

    Of a package that is only a place for others, such as ``acme`` in ``acme.gauge``, what lies in it counts.
    """
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        origin = _origin(".".join(parts[:depth]))
        if origin:
            path = Path(origin)
            return str(path.parent if path.name.startswith("__init__.") else path)
    return ""


def _origin(module: str) -> str:
    known = sys.modules.get(module)
    if known is not None:
        return getattr(known, "__file__", None) or ""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return ""
    return (spec.origin or "") if spec else ""
