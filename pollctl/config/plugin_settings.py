"""What settings of plugins may be made of: a struct that reads itself as the settings file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from typing import Self


class Settings(Struct, frozen=True, kw_only=True):
    """A base for the settings of a plugin; any frozen msgspec struct will do as well."""

    @classmethod
    def read(cls, text: str = "", *, plugin: str = "name") -> Self:
        """Read the section of a plugin, as tests want it.

        Args:
            text: the keys below ``[plugins.name]``, as TOML.
            plugin: the name.

        Raises:
            ConfigError: what is wrong with it, in the words that users get.
        """
        import os
        import tomllib
        from pathlib import Path

        from pollctl.config.schema import Core
        from pollctl.config.settings import Config, Source
        from pollctl.errors import ConfigError

        try:
            section = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"plugins.{plugin}: {error}") from error
        source = Source(None, os.environ, {"pollctl": {"database": "none"}, "plugins": {plugin: section}})
        return Config(path=None, core=Core(database=Path()), source=source).settings(plugin, cls)
