"""Whatever a plugin shows, the page comes about, and is nothing but text where it was text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from pollctl import (
    Beat,
    Column,
    Figure,
    Heartbeat,
    KeyFigures,
    Lane,
    Mark,
    PollctlError,
    Section,
    Span,
    State,
    Table,
    Text,
    Threshold,
    Timeline,
    TimeSeries,
)  # fmt: skip
from pollctl.console.moments import Moments
from pollctl.encoding import masked
from pollctl.pages.page import page
from pollctl.pages.report import PluginReport, Report
from pollctl.plugin_host.report_values import drawable

NOW = datetime(2026, 11, 28, 18, 2, tzinfo=UTC)
SINCE = NOW - timedelta(hours=24)
EMPTY = Table([], [])
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a page is too large to be made smaller in many steps
texts = some.text(max_size=12) | some.sampled_from(
    ["</script><b>", "\x1b[31m", "\u202e", "'\"><img src=x>", "{{ 7*7 }}", "a\nb"]
)
near = some.timedeltas(timedelta(hours=-30), timedelta(hours=6)).map(lambda distance: NOW + distance)
moments = near | some.datetimes(timezones=some.sampled_from([UTC, timezone(timedelta(hours=-12))]))
numbers = some.floats() | some.integers()
levels: Any = some.sampled_from(["ok", "warn", "fail", "info", "none"])
lengths = some.timedeltas()
cells: dict[Any, Any] = {
    "text": texts, "id": texts | some.integers(), "code": texts, "state": texts | some.builds(State, texts, levels),
    "number": numbers, "moment": moments, "age": moments, "milliseconds": numbers, "span": lengths | numbers, "share": numbers,
}  # fmt: skip
figures = some.builds(Figure, texts, texts | numbers | moments | lengths | some.none(), texts, levels, texts)
tables = some.builds(
    Table,
    some.just([Column(kind, kind=kind, drop=place % 4) for place, kind in enumerate(cells)]),
    some.lists(some.fixed_dictionaries({kind: some.none() | found for kind, found in cells.items()}), max_size=3),
    texts,
)
lanes = some.builds(
    Lane, texts, some.lists(some.builds(Span, moments, moments, levels, texts), max_size=3),
    some.lists(some.builds(Mark, moments, levels, texts), max_size=3),
)  # fmt: skip
blocks = (
    some.builds(KeyFigures, some.lists(figures, max_size=3))
    | tables
    | some.builds(Heartbeat, some.lists(some.builds(Beat, moments, levels, texts), max_size=5), near, near, texts)
    | some.builds(
        TimeSeries, texts, texts, some.lists(some.tuples(moments, some.none() | some.floats()), max_size=20), near, near,
        some.lists(some.builds(Threshold, some.floats(), texts), max_size=2),
    )
    | some.builds(Timeline, some.lists(lanes, max_size=3), near, near, texts)
    | some.builds(Text, texts, some.sampled_from(["words", "code", "diff"]))
)  # fmt: skip
sections = some.builds(Section, texts, some.lists(blocks, max_size=3), texts)


def report_of(shown: list[Section]) -> Report:
    one = PluginReport(
        plugin="plain", state=State("ok", "ok"), last_started_at=NOW, next_due_at=None, passes=1, troubled=0, outbox={},
        heartbeat=Heartbeat([Beat(NOW, "ok")], SINCE, NOW), summary="", sections=shown,
    )  # fmt: skip
    whole: Report = masked(Report(
        level="ok", headline="All well", host="box", version="1", written_at=NOW, since=SINCE, bar_s=900, database_bytes=0,
        attention=[], plugins=[one], passes=EMPTY, outbox=EMPTY,
    ), keeps_names=True)  # fmt: skip
    return whole


def drawn(shown: list[Section], zone: ZoneInfo | None = None) -> str:
    return page(report_of(shown), Moments(NOW, zone or ZoneInfo("Europe/Amsterdam")), timedelta(minutes=15))


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None, phases=_PHASES)
@given(some.lists(sections, max_size=2))
def test_whatever_can_be_shown_is_drawn_and_stays_text(shown: list[Section]) -> None:
    try:
        found = list(drawable(shown))
    except PollctlError:
        return
    text = drawn(found)
    assert "It cannot be drawn" not in text or "OverflowError" in text
    assert text.rstrip().endswith("</html>")
    assert not set(text) & {"\x1b", "\x00", "\u202e"}
    for tag in ("<img", "<b>", " style="):
        assert text.count(tag) == (1 if tag == "<b>" else 0)  # that of the host


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**30, 5e-324], ids=str)
@pytest.mark.parametrize("kind", ["number", "milliseconds", "span", "share"])
def test_numbers_of_any_size_are_shown(value: float, kind: Any) -> None:
    figures = KeyFigures([Figure("load", value)])
    points = TimeSeries("rtt", "ms", [(NOW, value), (NOW, 1.0)], SINCE, NOW) if isinstance(value, float) else figures
    text = drawn([Section("x", [figures, Table([Column("x", kind=kind)], [{"x": value}]), points])])
    assert "It cannot be drawn" not in text


def test_a_strip_of_ten_years_has_few_bars() -> None:
    long = Heartbeat([Beat(NOW, "fail")], NOW - timedelta(days=3650), NOW)
    assert drawn([Section("x", [long])]).count("<rect") < 300


def test_a_value_that_cannot_be_drawn_costs_its_section_only() -> None:
    ancient = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=12)))  # no clock of the reader goes back so far
    text = drawn(
        [Section("old", [Table([Column("at", kind="moment")], [{"at": ancient}])]), Section("new", [Text("all well")])]
    )
    assert "It cannot be drawn: OverflowError" in text
    assert "all well" in text
