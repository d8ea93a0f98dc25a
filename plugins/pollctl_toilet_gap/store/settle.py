"""What became of alarms and subscriptions, within the transaction that marks their effects delivered."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import Effect, from_text, to_text
from pollctl_toilet_gap.decide.days import observed_from
from pollctl_toilet_gap.model import SubscribeResult, Terms
from pollctl_toilet_gap.store import subscriptions
from pollctl_toilet_gap.store.terms import terms_from_text

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def settle(db: Database, effect: Effect, result: Any, run: Run) -> None:
    """Record what became of an alarm, with the id that the event service gave it, or of a subscription."""
    if effect.kind == "alarm":
        reference_id = effect.payload["reference_id"]
        db.execute("UPDATE status_check_record SET result = 'SENT' WHERE reference_id = ?", [reference_id])
        if isinstance(result, dict) and result.get("id"):
            db.execute(
                "UPDATE OR IGNORE status_check_record SET incoming_event_id = ? WHERE reference_id = ?",
                [result["id"], reference_id],
            )
    if effect.kind == "subscribe":
        settle_subscription(db, effect.payload["subscription"], result, run)


def settle_subscription(db: Database, number: int, result: SubscribeResult, run: Run) -> None:
    """Record that a subscription was made, or why it was not."""
    db.execute(
        """UPDATE status_check_subscription SET state = ?, subscription_id = ?, trouble = ?,
           is_uncertain = max(is_uncertain, ?) WHERE id = ?""",
        ["active" if result.id else "failed", result.id, result.error, result.is_uncertain, number],
    )
    (check_id, phase, planned_at, ends_at, settings) = db.execute(
        """SELECT c.id, c.phase, c.planned_at, c.ends_at, c.settings FROM status_check AS c
           JOIN status_check_subscription AS s ON s.status_check_id = c.id WHERE s.id = ?""",
        [number],
    ).fetchone()
    if phase == "COMPLETE":
        subscriptions.end_all(db, [check_id], run)
    elif result.id:
        is_late = phase == "SETUP" and _begin_window(
            db, check_id, from_text(planned_at), from_text(ends_at), terms_from_text(settings), run
        )
        _observe(db, check_id, result.id, run, is_late=is_late)
        subscriptions.end_older(db, check_id, number, result.id, run)


def _observe(db: Database, check_id: int, subscription_id: str, run: Run, *, is_late: bool) -> None:
    now = to_text(run.now)
    db.execute(
        "UPDATE status_check SET phase = 'MONITORING', subscription_id = ?, updated_at = ? WHERE id = ?",
        [subscription_id, now, check_id],
    )
    db.execute(
        """INSERT INTO status_check_record (status_check_id, "order", event_name, event_at, phase, result, created_at)
           SELECT ?1, coalesce(max("order"), 0) + 1, 'SUBSCRIBED', ?2, 'MONITORING', ?3, ?2
           FROM status_check_record WHERE status_check_id = ?1""",
        [check_id, now, "late" if is_late else None],
    )


def _begin_window(db: Database, check_id: int, planned_at: datetime, ends_at: datetime, terms: Terms, run: Run) -> bool:
    """Watch from the moment of the subscription on, unless that came within the tolerance; answers whether it moved."""
    (text,) = db.execute("SELECT since FROM status_check_poller WHERE status_check_id = ?", [check_id]).fetchone()
    before = from_text(text)
    since = observed_from(before, planned_at, run.now, run.settings.start_tolerance)
    until = max(since, min(since + terms.gap, ends_at))
    db.execute(
        "UPDATE status_check_poller SET since = ?, until = ? WHERE status_check_id = ?",
        [to_text(since), to_text(until), check_id],
    )
    return since > before
