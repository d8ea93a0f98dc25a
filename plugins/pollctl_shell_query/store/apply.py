"""What was decided, written with one statement per kind of change, and the effects that follow from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pollctl import to_text
from pollctl_shell_query.model import (
    CloseRun,
    Decision,
    DeleteDefinition,
    DeleteTarget,
    FailRun,
    FinishRun,
    HoldUpstream,
    KeepToken,
    NoteSweep,
    PollAgain,
    ResumePolling,
    StartRun,
)
from pollctl_shell_query.store.effects import queue, queue_deletion
from pollctl_shell_query.store.recipients import tell_end
from pollctl_shell_query.store.submissions import new_customer_key
from pollctl_shell_query.store.tokens import keep_holds, keep_token

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from pollctl import Run

_DecisionT = TypeVar("_DecisionT")


def apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write what was decided, within the transaction of the batch."""
    for kept in _of(KeepToken, decisions):
        keep_token(db, kept.token)
    keep_holds(run, [held.hold for held in _of(HoldUpstream, decisions)])
    _poll_again(db, _of(PollAgain, decisions))
    _finish(db, _of(FinishRun, decisions), run)
    _fail(db, _of(FailRun, decisions), run)
    _close(db, _of(CloseRun, decisions), run)
    _resume(db, _of(ResumePolling, decisions), run.now)
    _start(db, _of(StartRun, decisions), run)
    _clean_up(db, decisions, run)
    run.count(**counts_of(decisions))


def counts_of(decisions: Sequence[Decision]) -> dict[str, int]:
    """What the decisions add to the stats of the pass."""
    counts: Counter[str] = Counter()
    for decision in decisions:
        if isinstance(decision, PollAgain | FinishRun | FailRun):
            counts.update(decision.counts)
    counts["ready"] += len(_of(FinishRun, decisions))
    counts["failed"] += len(_of(FailRun, decisions))
    counts["reconciled"] += len(_of(ResumePolling, decisions))
    counts["tokens"] += len(_of(KeepToken, decisions))
    return {name: number for name, number in counts.items() if number}


def _poll_again(db: Database, later: Sequence[PollAgain]) -> None:
    db.conn.executemany(
        """UPDATE shell_query_polls SET poll_count = ?, next_poll_at = ?, not_running_detected_at = ?,
               not_running_confirmations = ?, rowset_attempts = ?, row_probe_last_at = ?, auth_failures = ?
           WHERE run_id = ? AND closed_at IS NULL""",
        [
            (
                one.poll_count,
                to_text(one.next_poll_at),
                _text(one.first_false_at),
                one.confirmations,
                one.rowset_attempts,
                _text(one.probed_at),
                one.auth_failures,
                one.run_id,
            )
            for one in later
        ],
    )
    _note_objects(db, later)


def _finish(db: Database, finished: Sequence[FinishRun], run: Run) -> None:
    """The end is written once, and only on a run that is still running."""
    db.conn.executemany(
        """UPDATE shell_query_runs SET status = 'ready', row_count = ?, error_message = NULL, completed_at = ?,
               sql_text = iif(?, sql_text, NULL)
           WHERE id = ? AND status = 'running' AND completed_at IS NULL""",
        [(done.row_count, to_text(run.now), run.settings.keep_sql, done.run_id) for done in finished],
    )
    _end(db, finished, run)


def _fail(db: Database, failed: Sequence[FailRun], run: Run) -> None:
    db.conn.executemany(
        """UPDATE shell_query_runs SET status = 'failed', error_message = ?, completed_at = ?,
               sql_text = iif(?, sql_text, NULL)
           WHERE id = ? AND status IN ('queued', 'running') AND completed_at IS NULL""",
        [(one.message, to_text(run.now), run.settings.keep_sql, one.run_id) for one in failed],
    )
    _end(db, failed, run)


def _end(db: Database, ended: Sequence[FinishRun | FailRun], run: Run) -> None:
    _note_objects(db, ended)
    db.conn.executemany(
        "UPDATE shell_query_polls SET closed_at = ?, poll_count = ? WHERE run_id = ? AND closed_at IS NULL",
        [(to_text(run.now), one.poll_count, one.run_id) for one in ended],
    )
    for one in ended:
        queue_deletion(db, run, one.run_id)
        tell_end(db, one.run_id, run)


def _close(db: Database, closed: Sequence[CloseRun], run: Run) -> None:
    db.conn.executemany(
        "UPDATE shell_query_polls SET closed_at = ? WHERE run_id = ? AND closed_at IS NULL",
        [(to_text(run.now), one.run_id) for one in closed],
    )
    for one in closed:
        queue_deletion(db, run, one.run_id)


def _resume(db: Database, resumed: Sequence[ResumePolling], now: datetime) -> None:
    """A poll state from scratch; only the polls that were used up stay used up."""
    db.conn.executemany(
        """UPDATE shell_query_runs SET status = 'running', poll_started_at = ?
           WHERE id = ? AND status IN ('queued', 'running') AND completed_at IS NULL""",
        [(to_text(one.started_at), one.run_id) for one in resumed],
    )
    db.conn.executemany(
        """INSERT INTO shell_query_polls (run_id, next_poll_at) VALUES (?, ?)
           ON CONFLICT (run_id) DO UPDATE SET next_poll_at = excluded.next_poll_at, closed_at = NULL,
               not_running_detected_at = NULL, not_running_confirmations = 0, rowset_attempts = 0,
               row_probe_last_at = NULL, auth_failures = 0""",
        [(one.run_id, to_text(now)) for one in resumed],
    )


def _start(db: Database, started: Sequence[StartRun], run: Run) -> None:
    """Admit runs, and queue their starts; runs that other programs wrote may lack a customer key."""
    db.conn.executemany(
        """UPDATE shell_query_runs SET admitted_at = ?, admissions = admissions + 1,
               customer_key = coalesce(nullif(customer_key, ''), ?)
           WHERE id = ? AND status = 'queued'""",
        [(to_text(run.now), new_customer_key(), one.run_id) for one in started],
    )
    admitted = db.execute(
        "SELECT id, admissions FROM shell_query_runs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY created_at, id",
        [json.dumps([one.run_id for one in started])],
    ).fetchall()
    for run_id, times in admitted:
        queue(db, run, "start", f"start:{run_id}:{times}", {"run": run_id}, lane=f"run:{run_id}")


def _clean_up(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """A definition that cannot be deleted is tried again by the sweeps of later days."""
    expired = _of(DeleteTarget, decisions)
    db.conn.executemany(
        "UPDATE shell_query_runs SET target_cleared_at = ? WHERE id = ?",
        [(to_text(run.now), one.run_id) for one in expired],
    )
    for target in expired:
        queue(db, run, "delete_target", f"target:{target.run_id}", {"run": target.run_id}, lane=f"run:{target.run_id}")
    for left in _of(DeleteDefinition, decisions):
        payload = {"object_id": left.object_id, "customer_key": left.customer_key}
        queue(db, run, "delete_definition", f"sweep:{left.object_id}:{run.now:%Y-%m-%d}", payload, lane=left.object_id)
    if _of(NoteSweep, decisions):
        db.execute("INSERT OR REPLACE INTO shell_query_sweeps (id, swept_at) VALUES (1, ?)", [to_text(run.now)])


def _note_objects(db: Database, found: Sequence[PollAgain | FinishRun | FailRun]) -> None:
    """Keep the ObjectIDs that were looked up."""
    db.conn.executemany(
        "UPDATE shell_query_runs SET query_definition_id = ? WHERE id = ? AND query_definition_id IS NULL",
        [(one.object_id, one.run_id) for one in found if one.object_id],
    )


def _of(kind: type[_DecisionT], decisions: Iterable[Any]) -> list[_DecisionT]:
    return [decision for decision in decisions if isinstance(decision, kind)]


def _text(moment: datetime | None) -> str | None:
    return to_text(moment) if moment else None
