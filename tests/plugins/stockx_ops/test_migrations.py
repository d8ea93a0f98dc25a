"""The tables, as other programs meet them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from plugins.stockx_ops.place import NOON, at
from plugins.stockx_ops.world import World
from sqlite_utils import Database

from pollctl_stockx_ops.migrations import migrations
from pollctl_stockx_ops.model import Settings
from pollctl_stockx_ops.store.due import due_jobs


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


def test_jobs_of_the_version_before_are_followed_on_and_failed_ones_get_the_moment_of_their_end() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        db = Database(connection)
        db.execute("CREATE TABLE runs (plugin TEXT, started_at TEXT, stats TEXT)")
        migrations.apply(db, stop_before="m003_answers")
        db.execute("INSERT INTO stockx_accounts (user_id) VALUES ('anna')")
        for number, (status, completed_at) in enumerate(
            (("FAILED", None), ("COMPLETED", at(-9)), ("IN_PROGRESS", None))
        ):
            db.execute(
                """INSERT INTO stockx_batch_jobs (id, user_id, job_type, status, stockx_operation_id, stockx_listing_id,
                   started_at, next_poll_at, updated_at, completed_at, poll_count)
                   VALUES (?, 'anna', 'create_listing', ?, 'op', 'L', ?, ?, ?, ?, 3)""",
                [f"j{number}", status, at(-60), at(-5) if status == "IN_PROGRESS" else None, at(-8), completed_at],
            )
        migrations.apply(db)
        rows = db.execute(
            "SELECT id, completed_at, asked_at, forbidden_count FROM stockx_batch_jobs ORDER BY id"
        ).fetchall()
        assert rows == [("j0", at(-8), None, 0), ("j1", at(-9), None, 0), ("j2", None, None, 0)]
        assert [job.job_id for job in due_jobs(db, NOON, Settings())] == ["j2"]


def test_a_program_may_name_any_type_of_job(world: World) -> None:
    world.job("j", job_type="polish_listing")
    world.answer("j", word="completed", listing_id="L1")
    assert world.rows("SELECT status FROM stockx_batch_jobs") == [("COMPLETED",)]
    assert world.rows("SELECT * FROM stockx_listings") == []
