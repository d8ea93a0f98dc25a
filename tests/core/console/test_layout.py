"""Listings on a screen (people.md, rule 13): what gives way, and what never does."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pollctl.api.listing import Column
from pollctl.console.layout import lines_of, width_of
from pollctl.console.moments import Moments
from pollctl.console.terminal import Terminal

ID = "5b0c1f6e-8a70-4c58-9b52-0d5b7f1c9a01"
ROW = {"id": ID, "status": "IN_PROGRESS", "rows": 1440, "name": "a name of some length", "error": "it broke " * 12}
COLUMNS = (
    Column("id", kind="id"),
    Column("status", kind="state"),
    Column("rows", "rows that came", "number", drop=2),
    Column("name", drop=1),
    Column("error"),
)


def shown(width: int, columns: tuple[Column, ...] = COLUMNS, row: Mapping[str, object] = ROW) -> list[str]:
    return [line.plain.rstrip() for line in lines_of([row], columns, Terminal(width), Moments())]


def test_the_column_with_the_highest_number_goes_first() -> None:
    assert [word in shown(200)[0] for word in ("name", "rows")] == [True, True]
    assert [word in " ".join(shown(95)) for word in ("name", "rows")] == [True, False]
    assert [word in " ".join(shown(80)) for word in ("name", "rows")] == [False, False]


@pytest.mark.parametrize("width", [76, 80, 100, 120, 200])
def test_ids_states_and_numbers_are_whole_at_any_width(width: int) -> None:
    text = "\n".join(shown(width))
    assert ID in text
    assert "IN_PROGRESS" in text
    assert ("1440" in text) == ("rows" in text)
    assert all(len(line) <= width for line in text.splitlines())


def test_a_text_that_is_too_long_ends_in_an_ellipsis_or_wraps() -> None:
    assert shown(90)[-1].endswith("…")
    wrapped = shown(90, (*COLUMNS[:-1], Column("error", wraps=True)))
    assert sum("it broke" in line for line in wrapped) > 1
    assert "…" not in "".join(wrapped)


def test_a_heading_wraps_between_words_only() -> None:
    columns = (Column("rows", "rows that came", "number"), Column("error"))
    assert [line.split()[0] for line in shown(40, columns)[:3]] == ["rows", "that", "came"]


def test_characters_of_two_columns_count_as_two() -> None:
    lines = lines_of([{"error": "値" * 60}], (Column("error"),), Terminal(40), Moments())
    assert width_of(lines[-1].plain.rstrip()) <= 40


def test_without_unicode_a_tilde_does() -> None:
    lines = lines_of([ROW], COLUMNS, Terminal(80, is_unicode=False), Moments())
    assert lines[-1].plain.rstrip().endswith("~")


@given(
    widths=st.lists(st.integers(0, 90), min_size=1, max_size=6),
    drops=st.lists(st.integers(0, 5), min_size=6, max_size=6),
    screen=st.integers(60, 200),
)
def test_texts_fit_any_screen(widths: list[int], drops: list[int], screen: int) -> None:
    row = {f"c{place}": "x" * width for place, width in enumerate(widths)}
    columns = tuple(Column(key, drop=drop) for key, drop in zip(row, drops, strict=False))
    assert all(len(line) <= screen for line in shown(screen, columns, row))
