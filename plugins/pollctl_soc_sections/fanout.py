"""The SQL of telling people: whom an opening concerns, their notifications, and what became of each."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from pollctl import from_text, to_text
from pollctl_soc_sections.model import (
    Candidate,
    Deferred,
    EndNotification,
    FanOut,
    OpenEvent,
    Poll,
    Release,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Effect, Run

# load

_CANDIDATES = """
SELECT subscription.id, index_number, created_at, window, snooze_until, unless_open,
    CASE WHEN event.status_before = 'CLOSED' THEN event.event_at END, event.id IS NOT NULL
FROM soc_subscriptions AS subscription
JOIN soc_sections AS section USING (term, campus, index_number)
LEFT JOIN soc_open_events AS event USING (term, campus, index_number, episode)
WHERE term = :term AND campus = :campus AND subscription.status IN ('pending', 'active') AND subscription.id > :after
    AND (section.status = 'OPEN' OR index_number IN (SELECT value FROM json_each(:appearing)))
    AND NOT EXISTS (SELECT 1 FROM soc_open_event_notifications AS notification
        WHERE notification.event_id = event.id AND notification.subscription_id = subscription.id)
ORDER BY subscription.id LIMIT :chunk"""


def candidates(db: Database, poll: Poll, appearing: Collection[str], chunk: int) -> list[Candidate]:
    """Eligible subscriptions not yet told of the episode of an open or appearing section; read a chunk at a time."""
    values = {"term": poll.term, "campus": poll.campus, "appearing": json.dumps(list(appearing)), "chunk": chunk}
    return [_candidate(row) for page in _pages(db, values) for row in page]


def _pages(db: Database, values: dict[str, Any]) -> Iterator[list[Any]]:
    after = -1
    while page := db.execute(_CANDIDATES, {**values, "after": after}).fetchall():
        yield page
        after = page[-1][0]
        if len(page) < values["chunk"]:
            return


def _candidate(row: Sequence[Any]) -> Candidate:
    return Candidate(
        id=row[0],
        index_number=row[1],
        created_at=from_text(row[2]),
        window=row[3],
        snooze_until=_moment(row[4]),
        unless_open=bool(row[5]),
        opened_at=_moment(row[6]),
        has_event=bool(row[7]),
    )


def deferred(db: Database, poll: Poll) -> list[Deferred]:
    """Notifications of this term and campus that wait for their time."""
    rows = db.execute(
        """SELECT event.id, dedupe_key, effect_key, subscription.id, subscription.status, event.index_number, episode,
               window, snooze_until
           FROM soc_open_event_notifications AS notification
           CROSS JOIN soc_open_events AS event ON event.id = event_id
           JOIN soc_subscriptions AS subscription ON subscription.id = subscription_id
           WHERE fanout_status = 'deferred' AND event.term = ? AND event.campus = ?
           ORDER BY event.id, subscription.id""",
        [poll.term, poll.campus],
    )
    return [
        Deferred(
            event_id=row[0],
            dedupe_key=row[1],
            effect_key=row[2],
            subscription_id=row[3],
            status=row[4],
            index_number=row[5],
            episode=row[6],
            window=row[7],
            snooze_until=_moment(row[8]),
        )
        for row in rows
    ]


def dead(db: Database, poll: Poll, plugin: str) -> list[tuple[int, int]]:
    """Event and subscription of notifications whose delivery the outbox has given up."""
    return db.execute(
        """SELECT event_id, subscription_id FROM soc_open_event_notifications
           CROSS JOIN soc_open_events AS event ON event.id = event_id
           JOIN outbox ON outbox.plugin = ? AND outbox.key = effect_key
           WHERE fanout_status = 'pending' AND event.term = ? AND event.campus = ? AND outbox.status = 'dead'
           ORDER BY 1, 2""",
        [plugin, poll.term, poll.campus],
    ).fetchall()


# apply


def add_events(db: Database, events: Sequence[OpenEvent], run: Run) -> None:
    """Keep open events; one that is known already stays as it is."""
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
                _queue(db, [(fan.dedupe_key, number, f"{fan.dedupe_key}:{number}") for number in page], run)
        run.count(**{status: len(fan.subscriptions)})


def release(db: Database, released: Sequence[Release], run: Run) -> None:
    """Queue notifications that have waited long enough."""
    db.conn.executemany(
        """UPDATE soc_open_event_notifications SET fanout_status = 'pending', effect_key = ?3, changed_at = ?4
           WHERE event_id = ?1 AND subscription_id = ?2""",
        [(it.event_id, it.subscription_id, it.effect_key, to_text(run.now)) for it in released],
    )
    _queue(db, [(it.dedupe_key, it.subscription_id, it.effect_key) for it in released], run)
    run.count(released=len(released))


def end(db: Database, ended: Sequence[EndNotification], run: Run) -> None:
    """Keep what became of notifications that will not go out, also in the subscriptions' history."""
    db.conn.executemany(
        """UPDATE soc_open_event_notifications SET fanout_status = ?3, changed_at = ?4
           WHERE event_id = ?1 AND subscription_id = ?2""",
        [(it.event_id, it.subscription_id, it.status, to_text(run.now)) for it in ended],
    )
    note(db, [(it.subscription_id, it.status, it.reason) for it in ended], run.now)


def _queue(db: Database, told: Sequence[tuple[str, int, str]], run: Run) -> None:
    """One effect per event, subscription and key; those to one contact go in order, and the contact itself stays here."""
    lanes = dict(
        db.execute(
            """SELECT id, (SELECT min(id) FROM soc_subscriptions AS first WHERE first.contact = subscription.contact)
               FROM soc_subscriptions AS subscription WHERE id IN (SELECT value FROM json_each(?))""",
            [json.dumps([number for _, number, _ in told])],
        ).fetchall()
    )
    for dedupe_key, number, key in told:
        payload = {"dedupe_key": dedupe_key, "subscription_id": number}
        run.effect("opening", key, payload, lane=f"contact:{lanes[number]}")


def note(db: Database, events: Sequence[tuple[int, str, str]], at: datetime) -> None:
    """Add to the history of subscriptions: id, what happened, and details."""
    db.conn.executemany(
        "INSERT INTO soc_subscription_events (subscription_id, kind, detail, at) VALUES (?, ?, ?, ?)",
        [(*event, to_text(at)) for event in events],
    )


# deliver and settle


class Order(NamedTuple):
    """One notification as deliver needs it; ``is_over`` when its section has closed since."""

    contact: str
    status: str
    window: str | None
    snooze_until: datetime | None
    payload: str
    is_over: bool


def order(db: Database, effect: Effect) -> Order | None:
    """What an effect is about; None when its event or subscription is gone."""
    row = db.execute(
        """SELECT contact, subscription.status, window, snooze_until, payload,
               section.status = 'CLOSED' OR section.episode <> event.episode
           FROM soc_open_events AS event JOIN soc_subscriptions AS subscription USING (term, campus, index_number)
           JOIN soc_sections AS section USING (term, campus, index_number)
           WHERE dedupe_key = ? AND subscription.id = ?""",
        [effect.payload["dedupe_key"], effect.payload["subscription_id"]],
    ).fetchone()
    if row is None:
        return None
    contact, status, window, snooze_until, payload, is_over = row
    return Order(contact, status, window, _moment(snooze_until), payload, bool(is_over))


def settle(db: Database, told: dict[str, Any], result: dict[str, Any], now: datetime) -> None:
    """Keep what became of a notification; one that was sent counts, and the last one allowed pauses."""
    status = "sent" if result["sent"] else "deferred" if result.get("later") else "expired"
    changed = db.execute(
        """UPDATE soc_open_event_notifications SET fanout_status = ?, changed_at = ? WHERE subscription_id = ?
           AND event_id = (SELECT id FROM soc_open_events WHERE dedupe_key = ?) AND fanout_status <> 'sent'""",
        [status, to_text(now), told["subscription_id"], told["dedupe_key"]],
    ).rowcount
    if not changed:
        return
    note(db, [(told["subscription_id"], status, result.get("why", ""))], now)
    if result["sent"]:
        _count_sent(db, told["subscription_id"], now)


def _count_sent(db: Database, number: int, now: datetime) -> None:
    sent, most, status = db.execute(
        """UPDATE soc_subscriptions SET sent_count = sent_count + 1, last_known_section_status = 'OPEN'
           WHERE id = ? RETURNING sent_count, max_notifications, status""",
        [number],
    ).fetchone()
    if sent >= most and status in ("pending", "active"):
        db.execute("UPDATE soc_subscriptions SET status = 'paused' WHERE id = ?", [number])
        note(db, [(number, "paused", f"{sent} of {most} notifications were sent; `resume {number}` starts anew")], now)


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None
