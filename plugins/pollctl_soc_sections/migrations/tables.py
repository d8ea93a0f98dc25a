"""The first tables, and messages that became the core's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from pollctl import Migrations, Secret
from pollctl.sql import NOW, utc
from pollctl_soc_sections.deliver import message_lines
from pollctl_soc_sections.model import Facts

if TYPE_CHECKING:
    from sqlite_utils import Database

migrations = Migrations("soc_sections")

CAMPUS = """term TEXT NOT NULL CHECK (term GLOB '[0179]20[0-9][0-9]'),
    campus TEXT NOT NULL CHECK (campus <> '')"""
SECTION = f"""{CAMPUS},
    index_number TEXT NOT NULL CHECK (index_number GLOB '[0-9][0-9][0-9][0-9][0-9]')"""
_WINDOW = "[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]"
_IS_WINDOW = f"""window GLOB '{_WINDOW}' AND substr(window, 1, 2) < '24' AND substr(window, 7, 2) < '24'"""
_VERDICTS = "'accepted', 'confirmed', 'too_soon', 'suspect_drop', 'suspect_empty', 'rejected', 'failed'"
_TABLES = (
    f"""CREATE TABLE soc_sections (
    {SECTION},
    status TEXT NOT NULL DEFAULT 'UNKNOWN' CHECK (status IN ('UNKNOWN', 'OPEN', 'CLOSED')),
    misses INTEGER NOT NULL DEFAULT 0 CHECK (misses >= 0),
    episode INTEGER NOT NULL DEFAULT 0 CHECK (episode >= 0),
    changed_at TEXT CHECK ({utc("changed_at")}),
    is_known INTEGER NOT NULL DEFAULT 1 CHECK (is_known IN (0, 1)),
    is_catalogued INTEGER NOT NULL DEFAULT 0 CHECK (is_catalogued IN (0, 1)),
    section_number TEXT NOT NULL DEFAULT '',
    course TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '',
    open_to TEXT NOT NULL DEFAULT '',
    permission TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (term, campus, index_number),
    CHECK (status = 'OPEN' OR misses = 0),
    CHECK (is_known OR status = 'UNKNOWN')
) STRICT, WITHOUT ROWID""",
    # Holds the indexes too (they are part of the primary key): a poll reads this and not the wide rows.
    "CREATE INDEX soc_sections_by_status ON soc_sections (term, campus, is_known, status, misses, is_catalogued)",
    f"""CREATE TABLE soc_campuses (
    {CAMPUS},
    counts TEXT NOT NULL DEFAULT '[]',
    last_counted_at TEXT CHECK ({utc("last_counted_at")}),
    settled_hash TEXT,
    suspect_first TEXT,
    suspect_since TEXT CHECK ({utc("suspect_since")}),
    suspect_polls INTEGER NOT NULL DEFAULT 0,
    last_poll_at TEXT CHECK ({utc("last_poll_at")}),
    polls INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    suspects INTEGER NOT NULL DEFAULT 0,
    catalogue_read_at TEXT CHECK ({utc("catalogue_read_at")}),
    catalogue_tried_at TEXT CHECK ({utc("catalogue_tried_at")}),
    catalogue_size INTEGER NOT NULL DEFAULT 0 CHECK (catalogue_size >= 0),
    catalogue_failure TEXT,
    PRIMARY KEY (term, campus),
    CHECK ((suspect_first IS NULL) = (suspect_since IS NULL))
) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE soc_polls (
    id INTEGER PRIMARY KEY,
    {CAMPUS},
    polled_at TEXT NOT NULL CHECK ({utc("polled_at")}),
    verdict TEXT NOT NULL CHECK (verdict IN ({_VERDICTS})),
    listed_count INTEGER,
    known_count INTEGER,
    ignored_count INTEGER NOT NULL DEFAULT 0,
    content_hash TEXT,
    reason TEXT NOT NULL,
    run_id TEXT NOT NULL
) STRICT""",
    "CREATE INDEX soc_polls_by_campus ON soc_polls (term, campus, polled_at)",
    f"""CREATE TABLE soc_status_events (
    id INTEGER PRIMARY KEY,
    {SECTION},
    status TEXT NOT NULL CHECK (status IN ('OPEN', 'CLOSED')),
    status_before TEXT NOT NULL CHECK (status_before IN ('OPEN', 'CLOSED')),
    seat_delta INTEGER NOT NULL CHECK (seat_delta IN (-1, 1)),
    episode INTEGER NOT NULL,
    event_at TEXT NOT NULL CHECK ({utc("event_at")}),
    dedupe_key TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL
) STRICT""",
    "CREATE INDEX soc_status_events_by_campus ON soc_status_events (term, campus, status)",
    f"""CREATE TABLE soc_subscriptions (
    id INTEGER PRIMARY KEY,
    {SECTION},
    contact TEXT NOT NULL CHECK (contact <> ''),
    status TEXT NOT NULL DEFAULT 'active'
        CHECK (status IN ('pending', 'active', 'paused', 'suppressed', 'unsubscribed')),
    window TEXT CHECK ({_IS_WINDOW}),
    max_notifications INTEGER NOT NULL DEFAULT 3 CHECK (max_notifications BETWEEN 1 AND 10),
    snooze_until TEXT CHECK ({utc("snooze_until")}),
    unless_open INTEGER NOT NULL DEFAULT 0 CHECK (unless_open IN (0, 1)),
    last_known_section_status TEXT NOT NULL DEFAULT 'UNKNOWN'
        CHECK (last_known_section_status IN ('UNKNOWN', 'OPEN', 'CLOSED')),
    sent_count INTEGER NOT NULL DEFAULT 0 CHECK (sent_count >= 0),
    created_at TEXT NOT NULL DEFAULT ({NOW}) CHECK ({utc("created_at")})
) STRICT""",
    """CREATE UNIQUE INDEX soc_subscriptions_live ON soc_subscriptions (term, campus, index_number, contact)
    WHERE status <> 'unsubscribed'""",
    "CREATE INDEX soc_subscriptions_by_campus ON soc_subscriptions (term, campus)",
    "CREATE INDEX soc_subscriptions_by_contact ON soc_subscriptions (contact)",
    # Whoever inserts a subscription, its section is known from then on.
    """CREATE TRIGGER soc_subscribed AFTER INSERT ON soc_subscriptions BEGIN
    INSERT INTO soc_sections (term, campus, index_number) VALUES (new.term, new.campus, new.index_number)
    ON CONFLICT DO UPDATE SET is_known = 1 WHERE is_known = 0;
END""",
    f"""CREATE TABLE soc_subscription_events (
    id INTEGER PRIMARY KEY,
    subscription_id INTEGER NOT NULL REFERENCES soc_subscriptions (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    at TEXT NOT NULL CHECK ({utc("at")})
) STRICT""",
    "CREATE INDEX soc_subscription_events_by_subscription ON soc_subscription_events (subscription_id, id)",
    f"""CREATE TABLE soc_open_events (
    id INTEGER PRIMARY KEY,
    {SECTION},
    episode INTEGER NOT NULL,
    status_before TEXT NOT NULL CHECK (status_before IN ('UNKNOWN', 'CLOSED')),
    status_after TEXT NOT NULL DEFAULT 'OPEN' CHECK (status_after = 'OPEN'),
    seat_delta INTEGER NOT NULL,
    event_at TEXT NOT NULL CHECK ({utc("event_at")}),
    dedupe_key TEXT NOT NULL UNIQUE,
    trace_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (term, campus, index_number, episode)
) STRICT""",
    f"""CREATE TABLE soc_open_event_notifications (
    event_id INTEGER NOT NULL REFERENCES soc_open_events (id) ON DELETE CASCADE,
    subscription_id INTEGER NOT NULL REFERENCES soc_subscriptions (id) ON DELETE CASCADE,
    fanout_status TEXT NOT NULL DEFAULT 'pending'
        CHECK (fanout_status IN ('pending', 'deferred', 'sent', 'failed', 'expired')),
    effect_key TEXT,
    changed_at TEXT NOT NULL CHECK ({utc("changed_at")}),
    PRIMARY KEY (event_id, subscription_id)
) STRICT, WITHOUT ROWID""",
    # Two, because SQLite does not see that one value is among several.
    *(
        f"""CREATE INDEX soc_open_event_notifications_{status} ON soc_open_event_notifications (fanout_status)
    WHERE fanout_status = '{status}'"""
        for status in ("pending", "deferred")
    ),
    "CREATE INDEX soc_open_event_notifications_by_subscription ON soc_open_event_notifications (subscription_id)",
)


@migrations()
def m001_tables(db: Database) -> None:
    """Sections, polls, events, subscriptions and notifications."""
    for statement in _TABLES:
        db.execute(statement)


@migrations()
def m002_messages(db: Database) -> None:
    """Notifications that have not arrived become messages, which the core delivers."""
    from pollctl import carry_over

    carry_over(db, "soc_sections", "opening", lambda payload: _opening(db, payload))


def _opening(db: Database, payload: dict[str, Any]) -> tuple[str, str, Secret | None]:
    row = db.execute(
        """SELECT payload, contact FROM soc_open_events AS event JOIN soc_subscriptions AS subscription
           USING (term, campus, index_number) WHERE dedupe_key = ? AND subscription.id = ?""",
        [payload["dedupe_key"], payload["subscription_id"]],
    ).fetchone()
    if row is None:
        return "A section is open", "Its subscription is gone.", None
    title, lines = message_lines(msgspec.json.decode(row[0], type=Facts), ZoneInfo("America/New_York"))
    return title, "\n".join(lines), Secret(row[1])
