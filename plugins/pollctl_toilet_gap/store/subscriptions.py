"""Subscriptions: the intent is stored first, then an effect makes them, another ends them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from pollctl import to_text

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


class WantedSubscription(Struct, frozen=True, kw_only=True):
    """What is to be subscribed; *is_over*: its check is complete."""

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


def retry(db: Database, numbers: Sequence[int], run: Run) -> None:
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


def end_all(db: Database, checks: Sequence[int], run: Run) -> None:
    """End the subscriptions of checks that are over."""
    _unsubscribe(db, "status_check_id IN (SELECT value FROM json_each(?))", [json.dumps(list(checks))], run)


def end_older(db: Database, check_id: int, number: int, subscription_id: str, run: Run) -> None:
    """End the subscriptions of a check that came before *number*.

    A service that answers a renewal with the id that it knows already must not lose that one.
    """
    older = "status_check_id = ? AND id < ? AND subscription_id IS NOT ?"
    _unsubscribe(db, older, [check_id, number, subscription_id], run)


def _unsubscribe(db: Database, which: str, values: Sequence[object], run: Run) -> None:
    """End active subscriptions; one under way is ended when it is settled."""
    rows = db.execute(
        f"""UPDATE status_check_subscription SET state = 'ended' WHERE {which} AND state IN ('active', 'failed')
            RETURNING id, status_check_id, subscription_id""",  # noqa: S608 - own text
        values,
    ).fetchall()
    for number, check_id, subscription_id in sorted(rows):
        if subscription_id is not None:
            run.effect("unsubscribe", f"unsubscribe:{number}", {"subscription": number}, lane=_lane(check_id))


def wanted(db: Database, number: int) -> WantedSubscription:
    """What a subscription is for."""
    row = db.execute(
        """SELECT c.robot_id, json_extract(c.settings, '$.event'), s.until, c.phase = 'COMPLETE'
           FROM status_check_subscription AS s JOIN status_check AS c ON c.id = s.status_check_id WHERE s.id = ?""",
        [number],
    ).fetchone()
    return WantedSubscription(robot_id=row[0], event_name=row[1], until=row[2], is_over=bool(row[3]))


def upstream_id(db: Database, number: int) -> tuple[str, str]:
    """The robot of a subscription, and its id upstream."""
    row = db.execute(
        """SELECT c.robot_id, s.subscription_id FROM status_check_subscription AS s
           JOIN status_check AS c ON c.id = s.status_check_id WHERE s.id = ?""",
        [number],
    ).fetchone()
    return str(row[0]), str(row[1])


def _lane(check_id: int) -> str:
    return f"subscription:{check_id}"
