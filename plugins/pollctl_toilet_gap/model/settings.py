"""Settings, and the part of them that each check keeps."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct
from msgspec.structs import force_setattr, replace

from pollctl import Duration, HttpUrl, PositiveDuration, Secret, split_addresses

_DAY = timedelta(days=1)
_SHORTEST_GAP = timedelta(minutes=1)
_LARGEST_LEVEL = 2**31 - 1


class Terms(Struct, frozen=True, kw_only=True):
    """What holds for one check: its monitor's settings, kept with it, since a day ends by the rules that it began by.

    Attributes:
        start, end: wall-clock times in ``timezone``: the A and B of the rules.
        gap_ms, grace_ms: whole milliseconds.
    """

    timezone: str
    start: str
    end: str
    gap_ms: int
    grace_ms: int
    level: int
    event: str
    alarm: str

    @property
    def gap(self) -> timedelta:
        """The longest time without a visit."""
        return timedelta(milliseconds=self.gap_ms)

    @property
    def grace(self) -> timedelta:
        """How long after its end a window is judged."""
        return timedelta(milliseconds=self.grace_ms)

    def updated(self, other: Terms) -> Terms:
        """These terms with what may change in the middle of a day; start, zone, robot and event change with the next one."""
        return replace(
            self,
            end=other.end,
            gap_ms=other.gap_ms,
            grace_ms=other.grace_ms,
            level=other.level,
            alarm=other.alarm,
        )


class Monitor(Struct, frozen=True, kw_only=True):
    """One ``[[plugins.toilet_gap.monitors]]``; sample.toml says what each key means."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    robot_id: Annotated[str, Meta(min_length=1, max_length=200)]
    timezone: ZoneInfo
    start: str
    end: str
    gap: PositiveDuration = PositiveDuration(hours=2)
    level: Annotated[int, Meta(ge=0, le=_LARGEST_LEVEL)] = 10
    grace: Duration = Duration()
    event: Annotated[str, Meta(min_length=1, max_length=200)] = "TOILET_ACTIVITY"
    alarm: Annotated[str, Meta(min_length=1, max_length=200)] = "NO_TOILET_ACTIVITY_ALARM"
    notify: tuple[Secret, ...] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "notify", tuple(split_addresses(self.notify)))
        try:
            self._check()
        except ValueError as error:
            raise ValueError(f"monitor {self.name!r}: {error}") from error

    def _check(self) -> None:
        for name in ("name", "robot_id", "event", "alarm"):
            if not getattr(self, name).isprintable() or getattr(self, name) != getattr(self, name).strip():
                raise ValueError(f"{name} {getattr(self, name)!r} must be printable text without spaces around it")
        if self.robot_id in (".", ".."):
            raise ValueError(f"robot_id {self.robot_id!r} cannot stand in an address")
        length = (minutes_of("end", self.end) - minutes_of("start", self.start)) % 1440 or 1440
        if self.gap < _SHORTEST_GAP:
            raise ValueError(f'gap "{self.gap}" is too short; allowed at least "1m"')
        if self.gap > timedelta(minutes=length):
            raise ValueError(
                f'gap "{self.gap}" is longer than the day from {self.start} to {self.end}: no alarm could ever come'
            )
        if self.grace >= self.gap:
            raise ValueError(f'grace "{self.grace}" must be shorter than the gap "{self.gap}"')
        if self.alarm == self.event:
            raise ValueError(f"alarm and event are both {self.event!r}: an alarm would count as a visit")

    @property
    def terms(self) -> Terms:
        """What a check that begins now is held to."""
        return Terms(
            timezone=str(self.timezone),
            start=self.start,
            end=self.end,
            gap_ms=self.gap // timedelta(milliseconds=1),
            grace_ms=self.grace // timedelta(milliseconds=1),
            level=self.level,
            event=self.event,
            alarm=self.alarm,
        )


class Settings(Struct, frozen=True, kw_only=True):
    """The section ``[plugins.toilet_gap]``; sample.toml says what each key means."""

    event_service_url: HttpUrl | None = None
    queue_url: HttpUrl | None = None
    endpoint_url: HttpUrl | None = None
    region: str = ""
    queue_wait: Duration = Duration(seconds=1)
    shared_queue: bool = False
    provider_name: Annotated[str, Meta(min_length=1, max_length=200)] = "pollctl"
    max_messages: Annotated[int, Meta(ge=1, le=10_000)] = 500
    future_skew: Duration = Duration(minutes=5)
    start_tolerance: Duration = Duration(minutes=2)
    replay_required: bool = True
    keep_records: PositiveDuration = PositiveDuration(days=90)
    keep_dead_letters: PositiveDuration = PositiveDuration(days=30)
    monitors: tuple[Monitor, ...] = ()

    def __post_init__(self) -> None:
        if set("?#") & set(self.event_service_url or ""):
            raise ValueError("event_service_url must end before any ? or #: paths are put behind it")
        if self.monitors and not self.event_service_url:
            raise ValueError("event_service_url is missing: there are monitors, and no service to ask about them")
        if not self.replay_required and not self.queue_url:
            raise ValueError("replay_required = false needs a queue_url: without a queue the history is all there is")
        if self.queue_wait > timedelta(seconds=20) or self.queue_wait % timedelta(seconds=1):
            raise ValueError(f'queue_wait "{self.queue_wait}" is not what SQS takes: whole seconds, at most "20s"')
        if self.future_skew > _DAY:
            raise ValueError(f'future_skew "{self.future_skew}" is more than a day: no clock is that wrong')
        self._check_monitors()

    def _check_monitors(self) -> None:
        name, number = next(iter(Counter(monitor.name for monitor in self.monitors).most_common(1)), ("", 0))
        if number > 1:
            raise ValueError(f"{number} monitors are called {name!r}; each needs a name of its own")
        for monitor in self.monitors:
            if self.start_tolerance >= monitor.gap:
                raise ValueError(
                    f'start_tolerance "{self.start_tolerance}" must be shorter than the gap "{monitor.gap}" of '
                    f"monitor {monitor.name!r}: it would raise alarms for a time that was not watched"
                )

    @property
    def notify(self) -> list[Secret]:
        """Everybody who hears of an alarm, each once."""
        return split_addresses([one for monitor in self.monitors for one in monitor.notify])

    @property
    def is_fifo(self) -> bool:
        """Whether the queue keeps the order of its messages: it locks a group while some of it are not deleted."""
        return (self.queue_url or "").endswith(".fifo")

    @property
    def by_name(self) -> dict[str, Monitor]:
        """The monitors by their names."""
        return {monitor.name: monitor for monitor in self.monitors}


def minutes_of(key: str, text: str) -> int:
    """Minutes since the beginning of a day, of a wall-clock time ``HH:MM``.

    Raises:
        ValueError: it is not a valid one.
    """
    hours, colon, minutes = text.partition(":")
    is_time = colon and len(hours) == len(minutes) == 2 and (hours + minutes).isascii()  # noqa: PLR2004
    if not (is_time and (hours + minutes).isdecimal() and int(hours) < 24 and int(minutes) < 60):  # noqa: PLR2004
        raise ValueError(f'{key} {text!r} is not a valid time of day; write "08:00" or "23:30"')
    return int(hours) * 60 + int(minutes)
