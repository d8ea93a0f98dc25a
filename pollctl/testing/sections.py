"""Settings of one plugin, as a struct or TOML text, as a whole settings file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from pollctl import units
from pollctl.redaction import Secret


def settings_file(plugin: str, settings: Struct | str, core: Mapping[str, Any]) -> str:
    """A settings file in TOML.

    Args:
        plugin: its name.
        settings: a struct of the plugin's settings, the text of its section without the header, or a whole file.
        core: tables of ``[pollctl]``; keys that *settings* have count before those.

    Raises:
        tomllib.TOMLDecodeError: the text is not TOML.
    """
    import tomlkit

    tables = tomllib.loads(settings) if isinstance(settings, str) else _tables(settings)
    whole = {"pollctl": _merged(core, tables.pop("pollctl", {}))}
    sections = tables.pop("plugins", {})
    section = _merged({"record": "all", **tables}, sections.pop(plugin, {}))
    return tomlkit.dumps({**whole, "plugins": {**sections, plugin: section}})


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables in one; where both have a key the second wins."""
    both = dict(first)
    for key, value in second.items():
        old = both.get(key)
        both[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both


def _tables(settings: Struct) -> dict[str, Any]:
    plain = msgspec.to_builtins(settings, enc_hook=_shown, builtin_types=())
    return {name: value for name, value in _without_none(plain).items() if name != "type"}


def _shown(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else units.encode(value)


def _without_none(value: Any) -> Any:
    """TOML has no word for nothing: what is not set is left out."""
    if isinstance(value, dict):
        return {name: _without_none(one) for name, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, list) else value
