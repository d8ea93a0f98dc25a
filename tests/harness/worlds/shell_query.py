"""shell_query: two queries are started, hang a while and end; one has rows at once, the other's target is late."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plugin_package import clean_environment, write_settings
from worlds.world import PATIENCE, Rows, create_database, kept, put_back

from pollctl import to_text
from pollctl_shell_query.fake import COMPLETE, QUEUED, FakeMarketingCloud, Reply
from pollctl_shell_query.migrations import migrations

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECONDS = (0, 10, 40, 70, 120)
"""When the passes happen: started, hanging, one ready, the other ready, the target of its own deleted."""
ANSWERS = (([QUEUED], 99), ([QUEUED], 99), ([COMPLETE], 99), ([COMPLETE], 0), ([COMPLETE], 0))
"""What the status of each query is, and how often the late target cannot be read."""
REFUSED = 2
"""The pass in which no definition can be deleted."""
RUNS = (
    ("run-1", "pollctl_one", "Opens", None),
    ("run-2", "pollctl_two", "pollctl_two", '[{"name":"Name","kind":"Text","length":50}]'),
)
QUESTIONS = {
    "runs": "SELECT id, name, sql_text, sql_text_hash, target_de_customer_key, status, customer_key, row_count, error_message, "
    "target_cleared_at IS NOT NULL FROM shell_query_runs ORDER BY id",
    "polls": "SELECT run_id, rowset_attempts, closed_at IS NOT NULL FROM shell_query_polls ORDER BY run_id",
}


class ShellQueryWorld:
    """One query writes to a data extension that is there, the other to one of its own."""

    name = "shell_query"
    moments: Sequence[datetime] = tuple(START + timedelta(seconds=seconds) for seconds in SECONDS)
    busiest = 0
    aliases: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._cloud = FakeMarketingCloud()
        self._cloud.__enter__()

    def prepare(self, folder: Path, sink_url: str) -> dict[str, str]:
        section = self._cloud.settings(jitter=0, window="0s", target_keep="30s", row_probe=False)
        write_settings(folder, PATIENCE, section)
        create_database(folder, migrations)
        with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
            db.executemany(
                "INSERT INTO shell_query_runs (id, customer_key, target_de_customer_key, target_fields, name, sql_text, "
                "created_at) VALUES (?, ?, ?, ?, 'opens', 'SELECT Name FROM Subscribers', ?)",
                [(*run, to_text(START - timedelta(seconds=30))) for run in RUNS],
            )
        return clean_environment(folder)

    def turn(self, step: int) -> None:
        self._cloud.now = self.moments[step]
        self._cloud.script, late = ANSWERS[step]
        self._cloud.missing = Counter({"pollctl_two": late})
        self._cloud.always = {"delete": Reply(status=503)} if step == REFUSED else {}

    def state(self, folder: Path) -> Rows:
        with closing(sqlite3.connect(folder / "pollctl.db", timeout=20)) as db:
            rows = {name: db.execute(question).fetchall() for name, question in QUESTIONS.items()}
        return {
            **rows,
            "definitions": [(definition.customer_key,) for definition in self._cloud.definitions.values()],
            "targets": [(target,) for target in self._cloud.targets],
            "created": sorted(self._cloud.creates.items()),
        }

    def keep(self) -> object:
        return kept(self._cloud, "definitions", "targets", "tokens", "creates", "performs", "_tasks")

    def put_back(self, kept: object) -> None:
        put_back(self._cloud, kept)

    def close(self) -> None:
        self._cloud.__exit__()
