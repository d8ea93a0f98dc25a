"""Whose a table is: the core's, a plugin's by what its migrations made or by a prefix, or nobody's that is known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pollctl.store.authorizer import refused_of_core

if TYPE_CHECKING:
    from sqlite_utils import Database


class Rights(NamedTuple):
    """Which tables one plugin may write.

    Attributes:
        plugin: its name.
        prefixes: what the names of its tables begin with: its own name, and what ``Poller.tables`` says.
        own: the tables that its migrations made; None where that cannot be told, and only the tables of others are refused.
        others: the tables of other plugins, and whose each is.
        there: the tables that were there before a migration began, which makes those that were not its own; None where tables
            are not made.
    """

    plugin: str
    prefixes: tuple[str, ...]
    own: frozenset[str] | None
    others: Mapping[str, str]
    there: frozenset[str] | None = None

    def refusal(self, table: str) -> str:
        """Why the plugin may not write a table, as ``, a table of plugin 'x'``; empty if it may."""
        name = table.lower()
        if refused := refused_of_core(name):
            return refused
        if other := self.others.get(name):
            return f", a table of plugin {other!r}"
        if self.own is None or name in self.own or name.startswith(self.prefixes):
            return ""
        if self.there is not None and name not in self.there:
            return ""
        return f", which no migration of {self.plugin!r} made and no prefix in Poller.tables names"


def rights_of(db: Database, plugin: str, prefixes: Sequence[str]) -> Rights:
    """What a plugin may write in this database, whose migrations were applied."""
    made = {name: _names(tables) for name, tables in db.execute("SELECT plugin, tables FROM plugin_tables").fetchall()}
    others = {table: name for name, tables in made.items() if name != plugin for table in tables}
    return Rights(plugin, (f"{plugin}_", *map(str.lower, prefixes)), made.get(plugin), others)


def is_known(db: Database, plugin: str) -> bool:
    """Whether it was written down which tables the plugin's migrations made."""
    return db.execute("SELECT 1 FROM plugin_tables WHERE plugin=?", [plugin]).fetchone() is not None


def remember(db: Database, plugin: str, tables: frozenset[str]) -> None:
    """Write down which tables the plugin's migrations made, within the caller's transaction."""
    db.execute(
        "INSERT INTO plugin_tables VALUES (?,?) ON CONFLICT (plugin) DO UPDATE SET tables=excluded.tables",
        [plugin, json.dumps(sorted(tables))],
    )


def tables_in(db: Database) -> frozenset[str]:
    """The names of all tables and views there are but SQLite's own, in small letters as SQLite compares them."""
    rows = db.execute("SELECT lower(name) FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    return frozenset(name for (name,) in rows if not name.startswith("sqlite_"))


def _names(tables: str) -> frozenset[str]:
    return frozenset(json.loads(tables))
