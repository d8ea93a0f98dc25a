"""Finding plugins by name without importing them, loading one, and saying plainly what is wrong with it."""

from __future__ import annotations

import difflib
import importlib.metadata
from collections.abc import Sequence
from typing import Any, NamedTuple

import pluggy

from pollctl import hookspecs, signals
from pollctl.errors import PluginError, UsageError
from pollctl.model import CONTRACT_VERSION, Poller

GROUP = "pollctl"
WRAPPERS = "pollctl.wrappers"
OWN_DISTRIBUTION = "pollctl"


class Found(NamedTuple):
    """A plugin as its distribution announces it; ``trouble`` says why it cannot be used, if that is known already."""

    name: str
    entry_point: importlib.metadata.EntryPoint
    distribution: str
    version: str
    trouble: str = ""


class Plugin(NamedTuple):
    """A plugin that was imported and keeps the contract, in a plugin manager of its own."""

    found: Found
    hooks: Any
    poller: Poller
    implemented: frozenset[str]

    @property
    def name(self) -> str:
        """The name that is its table prefix, lock file, section and command."""
        return self.found.name


def canonical(name: str) -> str:
    """A plugin's name as the code has it; people may write ``-`` for ``_``."""
    return name.replace("-", "_")


def discover(taken: Sequence[str] = ()) -> dict[str, Found]:
    """Every plugin that is installed, by name and in that order, without importing any.

    Args:
        taken: names that no plugin may have (the commands of pollctl).
    """
    found: dict[str, Found] = {}
    for entry_point in importlib.metadata.entry_points(group=GROUP):
        plugin = _announced(entry_point, taken)
        other = found.get(plugin.name)
        found |= _without_clash(plugin, other) if other else {plugin.name: plugin}
    return dict(sorted(found.items()))


def find(name: str) -> Found:
    """One plugin by name, ``-`` or ``_`` alike.

    Raises:
        UsageError: there is none of that name; names the nearest.
    """
    known = discover()
    if canonical(name) in known:
        return known[canonical(name)]
    near = difflib.get_close_matches(canonical(name), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
    raise UsageError(f"no plugin named {name!r} ({hint})")


def load(found: Found) -> Plugin:
    """Import a plugin and hold it against the contract; wrappers are joined to it.

    Raises:
        PluginError: names plugin, distribution and every way in which it breaks the contract.
    """
    if found.trouble:
        raise _broken(found, found.trouble)
    manager = pluggy.PluginManager("pollctl")
    manager.add_hookspecs(hookspecs)
    _register(manager, found, found.entry_point, found.name)
    for wrapper in importlib.metadata.entry_points(group=WRAPPERS):
        _register(manager, found, wrapper, f"wrapper {wrapper.name}")
        _refuse_replacing(manager, found, f"wrapper {wrapper.name}")
    implemented = _check_hooks(manager, found)
    poller = _ask_facts(manager, found)
    return Plugin(found, manager.hook, poller, implemented)


def _announced(entry_point: importlib.metadata.EntryPoint, taken: Sequence[str]) -> Found:
    distribution = entry_point.dist
    name = canonical(entry_point.name)
    is_taken = name.replace("_", "-") in taken
    trouble = f"the name {entry_point.name!r} is taken by a command of pollctl" if is_taken else ""
    if distribution is None:
        return Found(name, entry_point, "unknown", "", trouble)
    return Found(name, entry_point, distribution.name, distribution.version, trouble)


def _without_clash(plugin: Found, other: Found) -> dict[str, Found]:
    """Of two plugins with one name pollctl's own wins; of two strangers neither, since nobody can say which was meant.

    The one that lost stands beside it under a key that is no name, so that listings tell of it and nothing runs it.
    """
    if plugin.entry_point == other.entry_point:
        return {}
    if OWN_DISTRIBUTION not in (plugin.distribution, other.distribution):
        both = f"{other.distribution} and {plugin.distribution}"
        return {plugin.name: plugin._replace(trouble=f"the name is taken by two distributions, {both}")}
    own, stranger = (plugin, other) if plugin.distribution == OWN_DISTRIBUTION else (other, plugin)
    trouble = f"the name {own.name!r} is taken by a plugin of pollctl"
    return {own.name: own, f"{own.name} of {stranger.distribution}": stranger._replace(trouble=trouble)}


def _register(
    manager: pluggy.PluginManager, found: Found, entry_point: importlib.metadata.EntryPoint, name: str
) -> None:
    try:
        plugin = entry_point.load()
    except BaseException as error:
        if signals.is_of_a_person(error):
            raise
        raise _broken(found, f"{name} cannot be imported: {type(error).__name__}: {error}") from error
    try:
        manager.register(plugin, name=name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError, TypeError) as error:
        raise _broken(found, " ".join(str(error).split())) from error
    unmarked = [
        attribute
        for attribute, value in getattr(plugin, "__dict__", {}).items()
        if attribute.startswith("pollctl_") and callable(value) and not _is_marked(value)
    ]
    if unmarked:
        raise _broken(found, f"{', '.join(unmarked)} lacks the mark @pollctl.hookimpl")


def _refuse_replacing(manager: pluggy.PluginManager, found: Found, name: str) -> None:
    """A wrapper goes around the hooks of every plugin and takes the place of none."""
    callers = manager.get_hookcallers(manager.get_plugin(name)) or ()
    implementations = [one for caller in callers for one in caller.get_hookimpls() if one.plugin_name == name]
    plain = [one.function.__name__ for one in implementations if not (one.wrapper or one.hookwrapper)]
    if plain:
        raise _broken(found, f"{name} would replace {', '.join(plain)}; mark it @pollctl.hookimpl(wrapper=True)")


def _is_marked(function: Any) -> bool:
    return hasattr(function, "pollctl_impl")


def _check_hooks(manager: pluggy.PluginManager, found: Found) -> frozenset[str]:
    plugin = manager.get_plugin(found.name)
    implemented = frozenset(caller.name for caller in manager.get_hookcallers(plugin) or ())
    missing = [name for name in hookspecs.REQUIRED if name not in implemented]
    if missing:
        raise _broken(found, f"it lacks the hook {', '.join(missing)}")
    return implemented


def _ask_facts(manager: pluggy.PluginManager, found: Found) -> Poller:
    try:
        poller = manager.hook.pollctl_poller()
    except BaseException as error:
        if signals.is_of_a_person(error):
            raise
        raise _broken(found, f"pollctl_poller raised {type(error).__name__}: {error}") from error
    if not isinstance(poller, Poller):
        raise _broken(found, f"pollctl_poller answered {type(poller).__name__}, not pollctl.Poller")
    if poller.contract != CONTRACT_VERSION:
        raise _broken(found, f"it needs contract version {poller.contract}; this pollctl has {CONTRACT_VERSION}")
    return poller


def _broken(found: Found, reason: str) -> PluginError:
    return PluginError(f"plugin {found.name!r} ({found.distribution} {found.version}): {reason}")


def migrations_of(plugins: Sequence[Plugin]) -> list[Any]:
    """The migration sets of plugins, for those that have tables.

    Raises:
        PluginError: one of them cannot be had.
    """
    return [_migrations(plugin) for plugin in plugins if plugin.poller.migrations]


def _migrations(plugin: Plugin) -> Any:
    try:
        return plugin.poller.migrations() if plugin.poller.migrations else None
    except BaseException as error:
        if signals.is_of_a_person(error):
            raise
        raise _broken(plugin.found, f"its migrations raised {type(error).__name__}: {error}") from error
