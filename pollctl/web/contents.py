"""What there is to be shown: asked of all plugins that can be had, enabled or not, as their tables stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from os import uname
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pollctl import console
from pollctl.errors import PollctlError
from pollctl.inspection.queries import QUERIES
from pollctl.plugin_host.declarations import private_columns, queries
from pollctl.plugin_host.loader import load, migrations_of
from pollctl.store import database
from pollctl.store.files import require_right_to_write
from pollctl.store.shown_columns import shown_columns
from pollctl.web.dashboards import OF_CORE, Query

if TYPE_CHECKING:
    from pathlib import Path

    from sqlite_utils import Database

    from pollctl.plugin_host.discovery import Found
    from pollctl.plugin_host.loader import Plugin
    from pollctl.web.connection import Shown

T = TypeVar("T")


class Contents(NamedTuple):
    """What is shown.

    Attributes:
        path: the database.
        host: where that is, for the title.
        read_shown: what may be shown of it.
        queries: what is worth asking, also of tables that are not there yet.
    """

    path: Path
    host: str
    read_shown: Callable[[Database], Shown]
    queries: Sequence[Query]


def contents_of(path: Path, found: Mapping[str, Found]) -> Contents:
    """What is shown of a database; of a plugin that cannot be had, or says of itself what cannot be used, nothing.

    Raises:
        DatabaseError: there is none, or it cannot be used by this version.
        UsageError: it belongs to another user.
    """
    plugins = [plugin for one in found.values() if (plugin := _tried(load, one)) is not None]
    require_right_to_write(path)
    with closing(database.open_to_read(path)) as db:
        database.require_known(db, [one for plugin in plugins for one in _tried(migrations_of, [plugin]) or ()])
    declared = {plugin.name: (_tried(private_columns, plugin) or {}, plugin.poller.tables) for plugin in plugins}
    return Contents(
        path,
        uname().nodename,
        lambda db: shown_columns(db, {name: (columns, tuple(tables)) for name, (columns, tables) in declared.items()}),
        [Query(OF_CORE, name, *query) for name, query in QUERIES.items()] + _of_plugins(plugins),
    )


def _of_plugins(plugins: Sequence[Plugin]) -> list[Query]:
    named = {plugin.name: _tried(queries, plugin) or {} for plugin in plugins}
    return [Query(plugin, name, *query) for plugin, found in named.items() for name, query in found.items()]


def _tried(ask: Callable[..., T], *about: object) -> T | None:
    """What a plugin answers; None, and a word on stderr, where that cannot be had."""
    try:
        return ask(*about)
    except PollctlError as error:
        console.warn(f"{error}; nothing of it is shown")
        return None
