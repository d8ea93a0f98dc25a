"""Effects that are queued in the transaction of what they follow from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_shell_query.client.session import soap_name

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def queue(db: Database, run: Run, kind: str, key: str, payload: dict[str, str], *, lane: str) -> None:
    """Queue an effect, for when SOAP may be asked again if it wants no request now."""
    row = db.execute("SELECT soap_url FROM shell_query_tokens").fetchone()
    until = run.held_until(soap_name(row[0])) if row else None
    run.effect(kind, key, payload, lane=lane, not_before=until)


def queue_deletion(db: Database, run: Run, run_id: str) -> None:
    """Have the definition of a run deleted."""
    queue(db, run, "delete_definition", f"delete:{run_id}", {"run": run_id}, lane=f"run:{run_id}")
