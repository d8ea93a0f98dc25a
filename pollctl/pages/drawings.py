"""The drawings of the page as numbers and texts; the template writes them down, so that it alone escapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby

from msgspec import Struct

from pollctl.api.listing import Standing
from pollctl.api.report import Heartbeat, Threshold, TimeSeries
from pollctl.console.moments import Moments
from pollctl.console.words import count, number, share
from pollctl.pages.axis import Tick, ticks, top_for
from pollctl.pages.folding import Bar, Bucket, bars, buckets, quantile

HEIGHT = 100
"""Of a plot, in its own units; a step across is one bucket."""
_BAR_HEIGHTS: Mapping[Standing, int] = {"none": 2, "info": 8, "ok": 12, "warn": 20, "fail": 28}
_WORDS: Mapping[Standing, str] = {"ok": "ok", "warn": "partial", "fail": "failed", "info": "running", "none": "other"}
_SAID_FIRST: Sequence[Standing] = ("fail", "warn", "ok", "info", "none")
_Height = Callable[[float], float]
_MOST_LOST = 0.5
_MOST_BARS = 120
_HIGHEST_LIMIT = 1.5  # times the highest value: a limit that lies further off would flatten what is drawn


class DrawnBar(Struct, frozen=True):
    """A bar of a strip."""

    level: Standing
    x: int
    height: int


class Strip(Struct, frozen=True):
    """A heartbeat: its bars, what each says, what all say together."""

    bars: Sequence[DrawnBar]
    tips: Sequence[str]
    label: str


class Line(Struct, frozen=True):
    """A horizontal line and what is written at it."""

    y: float
    text: str


class Plot(Struct, frozen=True):
    """A series: median as a line, 5 to 95 % as a band, loss as bars, limits, axes, and what each bucket says.

    Where half was lost or more, the bar is as high as the plot.
    """

    title: str
    said: str
    band: str
    line: str
    some_lost: str
    most_lost: str
    grid: Sequence[Line]
    limits: Sequence[Line]
    ticks: Sequence[Tick]
    tips: Sequence[str]


def strip(heartbeat: Heartbeat, bar: timedelta, moments: Moments) -> Strip:
    """Draw a heartbeat with bars of one length of time; of a longer one where there would be too many."""
    found = bars(heartbeat, max(bar, (heartbeat.end - heartbeat.start) / _MOST_BARS))
    totals: dict[Standing, int] = {level: sum(one.counts.get(level, 0) for one in found) for level in _SAID_FIRST}
    when = f"{moments.minute(heartbeat.start)} to {moments.minute(heartbeat.end)}"
    return Strip(
        [DrawnBar(one.level, place, _BAR_HEIGHTS[one.level]) for place, one in enumerate(found)],
        [_bar_tip(one, moments) for one in found],
        f"{heartbeat.title or 'passes'}, {when}: {_counted(totals)}",
    )


def _bar_tip(bar: Bar, moments: Moments) -> str:
    text = f" · {bar.text}" if bar.text else ""
    return f"{moments.minute(bar.start)} to {moments.minute(bar.end)}: {_counted(bar.counts)}{text}"


def _counted(counts: Mapping[Standing, int]) -> str:
    said = [f"{counts[level]} {_WORDS[level]}" for level in _SAID_FIRST if counts.get(level)]
    return ", ".join(said) or "nothing"


def plot(series: TimeSeries, moments: Moments) -> Plot:
    """Draw a series."""
    found = buckets(series)
    top = _top(found, series.thresholds)

    def height(value: float) -> float:
        return round(HEIGHT - min(value, top) / top * (HEIGHT - 2), 1)

    return Plot(
        series.title,
        _said(series),
        _band(found, height),
        _median(found, height),
        _losses(found, 0, _MOST_LOST),
        _losses(found, _MOST_LOST, 2),
        [_grid(part, top, series.unit) for part in (1, 0.75, 0.5, 0.25)],
        [Line(height(one.value), one.label) for one in series.thresholds if one.value <= top],
        ticks(series.start, series.end, moments),
        [_bucket_tip(one, series.unit, moments) for one in found],
    )


def _top(found: Sequence[Bucket], limits: Sequence[Threshold]) -> float:
    """The top of the axis; one spike does not flatten the rest."""
    highs = sorted(one.high for one in found if one.high is not None)
    usual = quantile(highs, 0.99) if highs else 1.0
    near = [one.value for one in limits if highs and one.value <= highs[-1] * _HIGHEST_LIMIT]
    return top_for(max(usual, *near) * 1.08 if near else usual * 1.08)


def _grid(part: float, top: float, unit: str) -> Line:
    return Line((1 - part * 0.98) * HEIGHT, f"{number(top * part)} {unit if part == 1 else ''}".rstrip())


def _band(found: Sequence[Bucket], height: _Height) -> str:
    parts = []
    for run in _runs(found):
        above = " ".join(f"{x + 0.5},{height(one.high or 0)}" for x, one in run)
        below = " ".join(f"{x + 0.5},{height(one.low or 0)}" for x, one in reversed(run))
        parts.append(f"M{above} {below}Z")
    return "".join(parts)


def _median(found: Sequence[Bucket], height: _Height) -> str:
    lines = [(" ".join(f"{x + 0.5},{height(one.median or 0)}" for x, one in run), len(run)) for run in _runs(found)]
    return "".join(f"M{line}{'h.5' if length == 1 else ''}" for line, length in lines)


def _runs(found: Sequence[Bucket]) -> list[list[tuple[int, Bucket]]]:
    """Buckets with values, as long as none without lies between them."""
    grouped = groupby(enumerate(found), lambda one: one[1].median is not None)
    return [list(group) for has_values, group in grouped if has_values]


def _losses(found: Sequence[Bucket], least: float, below: float) -> str:
    """A bar for each bucket in which as much was lost."""
    chosen = [(x, one.lost) for x, one in enumerate(found) if one.lost and least <= one.lost < below]
    tops = [(x, 0 if lost >= _MOST_LOST else HEIGHT - 5 - 40 * lost) for x, lost in chosen]
    return "".join(f"M{x},{HEIGHT}V{top:.0f}h1V{HEIGHT}z" for x, top in tops)


def _said(series: TimeSeries) -> str:
    values = sorted(value for _, value in series.points if value is not None)
    total = len(series.points)
    said = [count(total, "sample")]
    if values:
        middle, high = number(quantile(values, 0.5)), number(quantile(values, 0.95))
        said += [f"median {middle} {series.unit}", f"95 % below {high} {series.unit}"]
    if total:
        said.append(f"{share(1 - len(values) / total)} lost")
    return ", ".join(said)


def _bucket_tip(bucket: Bucket, unit: str, moments: Moments) -> str:
    at = moments.minute(bucket.start)
    if bucket.median is None or bucket.low is None or bucket.high is None:
        return f"{at}: all {bucket.count} lost" if bucket.count else f"{at}: no sample"
    spread = f"5 to 95 % {number(bucket.low)} to {number(bucket.high)}"
    lost = f", {share(bucket.lost)} of {bucket.count} lost" if bucket.lost else ""
    return f"{at}: median {number(bucket.median)} {unit}, {spread}{lost}"
