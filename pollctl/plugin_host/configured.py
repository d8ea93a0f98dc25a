"""Everything that must hold before a pass of a plugin starts: it is imported, and its settings are right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from pollctl.config.schema import PluginConfig
from pollctl.config.settings import Config
from pollctl.errors import PluginError
from pollctl.plugin_host.contract_memory import require_contract
from pollctl.plugin_host.discovery import Found
from pollctl.plugin_host.hooks import Hooks
from pollctl.plugin_host.loader import defaults_of, load, migrations_of
from pollctl.units import Duration

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.store.plugin_migrations import PluginMigrations


class ConfiguredPlugin(NamedTuple):
    """One plugin with its settings; in the place of ``hooks`` stands what is wrong with it, if it cannot be used."""

    config: Config
    name: str
    limits: PluginConfig
    hooks: Hooks | PluginError
    settings: Any
    defaults: Mapping[str, str]

    @property
    def migrations(self) -> list[PluginMigrations]:
        """The plugin's migrations: a list of one or none."""
        return [] if isinstance(self.hooks, PluginError) else migrations_of([self.hooks.plugin])

    def require_hooks(self) -> Hooks:
        """The hooks.

        Raises:
            PluginError: it cannot be used; says why.
        """
        if isinstance(self.hooks, PluginError):
            raise self.hooks
        return self.hooks

    def held_to_contract(self, db: Database) -> ConfiguredPlugin:
        """The same, unless it breaks the contract: then it cannot be used."""
        if isinstance(self.hooks, PluginError):
            return self
        try:
            require_contract(self.hooks.plugin, db)
        except PluginError as error:
            return self._replace(hooks=error)
        return self

    def within(self, deadline: Duration | None) -> ConfiguredPlugin:
        """The same with another deadline; the window yields to it, as far before it as it was. None changes nothing."""
        if deadline is None:
            return self
        longest = max(timedelta(), deadline - (self.limits.deadline - self.limits.window))
        window = min(self.limits.window, Duration(seconds=longest.total_seconds()))
        return self._replace(limits=replace(self.limits, deadline=deadline, window=window))


def configure(config: Config, found: Found, *, check_schedule: bool) -> ConfiguredPlugin:
    """Import the plugin and check its settings.

    A plugin that cannot be used must not raise here: its pass must fail visibly, as a row.

    Args:
        config: the settings.
        found: the plugin, not yet imported.
        check_schedule: whether its schedule is parsed too, which ``due`` has done already for the passes it starts.

    Raises:
        ConfigError: the settings of the plugin are wrong.
    """
    try:
        plugin = load(found)
    except PluginError as error:
        return ConfiguredPlugin(config, found.name, config.timing_and_limits(found.name), error, None, {})
    defaults = defaults_of(plugin)
    settings: Any = config.settings(found.name, plugin.poller.settings, defaults)
    limits = config.timing_and_limits(found.name, defaults, check_schedule=check_schedule)
    return ConfiguredPlugin(config, found.name, limits, Hooks(plugin), settings, defaults)
