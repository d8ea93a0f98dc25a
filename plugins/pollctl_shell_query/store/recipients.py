"""Who is told of the end of a run; addresses are secrets, which no listing shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from pollctl import Secret, counted, from_text, split_addresses, spoken_length, spoken_moment

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def keep_recipients(db: Database, run_id: str, addresses: Sequence[Secret]) -> None:
    """Remember whom the end of a run is told."""
    rows = [(run_id, address.reveal()) for address in dict.fromkeys(addresses)]
    db.conn.executemany("INSERT INTO shell_query_notify VALUES (?, ?)", rows)


def tell_end(db: Database, run_id: str, run: Run) -> None:
    """Tell of a run that is ready or has failed: its own recipients, else those of the plugin's section, else nobody."""
    name, status, rows, error, created_at, completed_at = db.execute(
        """SELECT name, status, row_count, error_message, created_at, completed_at FROM shell_query_runs WHERE id = ?""",
        [run_id],
    ).fetchone()
    recipients = _recipients(db, run_id, run)
    if status not in ("ready", "failed") or not recipients:
        return
    began, ended = from_text(created_at), from_text(completed_at)
    is_ready = status == "ready"
    what = f"{counted(rows or 0, 'row')} can be read" if is_ready else f"Failed: {error}"
    body = (
        f"{what}.\n"
        f"Submitted {spoken_moment(began, run.timezone)}, ended {spoken_moment(ended, run.timezone)} "
        f"({spoken_length(max(ended - began, timedelta()))}).\n"
        f"shell_query on {run.host}, run {run_id}"
    )
    title = f"Query {name or run_id} {'is ready' if is_ready else 'failed'}"
    run.tell(f"end:{run_id}", title, body, to=recipients, level="success" if is_ready else "failure")


def _recipients(db: Database, run_id: str, run: Run) -> list[Secret]:
    own = [Secret(url) for (url,) in db.execute("SELECT url FROM shell_query_notify WHERE run_id = ?", [run_id])]
    return split_addresses(own or run.settings.notify)
