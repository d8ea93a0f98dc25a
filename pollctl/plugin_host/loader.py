"""Importing one plugin, holding it against the contract, and saying plainly what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from pollctl import signals
from pollctl.api import hookspecs
from pollctl.api.poller import Poller
from pollctl.errors import PluginError
from pollctl.plugin_host.blame import Guest, place_of, raised, show_traceback
from pollctl.plugin_host.discovery import Found
from pollctl.plugin_host.facts import fact_problems
from pollctl.plugin_host.plugin_files import PluginFile
from pollctl.plugin_host.registration import Relay, broken, imported, new_manager, register
from pollctl.plugin_host.wrappers import wrappers

if TYPE_CHECKING:
    from pollctl.api.migrations import AnyMigrations
    from pollctl.store.plugin_migrations import PluginMigrations


class Plugin(NamedTuple):
    """A plugin that was imported and keeps the contract, in a plugin manager of its own.

    Attributes:
        guests: the plugin, and the wrappers around its hooks.
    """

    found: Found
    hooks: Relay
    poller: Poller
    implemented: frozenset[str]
    guests: tuple[Guest, ...]

    @property
    def name(self) -> str:
        """The name that is its table prefix, lock file, section and command."""
        return self.found.name


def guest_of(found: Found) -> Guest:
    """A plugin as somebody whose code is called."""
    return Guest("plugin", found.name, found.entry_point)


def load(found: Found) -> Plugin:
    """Import a plugin and hold it against the contract; wrappers are joined to it.

    Raises:
        PluginError: names plugin or wrapper, distribution and every way in which it breaks the contract.
    """
    guest = guest_of(found)
    if found.error:
        raise broken(guest, found.error)
    manager = new_manager()
    implemented = register(manager, guest)
    around = wrappers()
    for wrapper in around:
        register(manager, wrapper)
    if missing := [name for name in hookspecs.REQUIRED if name not in implemented]:
        raise broken(guest, f"it lacks the hook {', '.join(missing)}{_elsewhere(guest)}")
    relay = Relay(manager, found.name)
    guests = (guest, *around)
    return Plugin(found, relay, _ask_facts(relay, guests, implemented), implemented, guests)


def _elsewhere(guest: Guest) -> str:
    """The object of a module that has the hooks which the module itself lacks, and how it is found."""
    values = getattr(imported(guest), "__dict__", {})
    name = next((name for name, value in values.items() if hasattr(type(value), hookspecs.REQUIRED[0])), "")
    if not name:
        return ""
    announced = guest.entry_point
    is_file = isinstance(announced, PluginFile)
    remedy = "call it `plugin`" if is_file else f"let the entry point name `{announced.module}:{name}`"
    return f"; its `{name}` has them: {remedy}"


def _ask_facts(relay: Relay, guests: Sequence[Guest], implemented: frozenset[str]) -> Poller:
    try:
        poller = relay.pollctl_poller()
    except BaseException as error:
        if signals.is_of_a_person(error):
            raise
        raise PluginError(raised("pollctl_poller", error, guests)) from error
    if problems := fact_problems(poller, implemented):
        raise broken(guests[0], "; ".join(problems))
    return cast("Poller", poller)


def defaults_of(plugin: Plugin) -> dict[str, str]:
    """The plugin's own defaults for keys of the core, its schedule among them."""
    return {"schedule": plugin.poller.schedule, **plugin.poller.defaults}


def migrations_of(plugins: Sequence[Plugin]) -> list[PluginMigrations]:
    """The migration sets of plugins, for those that have tables.

    Raises:
        PluginError: one of them cannot be had, or is named like another plugin's.
    """
    return [_migrations(plugin, plugin.poller.migrations) for plugin in plugins if plugin.poller.migrations]


def _migrations(plugin: Plugin, make: Callable[[], AnyMigrations]) -> PluginMigrations:
    from pollctl.store.plugin_migrations import PluginMigrations

    guest = plugin.guests[0]
    try:
        migrations = make()
    except BaseException as error:
        if signals.is_of_a_person(error):
            raise
        raise PluginError(raised("its migrations", error, [guest])) from error
    if not hasattr(migrations, "name"):
        raise broken(guest, f"its migrations are {type(migrations).__name__}, not pollctl.Migrations")
    if migrations.name != plugin.name:
        raise broken(guest, f"its migrations are named {migrations.name!r}, not {plugin.name!r}")
    return PluginMigrations(migrations, plugin.poller.tables, partial(_place, guest))


def _place(guest: Guest, error: BaseException) -> str:
    place = place_of(error, [guest])
    show_traceback(error, place)
    return f" ({place.text})" if place.guest else ""
