"""A day as one line of marks, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pollctl import from_text

WIDTH = 62  # with a moment at each end, seconds included, 80 columns
_MARKS = {
    "EVENT_OBSERVED": ("●", "o", "green", "visit"),
    "EVENT_LATE": ("○", "x", "yellow", "late visit"),
    "ALARM_SENT": ("▲", "!", "bold red", "alarm"),
}
"""For each record: its mark, its mark in plain ASCII, its style, what it is called; a later one hides an earlier."""
_WATCHED, _UNWATCHED = ("─", "-"), (" ", " ")


class Piece(NamedTuple):
    """Text of one style."""

    text: str
    style: str = ""


Line = list[Piece]


def drawn(
    check: Mapping[str, Any], records: Sequence[Mapping[str, Any]], now: datetime, *, is_plain: bool
) -> list[Line]:
    """The day of a check: a title, the line, and one line per mark.

    Args:
        check: as ``queries.check`` answers it.
        records: as ``queries.records`` does.
        now: up to which the line is drawn.
        is_plain: whether there is nothing but ASCII.
    """
    zone = ZoneInfo(check["settings"]["timezone"])
    begins, ends = from_text(check["planned_at"]), from_text(check["ends_at"])
    shown = [record for record in records if record["event_name"] in _MARKS]
    watched = _watched(records, begins)
    bar = _bar(begins, ends, watched, min(now, ends), shown, is_plain=is_plain)
    state = check["result"] or check["phase"]
    title = f"check {check['id']}  {check['monitor']}  {check['robot_id']}  {check['local_date']}  {zone}  {state}"
    left, right = _clock(begins, zone), _clock(ends, zone)
    return [
        [Piece(title, "bold")],
        [Piece(f"{left} "), *bar, Piece(f" {right}")],
        *_legend(shown, zone, is_plain=is_plain),
    ]


def _watched(records: Sequence[Mapping[str, Any]], begins: datetime) -> datetime | None:
    """From when on the day was watched; None if it never was."""
    subscribed = next((record for record in records if record["event_name"] == "SUBSCRIBED"), None)
    if subscribed is None:
        return None
    name = "SUBSCRIBED" if subscribed["result"] == "late" else "STARTED"
    return next((from_text(record["event_at"]) for record in records if record["event_name"] == name), begins)


def _bar(
    begins: datetime,
    ends: datetime,
    watched: datetime | None,
    until: datetime,
    shown: Sequence[Mapping[str, Any]],
    *,
    is_plain: bool,
) -> Line:
    step = (ends - begins) / WIDTH
    marks = {_column(from_text(record["event_at"]), begins, step): record["event_name"] for record in shown}
    pieces = []
    for column in range(WIDTH):
        if name := marks.get(column):
            pieces.append(Piece(_MARKS[name][is_plain], _MARKS[name][2]))
            continue
        at = begins + column * step
        is_watched = watched is not None and watched <= at < until
        pieces.append(Piece((_WATCHED if is_watched else _UNWATCHED)[is_plain], "dim"))
    return pieces


def _column(at: datetime, begins: datetime, step: timedelta) -> int:
    return max(0, min(WIDTH - 1, (at - begins) // step))


def _legend(shown: Sequence[Mapping[str, Any]], zone: ZoneInfo, *, is_plain: bool) -> list[Line]:
    lines = []
    for record in shown:
        mark, style, words = _MARKS[record["event_name"]][is_plain], *_MARKS[record["event_name"]][2:]
        label = f"{words} {record['reference_id']}" if record["reference_id"] else words
        unsent = "" if record["result"] or not record["reference_id"] else ", not posted yet"
        lines.append(
            [Piece(f"{_clock(from_text(record['event_at']), zone)}  "), Piece(mark, style), Piece(f"  {label}{unsent}")]
        )
    return lines


def _clock(at: datetime, zone: ZoneInfo) -> str:
    """Local time, with seconds where there are some."""
    local = at.astimezone(zone)
    return f"{local:%H:%M:%S}" if at.second else f"{local:%H:%M}"
