"""Open events and their notifications: queued, deferred, released, ended."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from pollctl import Secret, to_text
from pollctl_soc_sections.deliver import message
from pollctl_soc_sections.model import EndNotification, Facts, FanOut, FanOutCourse, OpenEvent, Release, Spare
from pollctl_soc_sections.store.history import add_to_history

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def add_events(db: Database, events: Sequence[OpenEvent], run: Run) -> None:
    """Record open events; one that was recorded before stays as it is."""
    row = db.execute("SELECT trace_id FROM runs WHERE id = ?", [run.id]).fetchone()
    trace_id = row[0] if row else run.id
    db.conn.executemany(
        """INSERT INTO soc_open_events (term, campus, index_number, episode, status_before, seat_delta, event_at,
           dedupe_key, trace_id, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
        [
            (it.term, it.campus, it.index_number, it.episode, it.status_before, it.seat_delta,
             to_text(it.event_at), it.dedupe_key, trace_id, msgspec.json.encode(it.facts).decode())
            for it in events
        ],
    )  # fmt: skip


def add_notifications(db: Database, fans: Sequence[FanOut], run: Run) -> None:
    """One row per event and subscription, and the effects of those that need not wait, ``chunk`` at a time."""
    chunk = run.settings.chunk
    for fan in fans:
        status = "deferred" if fan.is_deferred else "pending"
        for start in range(0, len(fan.subscriptions), chunk):
            page = fan.subscriptions[start : start + chunk]
            db.execute(
                """INSERT INTO soc_open_event_notifications (event_id, subscription_id, fanout_status, effect_key,
                       changed_at)
                   SELECT event.id, value, ?1, CASE ?1 WHEN 'pending' THEN dedupe_key || ':' || value END, ?2
                   FROM soc_open_events AS event JOIN json_each(?3) WHERE dedupe_key = ?4 ON CONFLICT DO NOTHING""",
                [status, to_text(run.now), json.dumps(page), fan.dedupe_key],
            )
            if not fan.is_deferred:
                _tell(db, [([fan.dedupe_key], number, f"{fan.dedupe_key}:{number}") for number in page], run)
        run.count(**{status: len(fan.subscriptions)})


def add_course_notifications(db: Database, fans: Sequence[FanOutCourse], run: Run) -> None:
    """A row per event, and one message for all of them, unless they wait."""
    for fan in fans:
        status = "deferred" if fan.is_deferred else "pending"
        key = f"{fan.dedupe_keys[0]}:{fan.subscription}"
        db.execute(
            """INSERT INTO soc_open_event_notifications (event_id, subscription_id, fanout_status, effect_key, changed_at)
               SELECT event.id, ?, ?, ?, ? FROM json_each(?) JOIN soc_open_events AS event ON dedupe_key = value
               WHERE true ON CONFLICT DO NOTHING""",
            [fan.subscription, status, None if fan.is_deferred else key, to_text(run.now), json.dumps(fan.dedupe_keys)],
        )
        if not fan.is_deferred:
            _tell(db, [(fan.dedupe_keys, fan.subscription, key)], run)
        run.count(**{status: 1})


def spare(db: Database, spared: Sequence[Spare], run: Run) -> None:
    """Record who is not told of an opening because they heard of the one before; nothing is queued for them."""
    for it in spared:
        db.execute(
            """INSERT INTO soc_open_event_notifications (event_id, subscription_id, fanout_status, is_spared, changed_at)
               SELECT event.id, value, 'expired', 1, ? FROM soc_open_events AS event JOIN json_each(?)
               WHERE dedupe_key = ? ON CONFLICT DO NOTHING""",
            [to_text(run.now), json.dumps(it.subscriptions), it.dedupe_key],
        )
        add_to_history(db, [(number, "expired", it.reason) for number in it.subscriptions], run.now)


def release(db: Database, released: Sequence[Release], run: Run) -> None:
    """Queue notifications that have waited long enough."""
    db.conn.executemany(
        """UPDATE soc_open_event_notifications SET fanout_status = 'pending', effect_key = ?3, changed_at = ?4
           WHERE event_id = ?1 AND subscription_id = ?2""",
        [(it.event_id, it.subscription_id, it.effect_key, to_text(run.now)) for it in released],
    )
    messages: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for it in released:
        messages[it.subscription_id, it.effect_key].append(it.dedupe_key)
    _tell(db, [(dedupe_keys, number, key) for (number, key), dedupe_keys in messages.items()], run)
    run.count(released=len(released))


def end(db: Database, ended: Sequence[EndNotification], run: Run) -> None:
    """Record what became of notifications that will not go out, also in the subscriptions' history."""
    db.conn.executemany(
        """UPDATE soc_open_event_notifications SET fanout_status = ?3, changed_at = ?4
           WHERE event_id = ?1 AND subscription_id = ?2""",
        [(it.event_id, it.subscription_id, it.status, to_text(run.now)) for it in ended],
    )
    add_to_history(db, [(it.subscription_id, it.status, it.reason) for it in ended], run.now)


def _tell(db: Database, effects: Sequence[tuple[Sequence[str], int, str]], run: Run) -> None:
    """One message per subscription and key, about one event or several; those to one contact go in order."""
    contacts = dict(
        db.execute(
            "SELECT id, contact FROM soc_subscriptions WHERE id IN (SELECT value FROM json_each(?))",
            [json.dumps([number for _, number, _ in effects])],
        ).fetchall()
    )
    facts = dict(
        db.execute(
            "SELECT dedupe_key, payload FROM soc_open_events WHERE dedupe_key IN (SELECT value FROM json_each(?))",
            [json.dumps(list({dedupe_key for dedupe_keys, _, _ in effects for dedupe_key in dedupe_keys}))],
        ).fetchall()
    )
    said: dict[tuple[str, ...], tuple[str, str]] = {}
    for dedupe_keys, number, key in effects:
        about = tuple(dedupe_keys)
        if about not in said:
            said[about] = message([msgspec.json.decode(facts[it], type=Facts) for it in dedupe_keys], run)
        title, body = said[about]
        run.tell(key, title, body, to=Secret(contacts[number]), level="success")
