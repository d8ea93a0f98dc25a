"""The plugins that are installed: what each says of itself, and why one cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from pollctl.errors import ConfigError, PluginError
from pollctl.plugin_host.configured import defaults_of
from pollctl.plugin_host.discovery import Found
from pollctl.plugin_host.loader import load

if TYPE_CHECKING:
    from pollctl.config.settings import Config


class Installed(Struct, frozen=True, kw_only=True):
    """One row of ``pollctl plugins``.

    Attributes:
        state: ``enabled``, ``disabled``, or ``broken`` when it cannot be used, as ``error`` says.
        schedule: the expression that holds for it; None when it is broken.
    """

    plugin: str
    distribution: str
    version: str
    state: str
    schedule: str | None = None
    summary: str | None = None
    error: str | None = None


def inventory(config: Config, found: Mapping[str, Found]) -> Iterator[Installed]:
    """A row for each plugin in *found*; this imports them all."""
    for one in found.values():
        yield _installed(config, one)


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
