"""What plugins say for ``pollctl web``: which of their columns are private, and what is worth asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pollctl.errors import PluginError
from pollctl.plugin_host.blame import raised
from pollctl.plugin_host.loader import Plugin

Private = Mapping[str, Mapping[str, bool]]
Queries = Mapping[str, tuple[str, str]]


def private_columns(plugin: Plugin) -> Private:
    """What the plugin says of the columns of its tables; nothing where it says nothing.

    Raises:
        PluginError: its hook raises, or answers something else.
    """
    answered: Private = _asked(plugin, "pollctl_private")
    if not _is_mapping(answered, lambda of: _is_mapping(of, lambda private: isinstance(private, bool))):
        raise _strange(plugin, "pollctl_private", "{table: {column: whether it is private}}")
    return answered


def queries(plugin: Plugin) -> Queries:
    """The queries that the plugin names; none where it names none.

    Raises:
        PluginError: its hook raises, or answers something else.
    """
    answered: Queries = _asked(plugin, "pollctl_queries")
    if not _is_mapping(answered, _is_query):
        raise _strange(plugin, "pollctl_queries", "{name: (title, sql)}")
    return answered


def _asked(plugin: Plugin, hook: str) -> Any:
    try:
        answered = getattr(plugin.hooks, hook)()
    except Exception as error:
        raise PluginError(raised(hook, error, plugin.guests)) from error
    return {} if answered is None else answered


def _is_mapping(answered: Any, is_value: Any) -> bool:
    return isinstance(answered, Mapping) and all(
        isinstance(key, str) and is_value(one) for key, one in answered.items()
    )


def _is_query(answered: Any) -> bool:
    return (
        isinstance(answered, tuple)
        and len(answered) == len(("title", "sql"))
        and all(isinstance(part, str) for part in answered)
    )


def _strange(plugin: Plugin, hook: str, wanted: str) -> PluginError:
    return PluginError(f"{plugin.guests[0]}: {hook} answered something else than {wanted}")
