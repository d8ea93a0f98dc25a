"""The windows of checks, their terms, and their ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_toilet_gap.model import ChangeTerms, EndCheck, KeepWindow
from pollctl_toilet_gap.store import subscriptions
from pollctl_toilet_gap.store.terms import terms_to_text

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def keep_windows(db: Database, windows: Sequence[KeepWindow]) -> None:
    """Write what each check watches from now on."""
    db.conn.executemany(
        """UPDATE status_check_poller SET since = ?, until = ?, opened_by = ?, unjudged = ?, unjudged_since = ?
           WHERE status_check_id = ?""",
        [
            (
                to_text(window.since),
                to_text(window.until),
                window.opened_by,
                window.unjudged,
                to_text(window.unjudged_since) if window.unjudged_since else None,
                window.check_id,
            )
            for window in windows
        ],
    )


def change_terms(db: Database, changes: Sequence[ChangeTerms], run: Run) -> None:
    """Write new terms, and renew subscriptions that must end at another time."""
    db.conn.executemany(
        "UPDATE status_check SET settings = ?, ends_at = ?, updated_at = ? WHERE id = ?",
        [
            (terms_to_text(change.terms), to_text(change.ends_at), to_text(run.now), change.check_id)
            for change in changes
        ],
    )
    subscriptions.want(db, [(change.check_id, change.ends_at) for change in changes if change.renews], run)


def end_checks(db: Database, ended: Sequence[EndCheck], run: Run) -> None:
    """Write results, and end what was subscribed."""
    db.conn.executemany(
        "UPDATE status_check SET phase = 'COMPLETE', result = ?, updated_at = ? WHERE id = ?",
        [(over.result, to_text(run.now), over.check_id) for over in ended],
    )
    db.conn.executemany(
        "DELETE FROM status_check_poller WHERE status_check_id = ?", [(over.check_id,) for over in ended]
    )
    subscriptions.end_all(db, [over.check_id for over in ended], run)
    for over in ended:
        if over.result in ("ABANDONED", "FAILED"):
            run.log(f"{over.result} statusCheckId={over.check_id}: {over.reason}")
