"""Rows that other programs write."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from plugins.soc_sections.world import INDEX, World
from sqlite_utils import Database

from pollctl.store.migrations import migrations as core_migrations
from pollctl_soc_sections.migrations import migrations


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


def test_what_an_earlier_version_left_goes_on(world: Any) -> None:
    """A database with rows of the second step, to which the later steps are applied."""
    old = Database(memory=True)
    core_migrations.apply(old)
    migrations.apply(old, stop_before="m003_held_answers")
    old.execute(
        "INSERT INTO soc_campuses (term, campus, counts, settled_hash, last_poll_at) "
        "VALUES ('92026', 'NB', '[2]', 'x', '2026-08-03T15:59:00.000Z')"
    )
    old.execute(
        "INSERT INTO soc_subscriptions (term, campus, index_number, contact) VALUES ('92026', 'NB', ?, 'json://x')",
        [INDEX],
    )
    old.execute("UPDATE soc_sections SET status = 'OPEN'")
    old.execute("INSERT INTO soc_sections (term, campus, index_number, status) VALUES ('92026', 'NB', '10000', 'OPEN')")
    migrations.apply(old)
    assert old.execute("SELECT settled_hash, held_since FROM soc_campuses").fetchall() == [(None, None)]
    upgraded = World.of(old)
    upgraded.follow(contact="json://y")
    upgraded.poll([INDEX, "10000"])
    assert upgraded.deliver() == [1]
    with pytest.raises(sqlite3.IntegrityError):
        upgraded.subscribe(INDEX, course="01:198:111")
    upgraded.db.close()
