"""Many values in few buckets of time: what a strip of bars and a line can show without hiding the worst."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil, isfinite

from msgspec import Struct

from pollctl.api.listing import Standing
from pollctl.api.report import Heartbeat, TimeSeries

BUCKETS = 240
"""Of a series."""
WORSE: Mapping[Standing, int] = {"none": 0, "info": 1, "ok": 2, "warn": 3, "fail": 4}
_LOW, _HIGH = 0.05, 0.95


class Bar(Struct, frozen=True):
    """What one bar of a heartbeat stands for: the worst level in it, how many of each, what was said about the worst."""

    start: datetime
    end: datetime
    level: Standing
    counts: Mapping[Standing, int]
    text: str


class Bucket(Struct, frozen=True):
    """What one step of a series stands for: of how many values, the share that was lost, and where the others lie."""

    start: datetime
    count: int
    lost: float
    low: float | None = None
    median: float | None = None
    high: float | None = None


def bars(heartbeat: Heartbeat, length: timedelta) -> list[Bar]:
    """The bars of a heartbeat, each of one length of time; what lies outside is left out."""
    number = max(1, ceil((heartbeat.end - heartbeat.start) / length))
    counts: list[Counter[Standing]] = [Counter() for _ in range(number)]
    texts: list[tuple[int, str]] = [(-1, "")] * number
    for beat in heartbeat.beats:
        place = _place(beat.at, heartbeat.start, heartbeat.end, number, length)
        if place is None:
            continue
        counts[place][beat.level] += beat.count
        texts[place] = max(texts[place], (WORSE[beat.level], beat.text), key=lambda one: (one[0], bool(one[1])))
    starts = [heartbeat.start + place * length for place in range(number)]
    return [
        Bar(start, start + length, max(counted, key=WORSE.__getitem__, default="none"), counted, text)
        for start, counted, (_, text) in zip(starts, counts, texts, strict=True)
    ]


def buckets(series: TimeSeries, number: int = BUCKETS) -> list[Bucket]:
    """The buckets of a series: median, 5 to 95 % and the share lost of each."""
    length = (series.end - series.start) / number
    values: list[list[float]] = [[] for _ in range(number)]
    lost = [0] * number
    for at, value in series.points:
        place = _place(at, series.start, series.end, number, length)
        if place is None:
            continue
        if value is None or not isfinite(value):
            lost[place] += 1
        else:
            values[place].append(value)
    return [_bucket(series.start + place * length, sorted(found), lost[place]) for place, found in enumerate(values)]


def _bucket(start: datetime, values: Sequence[float], lost: int) -> Bucket:
    count = len(values) + lost
    if not values:
        return Bucket(start, count, 1.0 if lost else 0.0)
    return Bucket(start, count, lost / count, quantile(values, _LOW), quantile(values, 0.5), quantile(values, _HIGH))


def quantile(values: Sequence[float], part: float) -> float:
    """The value of a sorted sequence below which about this part of it lies."""
    return values[min(len(values) - 1, int(len(values) * part))]


def _place(at: datetime, start: datetime, end: datetime, number: int, length: timedelta) -> int | None:
    """Which of so many buckets a moment belongs to; the end itself to the last."""
    if not length or not start <= at <= end:
        return None
    return min(int((at - start) / length), number - 1)
