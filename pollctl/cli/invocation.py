"""What the global options of one invocation say; the settings are read when a command first asks for them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pollctl.config.settings import Config
    from pollctl.console.moments import Moments
    from pollctl.plugin_host.discovery import Found


class Invocation:
    """The object behind ``@click.pass_obj`` in the commands of the core.

    Attributes:
        config_file: what ``--config`` named.
        is_debugging: whether errors show their traceback.
        is_utc: whether moments are shown whole, in UTC.
    """

    def __init__(self, config_file: str | None, *, is_debugging: bool, is_utc: bool = False) -> None:
        self.config_file = config_file
        self.is_debugging = is_debugging
        self.is_utc = is_utc

    @cached_property
    def config(self) -> Config:
        """The settings.

        Raises:
            ConfigError: the file or ``[pollctl]`` is wrong.
        """
        from pollctl.config import settings

        return settings.load(settings.find(self.config_file))

    @property
    def moments(self) -> Moments:
        """How moments are shown on a terminal.

        Raises:
            ConfigError: the file or ``[pollctl]`` is wrong.
        """
        from pollctl import clock
        from pollctl.console.moments import Moments

        return Moments(clock.now(), self.config.reading_zone, self.is_utc)

    @cached_property
    def found(self) -> dict[str, Found]:
        """Every plugin that is installed, by name, none of them imported."""
        from pollctl.cli.table import TAKEN
        from pollctl.plugin_host.discovery import discover

        return discover(TAKEN)

    def find(self, name: str) -> Found:
        """The plugin that a person calls *name*.

        Raises:
            UsageError: there is not one of that name.
        """
        from pollctl.api.names import canonical
        from pollctl.plugin_host.discovery import find

        return self.found.get(canonical(name)) or find(name)
