"""A model of everything that can happen to a run: random upstreams, cancels, crashes between any two steps.

A crash is made without a process: at one request of a pass the database is copied and the upstream unplugged, and when the pass
has ended the copy takes the place of the database. What is left is what a pass killed at that request would have left.

``POLLCTL_EXAMPLES`` sets how many sequences of events are tried.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pollctl import to_text
from pollctl.cli import start
from pollctl_shell_query.fake import (
    COMPLETE,
    HTML_500,
    LOGIN_FAILED,
    LOST,
    LOST_AFTER,
    QUEUED,
    TOKEN_EXPIRED,
    FakeMarketingCloud,
    Reply,
    Step,
)
from pollctl_shell_query.fake.hostile import hostile

EXAMPLES = int(os.environ.get("POLLCTL_EXAMPLES", "6"))
NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
OVER = ("ready", "failed", "canceled")
KINDS = (
    "token",
    "find",
    "create",
    "perform",
    "status",
    "isrunning",
    "rowset",
    "delete",
    "find_target",
    "create_target",
    "list",
)
FAULTS = [
    HTML_500,
    LOST,
    LOST_AFTER,
    TOKEN_EXPIRED,
    LOGIN_FAILED,
    Reply(status=500, is_acted=True),
    Reply(status=503, headers={"Retry-After": "20"}),
    Reply(status=429),
    Reply(status=403),
    Reply(body=hostile("truncated", "")),
    Reply(body=b"<html>", is_acted=True),
]
STEPS = [
    QUEUED,
    Step(status="Processing"),
    COMPLETE,
    Step(status="Error", error="bad"),
    Step(completed_date="x"),
    Step(status="?"),
]
SECTION = {
    "max_duration": "3m", "stuck_after": "20s", "reconcile_after": "30s", "max_active": 3, "confirmation_gap": "5s",
    "row_probe_after": "1s", "target_keep": "1h", "window": "0s",
}  # fmt: skip


class Marketing(RuleBasedStateMachine):
    """One database and one upstream; time only goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        memory = "/dev/shm"
        parent = memory if os.access(memory, os.W_OK) else None
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(dir=parent)))
        self.upstream = self.stack.enter_context(FakeMarketingCloud())
        self.upstream.running = [False]
        self.seconds = 0.0
        self.ended: dict[str, str] = {}
        section = self.upstream.settings(**SECTION)
        (self.folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{section}\n')

    # what people do

    @initialize(own=st.booleans())
    def begin(self, own: bool) -> None:
        self.submit(own, "overwrite")

    @rule(own=st.booleans(), mode=st.sampled_from(["overwrite", "append"]))
    def submit(self, own: bool, mode: str) -> None:
        where = ("--create-target", "a:Number") if own else ("--target", "DE")
        self.pollctl("shell-query", "submit", "--sql", "SELECT 1", *where, "--mode", mode)

    @precondition(lambda self: self.rows())
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        self.pollctl("shell-query", "cancel", data.draw(st.sampled_from(sorted(self.rows()))))

    # what the upstream does

    @rule(
        kind=st.sampled_from(KINDS),
        faults=st.lists(st.sampled_from(FAULTS), max_size=3),
        script=st.lists(st.sampled_from(STEPS), min_size=1, max_size=4),
        running=st.lists(st.booleans(), min_size=1, max_size=4),
        has_rows=st.booleans(),
        late=st.integers(0, 7),
        spoils=st.booleans(),
    )
    def turn_odd(
        self,
        kind: str,
        faults: list[Reply],
        script: list[Step],
        running: list[bool],
        has_rows: bool,
        late: int,
        spoils: bool,
    ) -> None:
        self.upstream.replies[kind] = list(faults)
        self.upstream.script, self.upstream.running = script, list(running)
        self.upstream.rows = [{"keys": {}, "values": {"a": 1}}] * has_rows
        self.upstream.missing["DE"] = late
        if spoils:
            self.upstream.tokens.clear()

    # what passes do

    @rule(seconds=st.sampled_from([0.5, 2, 8, 31, 70, 300]))
    def a_pass(self, seconds: float) -> None:
        self.seconds += seconds
        self.pollctl("run", "shell_query")

    @rule(seconds=st.sampled_from([0.5, 2, 8, 70]), at=st.integers(1, 6))
    def a_pass_that_dies_after_a_request(self, seconds: float, at: int) -> None:
        self.a_pass_that_dies(seconds, at, is_acted=True)

    @rule(seconds=st.sampled_from([0.5, 2, 8, 70]), at=st.integers(1, 6))
    def a_pass_that_dies_before_a_request(self, seconds: float, at: int) -> None:
        self.a_pass_that_dies(seconds, at, is_acted=False)

    def a_pass_that_dies(self, seconds: float, at: int, is_acted: bool) -> None:
        """Killed at its request number *at*, before or after that took effect."""
        self.seconds += seconds
        left = [at]
        lock = threading.Lock()

        def die(_: str) -> None:
            with lock:
                left[0] -= 1
                if left[0] == (0 if not is_acted else -1):
                    self.upstream.is_unplugged = True
                if left[0] == 0:
                    self.copy("pollctl.db", "copy.db")

        self.upstream.on_request = die
        self.pollctl("run", "shell_query")
        self.upstream.on_request = lambda _: None
        self.upstream.is_unplugged = False
        if left[0] <= 0:
            self.copy("copy.db", "pollctl.db")

    @precondition(lambda self: self.rows())
    @rule(at=st.integers(1, 6), data=st.data())
    def a_cancel_during_a_pass(self, at: int, data: Any) -> None:
        run_id, left = data.draw(st.sampled_from(sorted(self.rows()))), [at]

        def cancel(_: str) -> None:
            left[0] -= 1
            if left[0] == 0:
                self.sql(
                    "UPDATE shell_query_runs SET status = 'canceled', completed_at = ?, sql_text = NULL "
                    "WHERE id = ? AND completed_at IS NULL",
                    [self.now(), run_id],
                )

        self.upstream.on_request = cancel
        self.seconds += 3
        self.pollctl("run", "shell_query")
        self.upstream.on_request = lambda _: None

    # what always holds

    @invariant()
    def no_run_is_created_twice(self) -> None:
        assert set(self.upstream.creates.values()) <= {1}

    @invariant()
    def no_definition_is_deleted_twice(self) -> None:
        assert set(self.upstream.deletes.values()) <= {1}

    @invariant()
    def an_end_is_the_end(self) -> None:
        for run_id, status in self.rows().items():
            assert self.ended.get(run_id, status) == status, (run_id, self.ended, status)
            if status in OVER:
                self.ended[run_id] = status

    def teardown(self) -> None:
        """In a world that works again every run ends, and nothing is left upstream."""
        try:
            self.check_the_end()
        finally:
            self.stack.close()

    def check_the_end(self) -> None:
        self.upstream.replies.clear()
        self.upstream.script, self.upstream.running = [COMPLETE], [False]
        for _ in range(12):
            self.a_pass(31)
            self.an_end_is_the_end()
        for hours in (1, 12, 30, 2):
            self.a_pass(hours * 3600)
        self.no_run_is_created_twice()
        assert set(self.rows().values()) <= set(OVER)
        assert self.upstream.definitions == {}
        assert self.upstream.targets == {}
        assert not self.sql("SELECT 1 FROM shell_query_polls WHERE closed_at IS NULL")
        assert not self.sql("SELECT 1 FROM shell_query_runs WHERE sql_text IS NOT NULL")

    # how

    def now(self) -> str:
        return to_text(NOON + timedelta(seconds=self.seconds))

    def pollctl(self, *arguments: str) -> None:
        os.environ["POLLCTL_NOW"] = self.now()
        self.upstream.now = NOON + timedelta(seconds=self.seconds)
        try:
            assert start(["--config", str(self.folder / "pollctl.toml"), *arguments]) in (0, 1, 3)
        finally:
            del os.environ["POLLCTL_NOW"]

    def rows(self) -> dict[str, str]:
        return (
            dict(self.sql("SELECT id, status FROM shell_query_runs")) if (self.folder / "pollctl.db").exists() else {}
        )

    def sql(self, statement: str, values: Any = ()) -> list[Any]:
        if not (self.folder / "pollctl.db").exists():
            return []
        with closing(sqlite3.connect(self.folder / "pollctl.db", timeout=20)) as db, db:
            return db.execute(statement, values).fetchall()

    def copy(self, source: str, target: str) -> None:
        with (
            closing(sqlite3.connect(self.folder / source, timeout=20)) as old,
            closing(sqlite3.connect(self.folder / target, timeout=20)) as new,
        ):
            old.backup(new)


Marketing.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
test_whatever_happens_a_run_ends_once_and_leaves_nothing_behind = pytest.mark.slow(Marketing.TestCase)
