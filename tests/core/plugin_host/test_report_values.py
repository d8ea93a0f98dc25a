"""What a plugin may give to the report: wrong values are refused with what would do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pollctl import Beat, Column, Figure, Heartbeat, KeyFigures, Section, State, Table, Text, Timeline, TimeSeries
from pollctl.errors import PluginError
from pollctl.plugin_host.report_values import drawable

NOW = datetime(2026, 11, 28, 18, 2, tzinfo=UTC)
NAIVE = NOW.replace(tzinfo=None)


def table(kind: Any, value: Any) -> Table:
    return Table([Column("x", kind=kind)], [{"x": value}], "Jobs")


def test_values_of_each_kind_are_taken() -> None:
    cells: dict[Any, Any] = {
        "text": "a", "id": 3, "state": "ok", "number": 1.5, "moment": "2026-11-28T18:02:00.000Z", "age": NOW,
        "milliseconds": 12, "span": timedelta(minutes=3), "share": 0.2, "code": "ls",
    }  # fmt: skip
    tables = [table(kind, value) for kind, value in cells.items()] + [
        table("state", State("well", "ok")),
        table("number", None),
    ]
    blocks: list[Any] = [
        *tables,
        KeyFigures([Figure("jobs", 3), Figure("median", timedelta(seconds=3)), Figure("last", NOW, level="warn")]),
        Heartbeat([Beat(NOW, "ok")], NOW, NOW),
        TimeSeries("rtt", "ms", [(NOW, 1.0), (NOW, None)], NOW, NOW),
        Timeline([], NOW, NOW),
        Text("words"),
    ]
    section = Section("All", blocks)
    assert drawable([section]) == [section]
    assert drawable(None) == ()


def test_what_has_no_column_is_not_shown() -> None:
    (section,) = drawable([Section("All", [Table([Column("x")], [{"x": 1, "token": "t"}], "Jobs")])])
    assert section.blocks == [Table([Column("x")], [{"x": 1}], "Jobs")]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (Table(["x"], [{"x": 1}], "Jobs"), "'x' is a column without a kind; write pollctl.Column('x', kind=...)"),  # type: ignore[list-item]
        (table("", 1), "column 'x' is of the kind ''; there are text, id,"),
        (table("colour", 1), "column 'x' is of the kind 'colour'"),
        (table("number", "many"), "column 'x' holds 'many', which is not of the kind 'number'"),
        (table("moment", "soon"), "which is not of the kind 'moment'"),
        (table("moment", NAIVE), "which is not of the kind 'moment'"),
        (Table([Column("x")], [{"y": 1}], "Jobs"), "a row has no 'x'"),
        (Table([Column("x")], [("a",)], "Jobs"), "a row has no 'x'"),  # type: ignore[list-item]
        (KeyFigures([Figure("jobs", 1, level="bad")]), "Invalid enum value 'bad'"),  # type: ignore[arg-type]
        (Heartbeat([Beat(NAIVE, "ok")], NOW, NOW), "blocks[...].beats[...].at"),
        (TimeSeries("rtt", "ms", [(NOW, "1")], NOW, NOW), "blocks[...].points"),  # type: ignore[list-item]
        ("<b>jobs</b>", "Expected `object`, got `str`"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_by_name(block: Any, message: str) -> None:
    with pytest.raises(PluginError) as caught:
        drawable([Section("All", [block])])
    assert str(caught.value).startswith("All: ")
    assert message.partition("[...]")[0] in str(caught.value)


@pytest.mark.parametrize("answer", [7, "<p>", [1], {"title": "x"}, [Text("x")]])
def test_what_is_no_list_of_sections_is_refused(answer: Any) -> None:
    with pytest.raises(PluginError, match=r"not a list of pollctl\.Section"):
        drawable(answer)
