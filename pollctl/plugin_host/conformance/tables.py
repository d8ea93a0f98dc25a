"""The tables that a plugin makes, tried in memory."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from pollctl.errors import PluginError
from pollctl.plugin_host.loader import Plugin, migrations_of
from pollctl.store import database
from pollctl.store.table_rights import Rights, rights_of


def table_problems(plugin: Plugin) -> list[str]:
    """Why its tables cannot be made; empty when they can. A pass makes them for good, and fails of the same."""
    try:
        _tables_of(plugin)
    except PluginError as error:
        return [str(error)]
    return []


def table_warnings(plugin: Plugin) -> list[str]:
    """Which of its tables nobody takes for its own by their names, one line each."""
    try:
        rights = _tables_of(plugin)
    except PluginError:
        return []  # a problem of its own
    return [
        f"its migrations make {name}, which does not begin with {plugin.name}_: say tables=[{name!r}] in its Poller"
        for name in sorted(rights.own or ())
        if not name.startswith((*rights.prefixes, "sqlite_"))
    ]


def _tables_of(plugin: Plugin) -> Rights:
    with closing(database.open_to_plan(Path(os.devnull, "nowhere"), migrations_of([plugin]))) as db:
        return rights_of(db, plugin.name, plugin.poller.tables)
