"""Timelines as numbers and texts, for the template."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from pollctl.api.listing import Standing
from pollctl.api.report import Lane, Timeline
from pollctl.console.moments import Moments
from pollctl.pages.axis import Tick, ticks

WIDTH = 1000
"""Of a lane, in its own units."""
_NARROWEST = 2.5


class DrawnSpan(Struct, frozen=True):
    """Something that lasted, from *x* on."""

    level: Standing
    x: float
    width: float
    text: str


class DrawnMark(Struct, frozen=True):
    """Something that happened, *x* hundredths across."""

    level: Standing
    x: float
    text: str

    @property
    def is_trouble(self) -> bool:
        """Whether it is drawn with another shape."""
        return self.level in ("warn", "fail")


class DrawnLane(Struct, frozen=True):
    """A lane: who, what, and the same in words."""

    label: str
    said: str
    spans: Sequence[DrawnSpan]
    marks: Sequence[DrawnMark]


class Lanes(Struct, frozen=True):
    """A timeline."""

    title: str
    lanes: Sequence[DrawnLane]
    ticks: Sequence[Tick]


def lanes(timeline: Timeline, moments: Moments) -> Lanes:
    """Draw a timeline; what lies outside is left out, what reaches outside is cut."""
    return Lanes(
        timeline.title,
        [_lane(lane, timeline, moments) for lane in timeline.lanes],
        ticks(timeline.start, timeline.end, moments),
    )


def _lane(lane: Lane, timeline: Timeline, moments: Moments) -> DrawnLane:
    spans = [one for one in lane.spans if one.end >= timeline.start and one.start <= timeline.end]
    marks = [one for one in lane.marks if timeline.start <= one.at <= timeline.end]
    said = [f"{one.text} {moments.minute(one.start)} to {moments.minute(one.end)}" for one in spans if one.text]
    said += [f"{one.text} {moments.minute(one.at)}" for one in marks]
    drawn = []
    for one in spans:
        x, end = _part(one.start, timeline), _part(one.end, timeline)
        text = f"{one.text} {moments.minute(one.start)} to {moments.minute(one.end)}".strip()
        drawn.append(DrawnSpan(one.level, round(x * WIDTH, 1), max(_NARROWEST, round((end - x) * WIDTH, 1)), text))
    dots = [
        DrawnMark(one.level, round(_part(one.at, timeline) * 100, 2), f"{one.text} {moments.minute(one.at)}")
        for one in marks
    ]
    return DrawnLane(lane.label, "; ".join(said) or "nothing", drawn, dots)


def _part(at: datetime, timeline: Timeline) -> float:
    """How far across a moment lies, from 0 to 1."""
    length = timeline.end - timeline.start
    return max(0.0, min(1.0, (at - timeline.start) / length)) if length else 0.0
