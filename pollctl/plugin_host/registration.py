"""Joining the hooks of one guest to a plugin manager, and saying by file and line what is wrong with them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import pluggy

from pollctl import signals
from pollctl.api import hookspecs
from pollctl.config.files import UnfitFileError
from pollctl.errors import PluginError, text_of
from pollctl.plugin_host.blame import Guest, function_place, place_of, show_traceback

OF_WRAPPERS = ("plugin", "run")
"""What each hook of a wrapper may take beside what the hook of a plugin takes."""
_MARK = "pollctl_impl"


class Relay:
    """The hooks of a plugin and of the wrappers around it, to be called by name."""

    def __init__(self, manager: pluggy.PluginManager, plugin: str) -> None:
        self._manager = manager
        self._plugin = plugin

    def __getattr__(self, hook: str) -> Any:
        """Call a hook; wrappers hear for which plugin, and in which pass if there is one."""
        return partial(getattr(self._manager.hook, hook), plugin=self._plugin, run=None)

    def implementations(self, hook: str, guest: str) -> list[Any]:
        """The functions by which a guest implements a hook."""
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        return [one.function for one in implementations if one.plugin_name == guest]

    def wrappers(self, hook: str) -> list[str]:
        """The names of the wrappers around a hook."""
        return [one.plugin_name for one in getattr(self._manager.hook, hook).get_hookimpls() if _is_wrapper(one)]


def new_manager() -> pluggy.PluginManager:
    """A plugin manager that knows all hooks, with the arguments that wrappers may take too."""
    manager = pluggy.PluginManager("pollctl")
    manager.add_hookspecs(hookspecs)
    for caller in vars(manager.hook).values():
        caller.spec.argnames = (
            *caller.spec.argnames,
            *(name for name in OF_WRAPPERS if name not in caller.spec.argnames),
        )
    return manager


def register(manager: pluggy.PluginManager, guest: Guest) -> frozenset[str]:
    """Import a guest and join its hooks; answers their names.

    Raises:
        PluginError: it cannot be imported, or a hook is misspelt, unmarked, or takes what it is not given.
    """
    module = imported(guest)
    if unmarked := [*_unmarked(module)]:
        raise broken(guest, f"{', '.join(unmarked)} lacks the mark @pollctl.hookimpl")
    try:
        manager.register(module, name=_name(guest))
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError, TypeError) as error:
        problems = [*_problems(module, guest)] or [" ".join(str(error).split())]
        raise broken(guest, "; ".join(problems)) from error
    if guest.kind == "wrapper":
        _refuse_replacing(manager, guest)
    elif problems := [*_problems(module, guest)] if _takes_more(manager, guest) else []:
        raise broken(guest, "; ".join(problems))
    return frozenset(caller.name for caller in manager.get_hookcallers(module) or ())


def imported(guest: Guest) -> Any:
    """What a guest's entry point names.

    Raises:
        PluginError: it cannot be imported; says where.
    """
    try:
        return guest.entry_point.load()
    except UnfitFileError as error:
        raise broken(guest, str(error)) from error
    except BaseException as error:
        if signals.is_of_a_person(error):
            raise
        place = place_of(error, [guest])
        show_traceback(error, place)
        said = error.msg if isinstance(error, SyntaxError) else text_of(error)
        where = f" ({place.text})" if place.guest else ""
        raise broken(guest, f"cannot be imported: {type(error).__name__}: {said}{where}") from error


def broken(guest: Guest, reason: str) -> PluginError:
    """The error that says what is wrong with a guest."""
    return PluginError(f"{guest}: {reason}")


def _name(guest: Guest) -> str:
    return guest.name if guest.kind == "plugin" else f"wrapper {guest.name!r}"


def _unmarked(module: Any) -> Iterator[str]:
    for name, value in getattr(module, "__dict__", {}).items():
        if name.startswith("pollctl_") and callable(value) and not hasattr(value, _MARK):
            hint = "" if name in _hooks() else _hint(name, _hooks())
            yield f"{name} ({function_place(value)}){hint}"


def _problems(module: Any, guest: Guest) -> Iterator[str]:
    """Every hook of a guest that no hook is called like, or that takes what it is not given."""
    more = OF_WRAPPERS if guest.kind == "wrapper" else ()
    for name, function in _marked(module):
        known = _hooks().get(name)
        if known is None:
            yield f"there is no hook {name} ({function_place(function)}){_hint(name, _hooks())}"
            continue
        allowed = [*known, *(one for one in more if one not in known)]
        for wanted in _arguments(function):
            if wanted not in allowed:
                may = f"it may take {', '.join(allowed)}" if allowed else "it takes none"
                hint = _hint(wanted, allowed) or f"; {may}"
                yield f"{name} takes {wanted!r} ({function_place(function)}), which it is not given{hint}"


def _takes_more(manager: pluggy.PluginManager, guest: Guest) -> bool:
    """Whether a plugin takes what only wrappers may."""
    callers = manager.get_hookcallers(manager.get_plugin(_name(guest))) or ()
    implementations = [(caller.name, one) for caller in callers for one in caller.get_hookimpls()]
    return any(
        set(one.argnames) - set(_hooks()[hook]) for hook, one in implementations if one.plugin_name == _name(guest)
    )


def _refuse_replacing(manager: pluggy.PluginManager, guest: Guest) -> None:
    """A wrapper goes around the hooks of every plugin and takes the place of none."""
    callers = manager.get_hookcallers(manager.get_plugin(_name(guest))) or ()
    implementations = [one for caller in callers for one in caller.get_hookimpls() if one.plugin_name == _name(guest)]
    plain = [
        f"{one.function.__name__} ({function_place(one.function)})" for one in implementations if not _is_wrapper(one)
    ]
    if plain:
        raise broken(guest, f"it would replace {', '.join(plain)}; mark it @pollctl.hookimpl(wrapper=True)")


def _is_wrapper(implementation: Any) -> bool:
    return bool(implementation.wrapper or implementation.hookwrapper)


def _marked(module: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(module):
        function = getattr(module, name)
        if inspect.isroutine(function) and hasattr(function, _MARK):
            yield getattr(function, _MARK).get("specname") or name, function


def _arguments(function: Any) -> list[str]:
    """Those that pluggy passes by name; what has a default is the function's own."""
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]


@cache
def _hooks() -> dict[str, Sequence[str]]:
    """What each hook of a plugin may take, by the names of the hooks."""
    functions = {name: one for name, one in vars(hookspecs).items() if name.startswith("pollctl_")}
    return {name: one.__code__.co_varnames[: one.__code__.co_argcount] for name, one in functions.items()}


def _hint(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
