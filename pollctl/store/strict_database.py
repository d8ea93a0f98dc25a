"""What a database is in sqlite-utils' terms."""

from __future__ import annotations

from sqlite_utils import Database


class StrictDatabase(Database):
    """A database of sqlite-utils that need not try out what SQLite can do by making tables: STRICT tells us already."""

    supports_on_conflict = True
    supports_strict = True
