"""What a cron expression names on a wall clock, without any zone; croniter reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pollctl.schedule.model import SEPARATOR

if TYPE_CHECKING:
    from croniter import croniter

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
ALLOWED = (
    "write five fields (minute hour day month weekday), six with seconds first,"
    " or @hourly, @daily, @weekly, @monthly, @yearly"
)
# A schedule may rest for years (a 29 February that is a Sunday comes every 28, around 2100 every 40).
LONGEST_REST_YEARS = 40
SECOND = timedelta(seconds=1)
LONGEST = 1000
"""Characters of an expression; all that a schedule can say fits in."""
_SOME_MOMENT = datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_NOTHING = _SOME_MOMENT, _SOME_MOMENT - SECOND
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(r"(?P<low>\w{1,9}|\*)(-(?P<high>\w{1,9}))?(/(?P<step>\d{1,9}))?", re.ASCII)


class _Field(NamedTuple):
    name: str
    allowed: str
    last: int
    words: dict[str, int]


_FIELDS = (
    _Field("second", "0-59", 59, {}),
    _Field("minute", "0-59", 59, {}),
    _Field("hour", "0-23", 23, {}),
    _Field("day", "1-31 or L", 31, {}),
    _Field("month", "1-12 or jan-dec", 12, {word: n for n, word in enumerate(_MONTHS, 1)}),
    _Field("weekday", "0-7 or sun-sat", 6, {word: n for n, word in enumerate(_WEEKDAYS)}),
)


class Expression:
    """The wall-clock moments (naive, whole seconds) that a cron expression names.

    Attributes:
        is_wildcard: whether minute or hour begins with ``*``: such schedules go by the clock at a change.
    """

    def __init__(self, text: str, *, spread: str) -> None:
        """Read *text*; ``H`` is drawn from *spread*.

        Raises:
            ValueError: it is not a valid schedule or names no moment; shows the expression and what is allowed.
        """
        fields = _split(text)
        minute, hour = fields[-5:-3]
        self.is_wildcard = minute.startswith("*") or hour.startswith("*")
        try:
            self._engine = _engine(fields, spread)
            self._engine.get_next(start_time=_SOME_MOMENT)
        except ValueError as error:
            raise ValueError(f"{text!r} is not a valid schedule: {_fault(fields)}") from error
        # The last rests that were searched, without a moment between their ends: who goes through the changes of a clock
        # within a rest of years asks for each of them.
        self._next = self._latest = _NOTHING

    def after(self, wall: datetime) -> Iterator[datetime]:
        """The moments strictly after *wall*, in order, without end."""
        while True:
            asked, found = self._next
            if not asked <= wall < found:
                found = self._engine.get_next(start_time=wall)
                self._next = wall, found
            wall = found
            yield wall

    def until(self, wall: datetime) -> datetime:
        """The newest moment that is not after *wall*."""
        found, asked = self._latest
        if not found <= wall <= asked:
            # get_prev leaves out the moment it starts from, so it starts one second later
            found = self._engine.get_prev(start_time=wall.replace(microsecond=0) + SECOND)
            self._latest = found, wall
        return found


def warnings(expression: str) -> list[str]:
    """What is valid in *expression* but easily misread, a sentence each; none for what is not a valid schedule."""
    return [warning for part in expression.split(SEPARATOR) for warning in _warnings(part)]


def _warnings(expression: str) -> list[str]:
    try:
        fields = _split(expression)
    except ValueError:
        return []
    return [
        warning
        for field, text in zip(_FIELDS[-len(fields) :], fields, strict=True)
        for item in text.split(",")
        if (warning := _misread(field, item))
    ]


def _misread(field: _Field, item: str) -> str:
    match = _ITEM.fullmatch(item)
    if match is None:
        return ""
    low, high, step = _number(field, match["low"]), _number(field, match["high"]), match["step"]
    if low == "*":
        return _misread_step(field, item, int(step or 1))
    if high is None and step and low == field.last:
        return f"{field.name} {item!r} means {low} only (before croniter 7: */{step}): write {low} or */{step}"
    if high is not None and low == high:
        return f"{field.name} {item!r} means every {field.name}, not just {low}: write {low} or *"
    return ""


def _misread_step(field: _Field, item: str, step: int) -> str:
    """A step that no second one follows within the field: nobody who writes it means just the first."""
    if step <= field.last:
        return ""
    return f"{field.name} {item!r} means the first {field.name} only: there are no {step} of them to step over"


def _number(field: _Field, text: str | None) -> int | str | None:
    return int(text) if text and text.isdigit() else field.words.get(text or "", text)


def _split(text: str) -> list[str]:
    """The fields in lower case, an alias written out."""
    if len(text) > LONGEST:
        raise ValueError(f"{text[:20]!r}... is not a valid schedule: it has more than {LONGEST} characters")
    fields = ALIASES.get(text.strip().lower(), text).lower().split()
    if len(fields) not in (5, 6):
        found = "an unknown alias" if text.strip().startswith("@") else f"{len(fields)} fields"
        raise ValueError(f"{text!r} is not a valid schedule: {found}; {ALLOWED}")
    if any(field.startswith("r") for field in fields):
        raise ValueError(
            f"{text!r} is not a valid schedule: R is random, so no slot could be known in advance; write H"
        )
    if fields[-3] == "h":
        fields[-3] = "h(1-28)"  # a day that every month has, so that no month is left out
    return fields


@cache
def _engine_type() -> type[croniter[datetime]]:
    """croniter, without the process that it starts when it is imported: it runs ``file`` to hear how many bits Python has."""
    import platform
    import struct

    asked = platform.architecture
    platform.architecture = lambda *_: (f"{8 * struct.calcsize('P')}bit", "")
    try:
        from croniter import croniter
    finally:
        platform.architecture = asked
    return croniter


def _engine(fields: list[str], spread: str) -> croniter[datetime]:
    return _engine_type()(
        " ".join(fields),
        _SOME_MOMENT,
        datetime,
        hash_id=spread.encode(),
        second_at_beginning=True,
        implement_cron_bug=True,  # crontab(5): if day or weekday begins with *, both must match, else either
        max_years_between_matches=LONGEST_REST_YEARS,
    )


def _fault(fields: list[str]) -> str:
    """Which field croniter does not take, found by trying each alone."""
    for position, field in enumerate(_FIELDS[-len(fields) :]):
        alone = ["*"] * len(fields)
        alone[position] = fields[position]
        try:
            _engine(alone, "")
        except ValueError:
            return (
                f"{field.name} {fields[position]!r} is not one of {field.allowed},"
                " *, lists (1,2), ranges (1-5), steps (*/5), H or H(1-5)"
            )
    return "no year has such a day"
