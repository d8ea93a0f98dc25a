"""The tables, as other programs meet them."""

from __future__ import annotations

import sqlite3

import pytest
from plugins.stockx_ops.world import World


def test_a_program_needs_four_columns_and_may_write_whole_seconds(world: World) -> None:
    world.db.execute(
        "INSERT INTO stockx_batch_jobs (id, user_id, job_type, stockx_operation_id) VALUES ('j', 'anna', 'x', 'op')"
    )
    assert world.rows("SELECT status, attempt, poll_count, next_poll_at FROM stockx_batch_jobs") == [
        ("PENDING", 1, 0, None)
    ]
    world.job("whole", started_at="2026-03-08T11:59:00Z", next_poll_at="2026-03-08T12:00:00Z")
    world.db.execute("UPDATE stockx_batch_jobs SET next_poll_at = '2026-03-08T12:00:01Z' WHERE id = 'whole'")
    assert world.rows("SELECT started_at, next_poll_at FROM stockx_batch_jobs WHERE id = 'whole'") == [
        ("2026-03-08T11:59:00.000Z", "2026-03-08T12:00:01.000Z")
    ]


@pytest.mark.parametrize("moment", ["yesterday", "2026-02-30T12:00:00.000Z", "2026-03-08T12:00:00+01:00", "1999-01-01"])
def test_what_is_not_a_valid_moment_is_refused(world: World, moment: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        world.job("j", started_at=moment)


def test_a_program_may_name_any_type_of_job(world: World) -> None:
    world.job("j", job_type="polish_listing")
    world.answer("j", word="completed", listing_id="L1")
    assert world.rows("SELECT status FROM stockx_batch_jobs") == [("COMPLETED",)]
    assert world.rows("SELECT * FROM stockx_listings") == []
