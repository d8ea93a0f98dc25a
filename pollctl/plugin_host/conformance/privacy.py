"""Whether a plugin says of all its columns whether they are private, if it says so of any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pollctl.errors import PluginError
from pollctl.plugin_host.conformance.tables import made_tables
from pollctl.plugin_host.declarations import private_columns, queries
from pollctl.plugin_host.loader import Plugin
from pollctl.store.shown_columns import described, owns
from pollctl.store.table_rights import tables_in

if TYPE_CHECKING:
    from sqlite_utils import Database


def privacy_warnings(plugin: Plugin) -> list[str]:
    """What of its tables `pollctl web` does not show though it may be meant to be, a line each; none where it declares nothing."""
    try:
        queries(plugin)
        declared = private_columns(plugin)
        if "pollctl_private" not in plugin.implemented:
            return []
        with made_tables(plugin) as (db, rights):
            own = sorted(table for table in tables_in(db) if owns(rights, table))
            return [*_unknown(db, own, declared), *_unnamed(db, own, declared)]
    except PluginError as error:
        return [str(error)]


def _unknown(db: Database, own: list[str], declared: Mapping[str, Mapping[str, bool]]) -> Iterator[str]:
    for table, named in declared.items():
        if table not in own:
            yield f"pollctl_private names {table}, which is no table of the plugin"
            continue
        there = {column.name for column in described(db, table)}
        yield from (f"pollctl_private names {table}.{name}, which is not there" for name in named if name not in there)


def _unnamed(db: Database, own: list[str], declared: Mapping[str, Mapping[str, bool]]) -> Iterator[str]:
    for table in own:
        named = declared.get(table, {})
        yield from (
            f"pollctl_private does not say whether {table}.{column.name} is private"
            for column in described(db, table)
            if column.can_hold_text and column.name not in named
        )
