"""stockx_ops: operations of one seller end in every way, another seller's login is refused, and a day is summed up."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plugin_package import clean_environment, write_settings
from worlds.world import PATIENCE, Rows, create_database

from pollctl import address_digest, to_text
from pollctl_stockx_ops.fake import COMPLETED, OPEN, REFUSED, FakeStockX, Reply
from pollctl_stockx_ops.migrations import migrations

START = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
STEP = timedelta(seconds=30)
REPLIES: Sequence[Mapping[str, Reply]] = (
    {"op-1": COMPLETED, "op-2": OPEN, "op-3": REFUSED, "op-4": Reply(status=404), "op-5": Reply(state="partial")},
    {"op-2": COMPLETED, "op-6": COMPLETED},
    {"op-7": Reply(state="failed", error="too low")},
    {},
)
"""What is answered in each pass; what is not named stays open."""
QUESTIONS = {
    "accounts": "SELECT user_id, status, connection FROM stockx_accounts ORDER BY user_id",
    "jobs": "SELECT id, user_id, job_type, status, stockx_operation_id, stockx_listing_id, error_code, error_message, metadata, "
    "started_at, next_poll_at, poll_count, attempt, updated_at, completed_at, asked_at, forbidden_count, "
    "rate_limited_count FROM stockx_batch_jobs ORDER BY id",
    "listings": "SELECT * FROM stockx_listings ORDER BY stockx_listing_id",
    "history": "SELECT stockx_listing_id, job_id, attempt, action, status, changed_by, changed_at, metadata "
    "FROM stockx_listing_history ORDER BY job_id, attempt, status",
    "days": "SELECT day FROM stockx_days ORDER BY day",
}
JOBS = (
    ("op-1", "create_listing", "anna"),
    ("op-2", "activate_listing", "anna"),
    ("op-3", "update_listing", "anna"),
    ("op-4", "delete_listing", "anna"),
    ("op-5", "create_listing", "anna"),
    ("op-6", "create_listing", "anna"),
    ("op-7", "update_listing", "anna"),
    ("op-8", "create_listing", "bert"),
)
PHONES = (("anna", "anna"), ("bert", "flaky"), ("bert", "bert"))


class StockXOpsWorld:
    """Anna hears of each of her jobs; bert, whose access token is refused, however fresh, has a flaky phone and a second one."""

    name = "stockx_ops"
    moments: Sequence[datetime] = tuple(START + number * STEP for number in range(len(REPLIES)))
    busiest = 0
    aliases: Mapping[str, str]

    def __init__(self) -> None:
        self._upstream = FakeStockX(otherwise=OPEN)
        self._upstream.__enter__()
        self._upstream.users = {f"refresh-{user}": user for user in ("anna", "bert")}
        self._upstream.barred = {"bert"}

    def prepare(self, folder: Path, sink_url: str) -> dict[str, str]:
        write_settings(folder, PATIENCE, self._upstream.settings(rate="1000/s"))
        create_database(folder, migrations)
        earlier = to_text(START - STEP)
        with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
            db.executemany(
                "INSERT INTO stockx_accounts (user_id, refresh_token, connected_at) VALUES (?, ?, ?)",
                [(user, f"refresh-{user}", earlier) for user in ("anna", "bert")],
            )
            db.executemany(
                "INSERT INTO stockx_notify VALUES (?, ?)", [(user, f"{sink_url}/{path}") for user, path in PHONES]
            )
            db.executemany(
                "INSERT INTO stockx_batch_jobs (id, user_id, job_type, stockx_operation_id, stockx_listing_id, started_at) "
                "VALUES ('job-' || ?, ?, ?, ?, 'listing-' || ?, ?)",
                [(name, user, kind, name, name, earlier) for name, kind, user in JOBS],
            )
        self.aliases = {address_digest(f"{sink_url}/{path}"): path for _, path in PHONES}
        return clean_environment(folder)

    def turn(self, step: int) -> None:
        self._upstream.script = {operation: [reply] for operation, reply in REPLIES[step].items()}

    def state(self, folder: Path) -> Rows:
        with closing(sqlite3.connect(folder / "pollctl.db", timeout=20)) as db:
            return {name: db.execute(question).fetchall() for name, question in QUESTIONS.items()}

    def keep(self) -> None:
        """Nothing: each pass is answered as its number says."""

    def put_back(self, kept: object) -> None:
        pass

    def close(self) -> None:
        self._upstream.__exit__()
