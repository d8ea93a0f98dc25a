"""The migrations of a plugin, each step under the rights that the plugin has, and what tables they make written down."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, cast

from pollctl.api.migrations import AnyMigrations, Migrations, steps_of
from pollctl.errors import DatabaseError, PluginError
from pollctl.store.authorizer import AuthorizedConnection
from pollctl.store.errors import is_of_the_machine
from pollctl.store.table_rights import is_known, remember, rights_of, tables_in

if TYPE_CHECKING:
    from sqlite_utils import Database


class PluginMigrations(Migrations):
    """The steps of a plugin's migrations; each may change the plugin's own tables alone.

    Args:
        original: what the plugin answers.
        prefixes: what else its tables begin with, beside its name.
        place_of: says of what a step raised where in the plugin that was, as `` (migrations.py:12)``.
    """

    def __init__(
        self,
        original: AnyMigrations,
        prefixes: Sequence[str] = (),
        place_of: Callable[[BaseException], str] = lambda _: "",
    ) -> None:
        super().__init__(original.name)
        self.prefixes = tuple(prefixes)
        self.place_of = place_of
        self.steps = [step._replace(fn=partial(self._take_step, step.fn)) for step in steps_of(original)]

    def adopt_tables(self, db: Database, blank: Callable[[], Database]) -> None:
        """Write down which tables earlier steps made, where an older pollctl did not, within the caller's transaction.

        Args:
            db: the database that is migrated.
            blank: makes an empty database with the core's tables in memory, in which those steps are taken again.
        """
        if is_known(db, self.name):
            return
        applied = self.applied(db)
        try:
            with closing(blank()) as trial:
                remember(trial, self.name, frozenset())
                self._only(applied).apply(trial)
                remember(db, self.name, rights_of(trial, self.name, ()).own or frozenset())
        except Exception:  # noqa: BLE001 - steps that need rows to work on: other plugins' tables are refused all the same
            return

    def _only(self, names: Sequence[str]) -> Migrations:
        return Migrations(self.name, [step for step in self.steps if step.name in names])

    def _take_step(self, step: Callable[[Database], object], db: Database) -> None:
        connection = cast("AuthorizedConnection", db.conn)
        there, rights = tables_in(db), rights_of(db, self.name, self.prefixes)
        try:
            with connection.permit("migrate", rights._replace(there=there).refusal):
                step(db)
        except Exception as error:
            if connection.refused:
                what = f"{connection.refused}{self.place_of(error)}"
                raise PluginError(
                    f"the migrations of {self.name!r} may not do this to the database: {what}; nothing was changed"
                ) from error
            raise
        if rights.own is not None:
            now = tables_in(db)
            remember(db, self.name, (rights.own | (now - there)) & now)


def of_plugin(migration_set: AnyMigrations) -> PluginMigrations:
    """The steps of a set under the rights of its plugin."""
    return migration_set if isinstance(migration_set, PluginMigrations) else PluginMigrations(migration_set)


def take_pending(migration_set: Migrations, db: Database) -> None:
    """Take the steps of one set that are pending, within the caller's transaction.

    Raises:
        PluginError: one of them raised.
    """
    try:
        migration_set.apply(db)
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, sqlite3.Error) and is_of_the_machine(error):
            raise
        where = migration_set.place_of(error) if isinstance(migration_set, PluginMigrations) else ""
        what = f"{type(error).__name__}: {error}{where}"
        why = f"the migrations of {migration_set.name!r} raised {what}; nothing was changed"
        raise PluginError(why) from error


def refuse_unknown(db: Database, migration_set: Migrations) -> None:
    """Refuse a database that is ahead of one set.

    Raises:
        DatabaseError: a step was taken that the set does not know.
    """
    known = {step.name for step in migration_set.steps}
    unknown = [name for name in migration_set.applied(db) if name not in known]
    if unknown:
        raise DatabaseError(
            f"the database was made by a newer {migration_set.name} (it has {unknown[0]}, unknown here); update it"
        )
