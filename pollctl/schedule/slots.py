"""The slots of a cron expression in a zone: strictly increasing moments in UTC, by Debian cron's rules.

See ``docs/decisions/0001-slots.md`` for the rules and for why croniter alone does not keep them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from pollctl.schedule.expression import Expression
from pollctl.schedule.model import SEPARATOR
from pollctl.schedule.zones import SECOND, Stretch, stretches

# cron(8): "Local time changes of less than three hours [...] are handled in a special way."
SPECIAL = timedelta(hours=3)
_SOME_MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
_SLOTS_OF_A_ROUND = 62  # 60 minutes or seconds, and the step to the next hour or minute


class Schedule:
    """One cron expression, or several, in one zone.

    Attributes:
        zone: the zone in which they are meant.
    """

    def __init__(self, expressions: Sequence[Expression], zone: ZoneInfo) -> None:
        self.zone = zone
        self._parts = [_ExpressionSlots(expression, zone) for expression in expressions]

    @classmethod
    def parse(cls, expression: str, zone: ZoneInfo, *, spread: str = "") -> Schedule:
        """Read a cron expression: five fields, six with seconds first, or an alias such as ``@hourly``.

        Several, joined by ``|``, give the slots of each.

        Args:
            expression: as croniter reads it, without its random ``R`` and its years.
            zone: the zone in which it is meant.
            spread: what ``H`` is drawn from, ``plugin@host``.

        Raises:
            ValueError: it is not a valid schedule or names no moment; shows the expression and what is allowed.
        """
        return cls([Expression(part.strip(), spread=spread) for part in expression.split(SEPARATOR)], zone)

    def slots_after(self, moment: datetime) -> Iterator[datetime]:
        """The slots strictly after *moment*, strictly increasing, in UTC, without end."""
        last = moment.astimezone(UTC)
        for slot in merge(*(part.slots_after(moment) for part in self._parts)):
            if slot > last:
                yield slot
                last = slot

    @property
    def shortest_pause(self) -> timedelta:
        """The distance of its two nearest slots, among as many as show each step of the finest field of each expression."""
        slots = islice(self.slots_after(_SOME_MOMENT), _SLOTS_OF_A_ROUND * len(self._parts))
        return min(later - sooner for sooner, later in pairwise(slots))

    def latest(self, moment: datetime) -> datetime:
        """The newest slot that is not after *moment*, in UTC."""
        return max(part.latest(moment) for part in self._parts)


class _ExpressionSlots:
    """The slots of one expression in one zone."""

    def __init__(self, expression: Expression, zone: ZoneInfo) -> None:
        self._zone = zone
        self._expression = expression

    def slots_after(self, moment: datetime) -> Iterator[datetime]:
        """The slots strictly after *moment*, strictly increasing, in UTC, without end."""
        last = moment.astimezone(UTC)
        for stretch in self._stretches_from(last):
            for slot in self._slots_within(stretch, last):
                yield slot
                last = slot

    def latest(self, moment: datetime) -> datetime:
        """The newest slot that is not after *moment*, in UTC."""
        moment = moment.astimezone(UTC)
        for stretch in self._stretches_back(moment):
            first, end = self._walls(stretch)
            wall = self._expression.until(min(_wall(moment, stretch.offset), end - SECOND))
            if wall >= first:
                return _moment(wall, stretch)
        raise AssertionError("a schedule that was read has fired before")

    def _slots_within(self, stretch: Stretch, last: datetime) -> Iterator[datetime]:
        """The slots of *stretch* after *last*."""
        first, end = self._walls(stretch)
        passed = first - SECOND
        if last >= stretch.start:
            passed = max(passed, _wall(last, stretch.offset))
        for wall in self._expression.after(passed):
            if wall >= end:
                return
            slot = _moment(wall, stretch)
            if slot > last:
                yield slot
                last = slot

    def _walls(self, stretch: Stretch) -> tuple[datetime, datetime]:
        """From which wall-clock time, up to which, the expression is read in *stretch*.

        A fixed-time schedule goes on where the wall clock was before the change: what a gap skipped comes at
        once, what comes by a second time is left out. Others begin with what the clock shows now.
        """
        change = stretch.offset - stretch.before
        is_special = -SPECIAL <= change < SPECIAL and not self._expression.is_wildcard
        first = _wall(stretch.start, stretch.before if is_special else stretch.offset)
        return first, _wall(stretch.end, stretch.offset)

    def _stretches_from(self, moment: datetime) -> Iterator[Stretch]:
        year = moment.year
        while True:
            yield from (stretch for stretch in stretches(self._zone, year) if stretch.end > moment)
            year += 1

    def _stretches_back(self, moment: datetime) -> Iterator[Stretch]:
        for year in range(moment.year, 0, -1):
            yield from (stretch for stretch in reversed(stretches(self._zone, year)) if stretch.start <= moment)


def _wall(moment: datetime, offset: timedelta) -> datetime:
    return (moment + offset).replace(tzinfo=None)


def _moment(wall: datetime, stretch: Stretch) -> datetime:
    """The moment of a wall-clock time in *stretch*; one that a gap skipped comes right after the gap."""
    return max(stretch.start, wall.replace(tzinfo=UTC) - stretch.offset)
