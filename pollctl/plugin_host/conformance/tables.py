"""The tables that a plugin makes, tried in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pollctl.errors import PluginError
from pollctl.plugin_host.loader import Plugin, migrations_of
from pollctl.store import database
from pollctl.store.table_rights import Rights, rights_of

if TYPE_CHECKING:
    from sqlite_utils import Database


def table_problems(plugin: Plugin) -> list[str]:
    """Why its tables cannot be made; empty when they can. A pass makes them for good, and fails of the same."""
    try:
        with made_tables(plugin):
            return []
    except PluginError as error:
        return [str(error)]


def table_warnings(plugin: Plugin) -> list[str]:
    """Which of its tables nobody takes for its own by their names, one line each."""
    try:
        with made_tables(plugin) as (_, rights):
            made = sorted(rights.own or ())
    except PluginError:
        return []  # a problem of its own
    return [
        f"its migrations make {name}, which does not begin with {plugin.name}_: say tables=[{name!r}] in its Poller"
        for name in made
        if not name.startswith((*rights.prefixes, "sqlite_"))
    ]


@contextmanager
def made_tables(plugin: Plugin) -> Iterator[tuple[Database, Rights]]:
    """Its tables in a database in memory, and its rights there.

    Raises:
        PluginError: they cannot be made.
    """
    with closing(database.open_to_plan(Path(os.devnull, "nowhere"), migrations_of([plugin]))) as db:
        yield db, rights_of(db, plugin.name, plugin.poller.tables)
