"""How often one of many things is due: settings of plugins that poll each of their targets at a pace of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from pollctl.units import PositiveDuration

if TYPE_CHECKING:
    from pollctl.schedule.slots import Schedule

TOLERANCE = timedelta(seconds=30)


class Pace(str):
    """A duration (``"15m"``) or a cron expression (``"0 8-18 * * 1-5"``, ``"@hourly"``) in a setting; text everywhere else."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pace.

        Raises:
            ValueError: *text* is neither.
        """
        pace = cls(text.strip())
        if pace.is_expression:
            return pace._checked()
        try:
            PositiveDuration.parse(pace)
        except ValueError as error:
            raise ValueError(f'{error}, or a cron expression such as "0 8-18 * * 1-5"') from error
        return pace

    def _checked(self) -> Self:
        try:
            _schedule(self, "UTC")
        except ValueError as error:
            raise ValueError(f"{error}{_hint(self)}") from error
        return self

    @property
    def is_expression(self) -> bool:
        """Whether it is a cron expression."""
        return self.startswith("@") or " " in self

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """When something is due again that was last done at *moment*.

        A duration counts from *moment*, less half of it or 30 s at most: passes begin some seconds late, now more and now less, and
        ten minutes must not become eleven for that. An expression is meant in *zone*; its next slot counts.
        """
        if self.is_expression:
            return next(_schedule(self, zone.key).slots_after(moment))
        length = _length(self)
        return moment + length - min(length / 2, TOLERANCE)


def _hint(text: str) -> str:
    """What was meant by an expression that is not valid, if it was a duration."""
    joined = "".join(text.split())
    try:
        PositiveDuration.parse(joined)
    except ValueError:
        return "" if text.startswith("@") else ', or a duration such as "15m"'
    return f'; did you mean "{joined}"?'


@lru_cache(maxsize=1024)
def _length(text: str) -> timedelta:
    return PositiveDuration.parse(text)


@lru_cache(maxsize=1024)
def _schedule(text: str, zone: str) -> Schedule:
    from pollctl.schedule.slots import Schedule

    return Schedule.parse(text, ZoneInfo(zone), spread=text)
