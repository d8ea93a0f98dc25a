"""What ``settle`` writes: the start of a run in one commit, and what later passes must know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_shell_query.store.apply import keep_holds, keep_token, queue_deletion

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Effect, Run
    from pollctl_shell_query.deliver import Done


def settle(db: Database, effect: Effect, done: Done, run: Run) -> None:
    """Record what became of an effect, within the transaction that marks it delivered."""
    if done.token is not None:
        keep_token(db, done.token)
    keep_holds(run, done.holds)
    if effect.kind == "start":
        _settle_start(db, effect.payload["run"], done, run)


def _settle_start(db: Database, run_id: str, done: Done, run: Run) -> None:
    """A run that was cancelled meanwhile stays so, and what was made for it is deleted."""
    if done.object_id is not None:
        db.execute("UPDATE shell_query_runs SET query_definition_id = ? WHERE id = ?", [done.object_id, run_id])
    if done.outcome == "started" and _is_started(db, run_id, done, run):
        return
    if done.outcome == "postponed" and _is_waiting_again(db, run_id):
        return
    if done.outcome == "failed":
        _fail(db, run_id, done, run)
    if done.object_id is not None or done.may_exist:
        queue_deletion(db, run, run_id)


def _is_started(db: Database, run_id: str, done: Done, run: Run) -> bool:
    """Task, object, T0 and the first poll, all at once; whether the run was waiting for it still."""
    changed = db.execute(
        """UPDATE shell_query_runs SET status = 'running', task_id = ?1, started_at = ?2, poll_started_at = ?2
           WHERE id = ?3 AND status = 'queued' AND completed_at IS NULL""",
        [done.task_id, to_text(run.now), run_id],
    ).rowcount
    if not changed:
        return False
    db.execute(
        "INSERT OR REPLACE INTO shell_query_polls (run_id, next_poll_at) VALUES (?, ?)",
        [run_id, to_text(run.now + run.settings.initial_delay)],
    )
    run.count(started=1)
    return True


def _is_waiting_again(db: Database, run_id: str) -> bool:
    """A start that could not even be asked for is no attempt: the run is admitted anew; whether it still wants to be."""
    again = "UPDATE shell_query_runs SET admitted_at = NULL WHERE id = ? AND status = 'queued' AND completed_at IS NULL"
    return db.execute(again, [run_id]).rowcount > 0


def _fail(db: Database, run_id: str, done: Done, run: Run) -> None:
    changed = db.execute(
        """UPDATE shell_query_runs SET status = 'failed', error_message = ?, completed_at = ?,
               sql_text = iif(?, sql_text, NULL)
           WHERE id = ? AND status = 'queued' AND completed_at IS NULL""",
        [done.message, to_text(run.now), run.settings.keep_sql, run_id],
    ).rowcount
    run.count(failed=changed)
