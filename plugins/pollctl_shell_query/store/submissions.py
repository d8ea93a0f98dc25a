"""What people write: new runs, and that one is cancelled."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pollctl import Secret, to_text
from pollctl_shell_query.model import KEY_PREFIX, Column, Mode
from pollctl_shell_query.store.recipients import keep_recipients

if TYPE_CHECKING:
    from sqlite_utils import Database


class NewRun(NamedTuple):
    """What is asked for with ``submit``; without a *target* one of its own is made of *columns*."""

    name: str
    sql: str
    target: str
    columns: list[Column]
    mode: Mode
    notify: Sequence[Secret] = ()


def submit(db: Database, new: NewRun, now: datetime) -> str:
    """Write a run to be started by the next pass, and return its id."""
    run_id = secrets.token_hex(8)
    key = new_customer_key()
    db.execute(
        """INSERT INTO shell_query_runs (id, name, sql_text, sql_text_hash, target_de_customer_key, target_update_type,
               target_fields, customer_key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            run_id,
            new.name,
            new.sql,
            hashlib.sha256(new.sql.encode()).hexdigest(),
            new.target or key,
            new.mode,
            msgspec.json.encode(new.columns).decode() if new.columns else None,
            key,
            to_text(now),
        ],
    )
    keep_recipients(db, run_id, new.notify)
    return run_id


def cancel(db: Database, run_id: str, now: datetime, *, keep_sql: bool) -> None:
    """Cancel a run unless it has ended."""
    db.execute(
        """UPDATE shell_query_runs SET status = 'canceled', completed_at = ?, sql_text = iif(?, sql_text, NULL)
           WHERE id = ? AND completed_at IS NULL""",
        [to_text(now), keep_sql, run_id],
    )


def new_customer_key() -> str:
    """The customer key of a new run: 36 characters, the most that are allowed."""
    return KEY_PREFIX + secrets.token_hex(14)
