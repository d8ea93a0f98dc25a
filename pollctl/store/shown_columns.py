"""Which columns may be shown to whoever may ask anything: those that the core and the plugins do not call private."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from pollctl.sql import columns
from pollctl.store.authorizer import CORE_TABLES
from pollctl.store.table_rights import Rights, rights_of, tables_in

if TYPE_CHECKING:
    from sqlite_utils import Database

Declared = Mapping[str, Mapping[str, bool]]
"""By tables: of columns, whether they are private."""
_NUMBERS = frozenset({"INT", "INTEGER", "REAL"})
OF_CORE: Declared = {
    "runs": columns(shown="id plugin trigger started_at finished_at outcome stats error trace_id host"),
    "schedules": columns(
        shown="plugin last_started_at last_finished_at last_outcome not_before last_alert_at last_complaint defaults"
    ),
    "next_due": columns(shown="due_at reckoned_at fingerprint"),
    "outbox": columns(
        shown="plugin run_id kind status next_attempt_at last_error created_at delivered_at",
        private="key lane payload result",
    ),
    "outbox_addresses": columns(private="url"),
    "outbox_attachments": columns(shown="type", private="name content"),
    "recordings": columns(shown="run_id now", private="settings state batch decisions"),
    "holds": columns(shown="plugin upstream not_before"),
    "printed": columns(shown="name printed_at", private="what"),
    "tireless": columns(shown="plugin kinds"),
    "purity": columns(shown="plugin judged_by files"),
    "idle": columns(shown="plugin since until", private="settings"),
    "validators": columns(shown="plugin kept_at", private="request headers"),
    "plugin_tables": columns(shown="plugin tables"),
    "_sqlite_migrations": columns(shown="migration_set name applied_at"),
}


class Column(NamedTuple):
    """A column as SQLite describes it."""

    name: str
    can_hold_text: bool


def shown_columns(
    db: Database, of_plugins: Mapping[str, tuple[Declared, tuple[str, ...]]]
) -> dict[str, frozenset[str]]:
    """By tables that may be read, the columns that may be shown, all in small letters as SQLite compares them.

    What can hold text and was not named is not shown; numbers are.

    Args:
        db: the database.
        of_plugins: by plugins, what they declare, and what the names of their tables begin with beside their own. What a plugin
            says of tables that are not its own is not heeded.
    """
    there = tables_in(db)
    shown = {table: _shown(db, table, named) for table, named in OF_CORE.items() if table in there}
    for plugin, (declared, prefixes) in of_plugins.items():
        rights = rights_of(db, plugin, prefixes)
        for table, named in declared.items():
            if (name := table.lower()) in there and name not in CORE_TABLES and owns(rights, name):
                shown[name] = _shown(db, name, named)
    return shown


def owns(rights: Rights, table: str) -> bool:
    """Whether a table is known to be a plugin's: by its migrations, or by its name."""
    is_its_own = table in (rights.own or ()) or table.startswith(rights.prefixes)
    return is_its_own and not rights.refusal(table)


def described(db: Database, table: str) -> list[Column]:
    """The columns of a table; only a STRICT one keeps text out of columns of numbers other than the number of a row."""
    rows = db.execute("SELECT strict FROM pragma_table_list WHERE schema='main' AND name=? COLLATE NOCASE", [table])
    is_strict = any(strict for (strict,) in rows.fetchall())
    # SQLite makes an index for each key that is not the number of its row, whatever its type.
    has_index = db.execute("SELECT 1 FROM pragma_index_list(?) WHERE origin='pk'", [table]).fetchone()
    found = db.execute("SELECT name, type, pk FROM pragma_table_xinfo(?)", [table]).fetchall()
    return [
        Column(name, not ((is_strict and kind.upper() in _NUMBERS) or (key and not has_index)))
        for name, kind, key in found
    ]


def _shown(db: Database, table: str, named: Mapping[str, bool]) -> frozenset[str]:
    return frozenset(_shown_of(described(db, table), {name.lower(): private for name, private in named.items()}))


def _shown_of(found: list[Column], named: Mapping[str, bool]) -> Iterator[str]:
    if "rowid" not in {column.name.lower() for column in found}:
        yield "rowid"
    for column in found:
        if not named.get(name := column.name.lower(), column.can_hold_text):
            yield name
