"""The tables, made by the version before and then by this one."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from plugins.shell_query.place import NOON, at
from sqlite_utils import Database

from pollctl_shell_query.migrations import migrations
from pollctl_shell_query.store.selection import due


def test_a_run_that_was_polled_by_the_version_before_goes_on() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        db = Database(connection)
        migrations.apply(db, stop_before="m003_refusals")
        db.execute(
            """INSERT INTO shell_query_runs (id, target_de_customer_key, status, task_id, customer_key, poll_started_at)
               VALUES ('r', 'DE', 'running', 't', 'pollctl_1', ?)""",
            [at(-60)],
        )
        db.execute(
            "INSERT INTO shell_query_polls (run_id, poll_count, next_poll_at, rowset_attempts) VALUES ('r', 7, ?, 2)",
            [at(-1)],
        )
        migrations.apply(db)
        ((job, _),) = due(db, NOON)
        assert (job.id, job.poll_count, job.rowset_attempts, job.auth_failures) == ("r", 7, 2, 0)
