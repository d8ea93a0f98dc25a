"""The plugins that are installed, and the wrappers: what each says of itself, and why one cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from pollctl.console.words import enumeration
from pollctl.errors import ConfigError, PluginError
from pollctl.plugin_host.discovery import Found
from pollctl.plugin_host.loader import defaults_of, load
from pollctl.plugin_host.wrappers import hooks_of, wrappers

if TYPE_CHECKING:
    from pollctl.config.settings import Config
    from pollctl.plugin_host.blame import Guest


class Installed(Struct, frozen=True, kw_only=True):
    """One row of ``pollctl plugins``.

    Attributes:
        plugin: its name, or that of a wrapper.
        state: ``enabled``, ``disabled``, ``wrapper``, or ``broken`` when it cannot be used, as ``error`` says.
        schedule: the expression that holds for it; None when it is broken, or a wrapper.
    """

    plugin: str
    distribution: str
    version: str
    state: str
    schedule: str | None = None
    summary: str | None = None
    error: str | None = None


def inventory(config: Config, found: Mapping[str, Found]) -> Iterator[Installed]:
    """A row for each plugin in *found*, then one for each wrapper; this imports them all."""
    for one in found.values():
        yield _installed(config, one)
    for wrapper in wrappers():
        yield _around(wrapper)


def _around(wrapper: Guest) -> Installed:
    announced = wrapper.entry_point
    known = {"plugin": wrapper.name, "distribution": announced.distribution, "version": announced.version}
    try:
        return Installed(**known, state="wrapper", summary=f"goes around {enumeration(hooks_of(wrapper))}")
    except PluginError as error:
        return Installed(**known, state="broken", error=str(error))


def _installed(config: Config, found: Found) -> Installed:
    known = {"plugin": found.name, "distribution": found.distribution, "version": found.version}
    state = "enabled" if found.name in config.enabled else "disabled"
    try:
        plugin = load(found)
    except PluginError as error:
        return Installed(**known, state="broken", error=str(error))
    try:
        schedule = config.timing_and_limits(found.name, defaults_of(plugin)).schedule
    except ConfigError as error:
        return Installed(**known, state=state, summary=plugin.poller.summary, error=str(error))
    return Installed(**known, state=state, summary=plugin.poller.summary, schedule=schedule)
