"""Importing one plugin, holding it against the contract, and saying plainly what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import pluggy

from pollctl import signals
from pollctl.api import hookspecs
from pollctl.api.values import Poller
from pollctl.errors import PluginError
from pollctl.plugin_host.discovery import Found
from pollctl.plugin_host.facts import fact_problems
from pollctl.plugin_host.installed import EntryPoint, entry_points

WRAPPERS = "pollctl.wrappers"


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


def load(found: Found) -> Plugin:
    """Import a plugin and hold it against the contract; wrappers are joined to it.

    Raises:
        PluginError: names plugin, distribution and every way in which it breaks the contract.
    """
    if found.error:
        raise _broken(found, found.error)
    manager = pluggy.PluginManager("pollctl")
    manager.add_hookspecs(hookspecs)
    _register(manager, found, found.entry_point, found.name)
    for wrapper in entry_points(WRAPPERS):
        _register(manager, found, wrapper, f"wrapper {wrapper.name}")
        _refuse_replacing(manager, found, f"wrapper {wrapper.name}")
    implemented = _check_hooks(manager, found)
    poller = _ask_facts(manager, found, implemented)
    return Plugin(found, manager.hook, poller, implemented)


def _register(manager: pluggy.PluginManager, found: Found, entry_point: EntryPoint, name: str) -> None:
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


def _ask_facts(manager: pluggy.PluginManager, found: Found, implemented: frozenset[str]) -> Poller:
    try:
        poller = manager.hook.pollctl_poller()
    except BaseException as error:
        if signals.is_of_a_person(error):
            raise
        raise _broken(found, f"pollctl_poller raised {type(error).__name__}: {error}") from error
    if problems := fact_problems(poller, implemented):
        raise _broken(found, "; ".join(problems))
    return cast("Poller", poller)


def _broken(found: Found, reason: str) -> PluginError:
    return PluginError(f"plugin {found.name!r} ({found.distribution} {found.version}): {reason}")


def migrations_of(plugins: Sequence[Plugin]) -> list[Any]:
    """The migration sets of plugins, for those that have tables.

    Raises:
        PluginError: one of them cannot be had, or is named like another plugin's.
    """
    return [_migrations(plugin, plugin.poller.migrations) for plugin in plugins if plugin.poller.migrations]


def _migrations(plugin: Plugin, make: Callable[[], Any]) -> Any:
    try:
        migrations = make()
    except BaseException as error:
        if signals.is_of_a_person(error):
            raise
        raise _broken(plugin.found, f"its migrations raised {type(error).__name__}: {error}") from error
    if not hasattr(migrations, "name"):
        raise _broken(plugin.found, f"its migrations are {type(migrations).__name__}, not sqlite_utils.Migrations")
    if migrations.name != plugin.name:
        raise _broken(plugin.found, f"its migrations are named {migrations.name!r}, not {plugin.name!r}")
    from pollctl.store.plugin_migrations import PluginMigrations

    return PluginMigrations(migrations, plugin.poller.tables)
