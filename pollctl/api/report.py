"""What a report is made of: values, no HTML. The core draws them on a page, prints them as JSON and lists them on terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from pollctl.api.listing import Column, Standing

Moment = Annotated[datetime, Meta(tz=True)]


class Figure(Struct, frozen=True):
    """One number with its name.

    Attributes:
        label: what it counts.
        value: a number, text, datetime or timedelta; None where it is not known.
        unit: what stands behind it.
        level: how it is to be taken.
        note: a few words below it.
    """

    label: str
    value: Any
    unit: str = ""
    level: Standing = "none"
    note: str = ""


class KeyFigures(Struct, frozen=True, tag=True):
    """The few numbers that a reader wants first."""

    figures: Sequence[Figure]


class Table(Struct, frozen=True, tag=True):
    """Rows as listings have them: each a mapping that has the key of every column.

    Attributes:
        columns: those that are shown; their kinds say how cells are written.
        rows: cells are what the kind of their column says; None where there is nothing.
        title: what stands above it.
        empty: what is said where there is no row.
        total: of how many rows these are the first; None where they are all.
    """

    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    title: str = ""
    empty: str = "Nothing yet."
    total: int | None = None


class Beat(Struct, frozen=True):
    """Something that happened once, or *count* times at about the same moment."""

    at: Moment
    level: Standing
    text: str = ""
    count: int = 1


class Heartbeat(Struct, frozen=True, tag=True):
    """A strip of bars, each for the same stretch of time: the worst in it wins, its height says what its colour says."""

    beats: Sequence[Beat]
    start: Moment
    end: Moment
    title: str = ""


class Threshold(Struct, frozen=True):
    """A limit, drawn across a series."""

    value: float
    label: str


class TimeSeries(Struct, frozen=True, tag=True):
    """Raw points, in any order; None is one that was lost. The core folds them: median, 5 to 95 %, share lost."""

    title: str
    unit: str
    points: Sequence[tuple[Moment, float | None]]
    start: Moment
    end: Moment
    thresholds: Sequence[Threshold] = ()


class Span(Struct, frozen=True):
    """Something that lasted."""

    start: Moment
    end: Moment
    level: Standing
    text: str = ""


class Mark(Struct, frozen=True):
    """Something that happened at a moment."""

    at: Moment
    level: Standing
    text: str


class Lane(Struct, frozen=True):
    """One row of a timeline."""

    label: str
    spans: Sequence[Span] = ()
    marks: Sequence[Mark] = ()


class Timeline(Struct, frozen=True, tag=True):
    """Lanes on one axis of time."""

    lanes: Sequence[Lane]
    start: Moment
    end: Moment
    title: str = ""


class Text(Struct, frozen=True, tag=True):
    """Words that are never interpreted; ``code`` keeps lines, ``diff`` marks those that begin with + and -."""

    body: str
    form: Literal["words", "code", "diff"] = "words"


Block = KeyFigures | Table | Heartbeat | TimeSeries | Timeline | Text


class Notice(Struct, frozen=True):
    """One thing that needs somebody: it stands on top of the page, and title and icon say so.

    Attributes:
        text: what it is, in a sentence without a full stop.
        level: how urgent it is.
        since: from which moment on it has been so.
        remedy: the command to type.
    """

    text: str
    level: Literal["warn", "fail"] = "warn"
    since: Moment | None = None
    remedy: str = ""


class Section(Struct, frozen=True):
    """A part of the report: a heading, what it shows, the same in one sentence for the row of the plugin, what needs somebody."""

    title: str
    blocks: Sequence[Block]
    summary: str = ""
    notices: Sequence[Notice] = ()
