"""Moments as people read them on a terminal: short, in their own zone, or as how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from pollctl.clock import from_text, to_text
from pollctl.console.words import distance

_WHOLE = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)
_IN_TWO_ZONES = re.compile(rf"\b(\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d) ([\w/+-]+), ({_WHOLE.pattern})", re.ASCII)
_WEEK = timedelta(days=6)  # the same weekday must not be meant twice


class Moments(NamedTuple):
    """How moments are shown.

    Attributes:
        now: the present moment.
        zone: the zone that people here live by; None means that of the machine.
        is_utc: whether they are shown whole, in UTC.
    """

    now: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    zone: tzinfo | None = None
    is_utc: bool = False

    @property
    def zone_name(self) -> str:
        """How the zone is called at present, such as ``CET``."""
        return "UTC" if self.is_utc else self.local(self.now).tzname() or ""

    def short(self, text: object) -> str:
        """A moment as database text, as ``20:54:01``, ``Mon 20:54`` or ``3 Nov 20:54``; what is not one stays as it is."""
        moment = read(text)
        if moment is None:
            return str(text)
        if self.is_utc:
            return to_text(moment)
        local, today = self.local(moment), self.local(self.now)
        if local.date() == today.date():
            return f"{local:%H:%M:%S}"
        if abs(local.date() - today.date()) <= _WEEK:
            return f"{local:%a %H:%M}"
        if local.year == today.year:
            return f"{local.day} {local:%b %H:%M}"
        return f"{local:%Y-%m-%d %H:%M}"

    def age(self, text: object) -> str:
        """How long ago, or in how long: ``2 min ago``, ``in 42 s``, ``now``."""
        moment = read(text)
        if moment is None:
            return str(text)
        if self.is_utc:
            return to_text(moment)
        seconds = (self.now - moment).total_seconds()
        if abs(seconds) < 1:
            return "now"
        return f"{distance(seconds)} ago" if seconds > 0 else f"in {distance(-seconds)}"

    def long(self, text: object) -> str:
        """Both: ``Mon 20:54 CET, 2 h ago``."""
        if self.is_utc or read(text) is None:
            return self.short(text)
        return f"{self.short(text)} {self.zone_name}, {self.age(text)}"

    def whole(self, text: object) -> str:
        """A moment with its date and zone: ``2026-11-28 20:54:01 CET``; what is not one stays as it is."""
        moment = read(text)
        if moment is None or self.is_utc:
            return self.short(text)
        return f"{self.local(moment):%Y-%m-%d %H:%M:%S %Z}"

    def in_text(self, text: str) -> str:
        """A sentence in which moments stand whole and in UTC, with them made short.

        One that stands in another zone as well, ``2026-11-28 19:02:00 Europe/Amsterdam, 2026-11-28T18:02:00Z``, is left there
        alone where people here read the same on their clocks.
        """
        if self.is_utc:
            return text
        return _WHOLE.sub(lambda match: self.short(match[0]), _IN_TWO_ZONES.sub(self._once, text))

    def _once(self, match: re.Match[str]) -> str:
        there, zone, moment = match.groups()
        is_same = there == f"{self.local(from_text(moment)):%Y-%m-%d %H:%M:%S}"
        return f"{there} {zone}" if is_same else match[0]

    def minute(self, moment: datetime) -> str:
        """A moment as ``short`` has it, without seconds: ``20:54``, ``Mon 20:54``."""
        text = self.short(moment)
        return text[:5] if len(text) == len("20:54:01") else text

    def local(self, moment: datetime) -> datetime:
        """The same moment in the zone of people here; without one in that of the machine, as it was at that moment."""
        return moment.astimezone(UTC if self.is_utc else self.zone)


def read(text: object) -> datetime | None:
    """A moment, or what the database keeps for one; None where it is neither."""
    if isinstance(text, datetime):
        return text if text.tzinfo else None
    if not isinstance(text, str):
        return None
    try:
        return from_text(text) if len(text) >= len("2026-03-08T06:59Z") and text[10] == "T" else None
    except (ValueError, OverflowError):
        return None
