"""Rows that other programs write."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from plugins.soc_sections.world import INDEX


def test_a_program_may_add_subscriptions_of_its_own(world: Any) -> None:
    world.db.execute(
        "INSERT INTO soc_subscriptions (term, campus, index_number, contact, status) VALUES (?, 'NB', ?, 'json://x', 'pending')",
        ["92026", INDEX],
    )
    world.poll(["10000"])
    world.poll(["10000", INDEX])
    assert world.fanned() == [(1, "pending")]


@pytest.mark.parametrize(
    "columns",
    [
        {"index_number": "5972"}, {"term": "fall"}, {"contact": ""}, {"status": "gone"}, {"window": "8-22"},
        {"window": "25:00-26:00"}, {"max_notifications": 11}, {"snooze_until": "tomorrow"}, {"unless_open": 2},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_no_rule_could_read_is_refused_by_the_table(world: Any, columns: dict[str, Any]) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        world.subscribe(**columns)
