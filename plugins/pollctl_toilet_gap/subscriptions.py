"""The SQL of subscriptions: wanted first, then made by an effect, ended by another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pollctl import from_text, to_text
from pollctl_toilet_gap import days

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


class Wanted(Struct, frozen=True, kw_only=True):
    """What is subscribed to; *is_over*: its check is complete."""

    robot_id: str
    event_name: str
    until: str
    is_over: bool


def want(db: Database, checks: Sequence[tuple[int, datetime]], run: Run) -> None:
    """Store the intent to subscribe for each check until a moment, and queue the effects that do it."""
    if not checks:
        return
    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM status_check_subscription").fetchone()
    db.conn.executemany(
        "INSERT INTO status_check_subscription (status_check_id, until, state) VALUES (?, ?, 'wanted')",
        [(number, to_text(until)) for number, until in checks],
    )
    _queue(db, "subscription.id > ?", last, run)


def again(db: Database, numbers: Sequence[int], run: Run) -> None:
    """Try subscriptions once more that could not be made; each try has a key of its own."""
    chosen = json.dumps(list(numbers))
    db.execute(
        """UPDATE status_check_subscription SET state = 'wanted', tries = tries + 1
           WHERE id IN (SELECT value FROM json_each(?))""",
        [chosen],
    )
    _queue(db, "subscription.id IN (SELECT value FROM json_each(?))", chosen, run)


def _queue(db: Database, which: str, value: object, run: Run) -> None:
    rows = db.execute(
        f"SELECT id, status_check_id, tries FROM status_check_subscription AS subscription WHERE {which} ORDER BY id",  # noqa: S608
        [value],
    ).fetchall()
    for number, check_id, tries in rows:
        run.effect("subscribe", f"subscribe:{number}:{tries}", {"subscription": number}, lane=_lane(check_id))


def give_up(db: Database, checks: Sequence[int], run: Run) -> None:
    """End the subscriptions of checks that are over."""
    _unsubscribe(db, "status_check_id IN (SELECT value FROM json_each(?))", json.dumps(list(checks)), run)


def _unsubscribe(db: Database, which: str, value: object, run: Run) -> None:
    """End active subscriptions; one under way is ended when it is settled."""
    rows = db.execute(
        f"""UPDATE status_check_subscription SET state = 'ended' WHERE {which} AND state IN ('active', 'failed')
            RETURNING id, status_check_id, subscription_id""",  # noqa: S608 - own text
        [value] if not isinstance(value, tuple) else value,
    ).fetchall()
    for number, check_id, subscription_id in sorted(rows):
        if subscription_id is not None:
            run.effect("unsubscribe", f"unsubscribe:{number}", {"subscription": number}, lane=_lane(check_id))


def wanted(db: Database, number: int) -> Wanted:
    """What a subscription is for."""
    row = db.execute(
        """SELECT c.robot_id, json_extract(c.settings, '$.event'), s.until, c.phase = 'COMPLETE'
           FROM status_check_subscription AS s JOIN status_check AS c ON c.id = s.status_check_id WHERE s.id = ?""",
        [number],
    ).fetchone()
    return Wanted(robot_id=row[0], event_name=row[1], until=row[2], is_over=bool(row[3]))


def known_as(db: Database, number: int) -> tuple[str, str]:
    """The robot of a subscription, and its id upstream."""
    row = db.execute(
        """SELECT c.robot_id, s.subscription_id FROM status_check_subscription AS s
           JOIN status_check AS c ON c.id = s.status_check_id WHERE s.id = ?""",
        [number],
    ).fetchone()
    return str(row[0]), str(row[1])


def settle(db: Database, number: int, result: dict[str, Any], run: Run) -> None:
    """Record that a subscription was made, or why it was not."""
    subscription_id, is_uncertain = result["id"], result["is_uncertain"]
    db.execute(
        """UPDATE status_check_subscription SET state = ?, subscription_id = ?, trouble = ?,
           is_uncertain = max(is_uncertain, ?) WHERE id = ?""",
        ["active" if subscription_id else "failed", subscription_id, result["trouble"], is_uncertain, number],
    )
    (check_id, phase, planned_at, ends_at, settings) = db.execute(
        """SELECT c.id, c.phase, c.planned_at, c.ends_at, c.settings FROM status_check AS c
           JOIN status_check_subscription AS s ON s.status_check_id = c.id WHERE s.id = ?""",
        [number],
    ).fetchone()
    if phase == "COMPLETE":
        give_up(db, [check_id], run)
    elif subscription_id:
        is_late = phase == "SETUP" and _begin_window(
            db, check_id, from_text(planned_at), from_text(ends_at), json.loads(settings), run
        )
        _observe(db, check_id, subscription_id, run, is_late=is_late)
        # A service that answers a renewal with the id that it knows already must not lose that one.
        older = "status_check_id = ? AND id < ? AND subscription_id IS NOT ?"
        _unsubscribe(db, older, (check_id, number, subscription_id), run)


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


def _begin_window(
    db: Database, check_id: int, planned_at: datetime, ends_at: datetime, settings: dict[str, Any], run: Run
) -> bool:
    """Watch from the moment of the subscription on, unless that came within the tolerance; answers whether it moved."""
    (text,) = db.execute("SELECT since FROM status_check_poller WHERE status_check_id = ?", [check_id]).fetchone()
    before = from_text(text)
    since = days.observed_from(before, planned_at, run.now, run.settings.start_tolerance)
    until = max(since, min(since + timedelta(milliseconds=settings["gap_ms"]), ends_at))
    db.execute(
        "UPDATE status_check_poller SET since = ?, until = ? WHERE status_check_id = ?",
        [to_text(since), to_text(until), check_id],
    )
    return since > before


def _lane(check_id: int) -> str:
    return f"subscription:{check_id}"
