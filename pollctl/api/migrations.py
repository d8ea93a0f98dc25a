"""The steps in which a plugin's tables are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    import sqlite_utils
    from sqlite_utils import Database

TABLE = "_sqlite_migrations"
"""Where sqlite-utils writes down which steps were taken: https://sqlite-utils.datasette.io/en/stable/migrations.html"""
_Function = TypeVar("_Function", bound=Callable[..., object])


class Step(NamedTuple):
    """One of them: its name, what takes it, and whether sqlite-utils puts that into a transaction."""

    name: str
    fn: Callable[[Database], object]
    transactional: bool


class Migrations:
    """Steps that make and change tables, each taken once and in this order; ``@migrations()`` stands before each function.

    It is used as ``sqlite_utils.Migrations`` is, and has that take the steps. Whether one is left is seen without
    importing sqlite-utils, which would be a sixth of a pass that finds nothing to do.
    """

    def __init__(self, name: str, steps: Iterable[Step] = ()) -> None:
        self.name = name
        self.steps = list(steps)

    def __call__(self, *, name: str | None = None, transactional: bool = True) -> Callable[[_Function], _Function]:
        """Make the function below it the next step, called as it is or as *name* says.

        Raises:
            ValueError: there is a step of this name.
        """

        def added(function: _Function) -> _Function:
            step = Step(name or function.__name__, function, transactional)
            if step.name in {one.name for one in self.steps}:
                raise ValueError(f"the migrations of {self.name!r} have two steps named {step.name!r}")
            self.steps.append(step)
            return function

        return added

    def applied(self, db: Database) -> list[str]:
        """Names of the steps that were taken in a database, in their order."""
        if not db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [TABLE]).fetchone():
            return []
        rows = db.execute(f"SELECT name FROM {TABLE} WHERE migration_set = ? ORDER BY rowid", [self.name])  # noqa: S608
        return [name for (name,) in rows]

    def pending(self, db: Database) -> list[Step]:
        """The steps that are left."""
        applied = self.applied(db)
        return [step for step in self.steps if step.name not in applied]

    def apply(self, db: Database, *, stop_before: str | Sequence[str] | None = None) -> None:
        """Take the steps that are left; none from *stop_before* on, which is for tests of an upgrade."""
        from sqlite_utils import Migrations as Taken

        taken = Taken(self.name)
        for step in self.steps:
            taken(name=step.name, transactional=step.transactional)(cast("Callable[[Database], None]", step.fn))
        taken.apply(db, stop_before=stop_before)


AnyMigrations: TypeAlias = "Migrations | sqlite_utils.Migrations"
"""What a plugin may answer."""


def steps_of(migrations: AnyMigrations) -> list[Step]:
    """The steps of migrations of either kind."""
    if isinstance(migrations, Migrations):
        return migrations.steps
    found: list[Any] = migrations._migrations  # noqa: SLF001 - there is no public list
    return [Step(one.name, one.fn, getattr(one, "transactional", True)) for one in found]
