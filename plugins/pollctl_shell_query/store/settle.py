"""What became of an effect: the start of a run in one commit, and what later passes must know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_shell_query.model import DeliveryResult
from pollctl_shell_query.store.effects import queue_deletion
from pollctl_shell_query.store.recipients import tell_end
from pollctl_shell_query.store.tokens import keep_holds, keep_token

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Effect, Run


def settle(db: Database, effect: Effect, result: DeliveryResult, run: Run) -> None:
    """Record what became of an effect, within the transaction that marks it delivered."""
    if effect.kind == "tell":
        return
    if result.token is not None:
        keep_token(db, result.token)
    keep_holds(run, result.holds)
    if effect.kind == "start":
        _settle_start(db, effect.payload["run"], result, run)


def _settle_start(db: Database, run_id: str, result: DeliveryResult, run: Run) -> None:
    """A run that was cancelled meanwhile stays so, and what was made for it is deleted."""
    if result.object_id is not None:
        db.execute("UPDATE shell_query_runs SET query_definition_id = ? WHERE id = ?", [result.object_id, run_id])
    if result.outcome == "started" and _record_start(db, run_id, result, run):
        return
    if result.outcome == "postponed" and _wait_again(db, run_id):
        return
    if result.outcome == "failed":
        _fail(db, run_id, result, run)
    if result.object_id is not None or result.may_exist:
        queue_deletion(db, run, run_id)


def _record_start(db: Database, run_id: str, result: DeliveryResult, run: Run) -> bool:
    """Write task, T0 and the first poll at once; returns whether the run was still waiting for it."""
    changed = db.execute(
        """UPDATE shell_query_runs SET status = 'running', task_id = ?1, started_at = ?2, poll_started_at = ?2
           WHERE id = ?3 AND status = 'queued' AND completed_at IS NULL""",
        [result.task_id, to_text(run.now), run_id],
    ).rowcount
    if not changed:
        return False
    db.execute(
        "INSERT OR REPLACE INTO shell_query_polls (run_id, next_poll_at) VALUES (?, ?)",
        [run_id, to_text(run.now + run.settings.initial_delay)],
    )
    run.count(started=1)
    return True


def _wait_again(db: Database, run_id: str) -> bool:
    """Have a run admitted again, as a start that could not be asked for is not an attempt; returns whether it is still queued."""
    again = "UPDATE shell_query_runs SET admitted_at = NULL WHERE id = ? AND status = 'queued' AND completed_at IS NULL"
    return db.execute(again, [run_id]).rowcount > 0


def _fail(db: Database, run_id: str, result: DeliveryResult, run: Run) -> None:
    changed = db.execute(
        """UPDATE shell_query_runs SET status = 'failed', error_message = ?, completed_at = ?,
               sql_text = iif(?, sql_text, NULL)
           WHERE id = ? AND status = 'queued' AND completed_at IS NULL""",
        [result.message, to_text(run.now), run.settings.keep_sql, run_id],
    ).rowcount
    run.count(failed=changed)
    if changed:
        tell_end(db, run_id, run)
