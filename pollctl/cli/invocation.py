"""What the global options of one invocation say; the settings are read when a command first asks for them."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

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
        """The settings, for a command that acts by them.

        Raises:
            ConfigError: the file or ``[pollctl]`` is wrong, or a stranger may have written it.
        """
        return self._loaded(is_obeyed=True)

    @property
    def config_path(self) -> Path | None:
        """Where the settings lie, also where they cannot be read; None where there are none, or what was named is not there."""
        from pollctl.config import places
        from pollctl.errors import ConfigError

        try:
            return places.find(self.config_file)
        except ConfigError:
            return None

    @property
    def moments(self) -> Moments:
        """How moments are shown on a terminal.

        Raises:
            ConfigError: the file or ``[pollctl]`` is wrong.
        """
        from pollctl import clock
        from pollctl.console.moments import Moments

        return Moments(clock.now(), self.config_to_look.reading_zone, self.is_utc)

    @cached_property
    def config_to_look(self) -> Config:
        """The settings, for a command that changes nothing that they name.

        Raises:
            ConfigError: the file or ``[pollctl]`` is wrong, or a stranger may have written it and this is not root's own choice.
        """
        return self._loaded(is_obeyed=False) if self.may_look_anywhere else self.config

    def _loaded(self, *, is_obeyed: bool) -> Config:
        from pollctl import console
        from pollctl.config import places, settings

        config = settings.load(places.find(self.config_file), is_obeyed=is_obeyed)
        console.log_format.settle(config.core.log_format)
        if config.path is None and console.is_terminal(sys.stderr):
            where = config.core.database
            console.warn(f"no settings file was found: the built-in ones hold, with the database {where}")
        return config

    @property
    def may_look_anywhere(self) -> bool:
        """Whether this is root, who named the file: who looks after others' passes must be able to see how they stand."""
        return bool(self.config_file) and os.geteuid() == 0

    @cached_property
    def plugins_dir(self) -> Path | None:
        """The folder of plugins of one file; what else the settings say may be wrong."""
        from pollctl.config import places
        from pollctl.errors import ConfigError

        if self.config_path is None:
            return None
        try:
            return self.config_to_look.core.plugins_dir
        except ConfigError:
            return places.plugins_dir(self.config_file)

    @cached_property
    def found(self) -> dict[str, Found]:
        """Every plugin that is installed or lies in ``plugins_dir``, by name, none of them imported."""
        from pollctl.cli.table import TAKEN
        from pollctl.plugin_host.discovery import discover

        return discover(TAKEN, self.plugins_dir)

    def find(self, name: str) -> Found:
        """The plugin that a person calls *name*.

        Raises:
            UsageError: there is none of that name, or no plugin can have it.
        """
        from pollctl.api.names import checked
        from pollctl.plugin_host.discovery import find

        return self.found.get(checked(name)) or find(name, self.plugins_dir)
