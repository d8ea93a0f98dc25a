"""Targets and the rows that are kept of them: which belongs to which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from pollctl import Pace, from_text
from pollctl.targets.keys import read_kept
from pollctl.targets.target import Target

T = TypeVar("T", bound=Target)


class Row(NamedTuple):
    """What the table has of a target, beside its value; moments as the database keeps them."""

    id: int
    name: str
    address: str
    definition: str
    added: str | None
    paused_at: str | None
    retired_at: str | None
    looked_at: str | None
    reached_at: str | None
    changed_at: str | None
    failures: int
    failing_since: str | None
    error: str | None
    is_alerted: int
    validators: str | None
    answer: str | None

    @property
    def has_memory(self) -> bool:
        """Whether there is something to compare with."""
        return self.validators is not None


class Known(NamedTuple, Generic[T]):
    """One target, with what is known of it."""

    target: T
    title: str
    definition: str
    row: Row | None = None

    @property
    def is_redefined(self) -> bool:
        """Whether what was remembered is of something else."""
        return self.row is not None and self.row.definition != self.definition

    @property
    def is_active(self) -> bool:
        """Whether it is to be looked at at all."""
        return self.target.enabled and not (self.row and self.row.paused_at)

    def next_at(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When it is due; None for at once, as when it was looked at while the clock was ahead."""
        if self.row is None or self.row.looked_at is None or self.is_redefined:
            return None
        looked_at, next_at = _moments(self.row.looked_at, self.target.every, zone)
        return next_at if looked_at <= now else None


@lru_cache(maxsize=16_384)
def _moments(looked_at: str, every: Pace, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When something was looked at, and when it is due again: alike for all that one pass looked at."""
    moment = from_text(looked_at)
    return moment, every.next_after(moment, zone)


class Broken(NamedTuple):
    """A target that was added and cannot be read any more."""

    row: Row
    why: str


class Roll(NamedTuple, Generic[T]):
    """All targets of a plugin, and the rows that are of none of them.

    Attributes:
        known: those that can be asked.
        broken: those added by a command that cannot be read any more.
        shadowed: rows of added targets whose place one in the settings takes.
        orphans: rows of targets that were in the settings.
    """

    known: list[Known[T]]
    broken: dict[str, Broken]
    shadowed: list[Row]
    orphans: list[Row]

    @property
    def titles(self) -> dict[int, str]:
        """By row, what targets are called that were called otherwise, and nothing for rows that no target has."""
        renamed = {one.row.id: one.title for one in self.known if one.row and one.row.name != one.title}
        return renamed | dict.fromkeys((row.id for row in self.orphans), "")

    def renewed(self, rows: Sequence[Row]) -> Roll[T]:
        """The same targets with the rows as they are now."""
        by_name, by_number = {row.name: row for row in rows}, {row.id: row for row in rows}
        known = [
            one._replace(row=by_number.get(one.row.id) if one.row else by_name.get(one.title)) for one in self.known
        ]
        return self._replace(known=known)


def roll(targets: Iterable[T], kind: type[T], rows: Sequence[Row]) -> Roll[T]:
    """Join the targets of the settings, and those of type *kind* that rows hold, with their rows."""
    own = [Known(one, one.title, one.definition) for one in targets]
    claimed = _claimed(own, [row for row in rows if row.added is None])
    known = [one._replace(row=claimed.get(one.title)) for one in own]
    titles = {one.title for one in own}
    broken: dict[str, Broken] = {}
    shadowed: list[Row] = []
    for row in rows:
        if row.added is not None and row.name in titles:
            shadowed.append(row)
        elif row.added is not None:
            try:
                target = read_kept(row.added, kind)
                known.append(Known(target, row.name, target.definition, row))
            except ValueError as error:
                broken[row.name] = Broken(row, str(error))
    left = {row.id for row in claimed.values()}
    return Roll(known, broken, shadowed, [row for row in rows if row.added is None and row.id not in left])


def _claimed(targets: Sequence[Known[Any]], rows: Sequence[Row]) -> dict[str, Row]:
    """The rows of targets, by title.

    That with its name and definition; else one with its definition: the target was given another name; else one with its name:
    it was defined otherwise.
    """
    claimed: dict[str, Row] = {}
    taken: set[int] = set()
    for key in (_by_both, _by_definition, _by_name):
        free: dict[Any, list[Row]] = {}
        for row in rows:
            if row.id not in taken:
                free.setdefault(key(row.name, row.definition), []).append(row)
        for one in targets:
            if one.title not in claimed and (found := free.get(key(one.title, one.definition))):
                claimed[one.title] = found.pop()
                taken.add(claimed[one.title].id)
    return claimed


def _by_both(name: str, definition: str) -> Any:
    return name, definition


def _by_definition(name: str, definition: str) -> Any:
    return definition or (name,)  # one that was never looked at is known by its name alone


def _by_name(name: str, definition: str) -> Any:  # noqa: ARG001 - all are called alike
    return name
