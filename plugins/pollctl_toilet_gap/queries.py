"""The SELECTs behind the commands, the metrics and the notice of ``pollctl status``."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pollctl import UsageError, counted, sql, to_text

if TYPE_CHECKING:
    from sqlite_utils import Database

_CHECKS = """SELECT c.id, c.monitor, c.robot_id, c.local_date, c.phase, c.result, c.planned_at, c.ends_at, w.since,
    w.until, (SELECT count(*) FROM status_check_record WHERE status_check_id = c.id AND reference_id IS NOT NULL) AS alarms,
    c.subscription_id, c.closing_at, c.created_at, c.updated_at, c.settings
    FROM status_check AS c LEFT JOIN status_check_poller AS w ON w.status_check_id = c.id"""

CHECK_IDS = "SELECT id, monitor || ' ' || local_date || ' ' || phase FROM status_check ORDER BY id DESC"
"""What a shell offers for a check."""


def checks(db: Database, monitor: str | None, date: str | None) -> sql.Listing:
    """Checks, the newest first; ``settings`` decoded."""
    return sql.Listing(
        db,
        f"{_CHECKS} WHERE (?1 IS NULL OR c.monitor = ?1) AND (?2 IS NULL OR c.local_date = ?2) ORDER BY c.id DESC",
        [monitor, date],
        lambda row: {**row, "settings": _decoded(row["settings"])},
    )


def checks_since(db: Database, since: str, limit: int) -> list[dict[str, Any]]:
    """Checks whose day ended after a moment, the newest first."""
    return list(db.query(f"{_CHECKS} WHERE c.ends_at >= ? ORDER BY c.id DESC LIMIT ?", [since, limit]))


def troubles_since(db: Database, since: str) -> tuple[int, int]:
    """How many alarms were raised since a moment, and how many events came that cannot be read."""
    (alarms,) = db.execute(
        "SELECT count(*) FROM status_check_record WHERE event_name = 'ALARM_SENT' AND event_at >= ?", [since]
    ).fetchone()
    (unread,) = db.execute(
        "SELECT count(*) FROM status_check_dead_letter WHERE created_at >= ? AND replayed_at IS NULL", [since]
    ).fetchone()
    return int(alarms), int(unread)


def newest(db: Database) -> int:
    """The number of the check that began last.

    Raises:
        UsageError: there is none.
    """
    (found,) = db.execute("SELECT max(id) FROM status_check").fetchone()
    if found is None:
        raise UsageError("no check yet; a pass begins one when its day begins, `pollctl run toilet-gap` makes one now")
    return int(found)


def check(db: Database, number: int) -> dict[str, Any]:
    """One check.

    Raises:
        UsageError: there is none with this id.
    """
    for row in db.query(f"{_CHECKS} WHERE c.id = ?", [number]):
        return {**row, "settings": _decoded(row["settings"])}
    raise UsageError(f"no check {number}; `pollctl toilet-gap checks` lists them")


def _decoded(settings: str) -> Any:
    try:
        return json.loads(settings)
    except ValueError:
        return settings  # bytes flipped: the others are listed all the same


def open_checks(db: Database) -> dict[str, dict[str, Any]]:
    """The open check of each monitor, the latest where there are two."""
    return {row["monitor"]: row for row in db.query(f"{_CHECKS} WHERE c.phase <> 'COMPLETE' ORDER BY c.id")}


def records(db: Database, number: int) -> list[dict[str, Any]]:
    """What happened in a check, in its order.

    Raises:
        UsageError: there is no such check.
    """
    check(db, number)
    return list(
        db.query(
            """SELECT "order", event_name, event_at, phase, result, incoming_event_id, reference_id, created_at,
               unread FROM status_check_record WHERE status_check_id = ? ORDER BY "order" """,
            [number],
        )
    )


def letters(db: Database) -> sql.Listing:
    """Dead letters, the newest first; ``state`` says what became of each."""
    return sql.Listing(
        db,
        """SELECT id, created_at, source, robot_id, event_name, event_id, reason, body, is_watched,
           CASE WHEN replayed_at IS NOT NULL THEN 'replayed' WHEN replay_at IS NOT NULL THEN 'put back'
               WHEN key >= 'future:' AND key < 'future;' THEN 'quarantined' ELSE 'unread' END AS state
           FROM status_check_dead_letter ORDER BY id DESC""",
    )


# numbers; what was deleted since counts on


def by_name(db: Database) -> dict[str, int]:
    """How many records there were of each name."""
    sql = "SELECT event_name, count(*) FROM status_check_record GROUP BY event_name"
    return _with_expired(db, dict(db.execute(sql).fetchall()))


def by_result(db: Database) -> dict[str, int]:
    """How many checks there were with each result; ``OPEN`` for those that are not over."""
    sql = "SELECT coalesce(result, 'OPEN'), count(*) FROM status_check GROUP BY result"
    return _with_expired(db, dict(db.execute(sql).fetchall()))


def dead_letters(db: Database) -> int:
    """How many dead letters there were."""
    (number,) = db.execute("SELECT count(*) FROM status_check_dead_letter").fetchone()
    return _with_expired(db, {"DEAD_LETTER": int(number)})["DEAD_LETTER"]


def _with_expired(db: Database, numbers: dict[str, int]) -> dict[str, int]:
    gone = db.execute("SELECT name, number FROM status_check_expired").fetchall()
    return numbers | {name: numbers.get(name, 0) + number for name, number in gone}


_UNSENT = """SELECT count(*) FROM outbox WHERE plugin = 'toilet_gap' AND kind = 'alarm' AND status <> 'delivered'
    AND last_error IS NOT 'dropped by hand'"""
_BLIND = "SELECT count(*) FROM status_check_poller WHERE unjudged > 0"
_UNWATCHED = """SELECT count(DISTINCT c.id) FROM status_check AS c JOIN status_check_subscription AS s
    ON s.status_check_id = c.id WHERE c.phase = 'SETUP' AND s.state = 'failed'"""


_UNREAD = """SELECT count(*) FROM status_check_dead_letter WHERE is_watched = 1 AND replayed_at IS NULL
    AND created_at >= ?"""
UNREAD_FOR = timedelta(days=1)
"""How long status names an event that cannot be read."""


def notice(db: Database, now: datetime) -> str:
    """What a person should look at, in one line; nothing where there is nothing."""
    troubles = (
        (_UNSENT, "alarm", "not posted"),
        (_BLIND, "check", "cannot be judged"),
        (_UNWATCHED, "check", "not subscribed"),
    )
    numbers = [(db.execute(sql).fetchone()[0], what, how) for sql, what, how in troubles]
    (unread,) = db.execute(_UNREAD, [to_text(now - UNREAD_FOR)]).fetchone()
    numbers.append((unread, "event", "of a watched robot cannot be read (`pollctl toilet-gap dead-letters`)"))
    return ", ".join(f"{counted(number, what)} {how}" for number, what, how in numbers if number)


def nothing_due(db: Database) -> str:
    """Why there may be nothing to decide: no check is open, or the window of none is over."""
    number, until = db.execute(
        """SELECT count(*), min(w.until) FROM status_check AS c LEFT JOIN status_check_poller AS w
           ON w.status_check_id = c.id WHERE c.phase <> 'COMPLETE'"""
    ).fetchone()
    if not number:
        return "no check is open: it is no monitor's day (`pollctl toilet-gap monitors`)"
    return f"{number} open, the window of the first ends at {until}" if until else f"{number} open"
