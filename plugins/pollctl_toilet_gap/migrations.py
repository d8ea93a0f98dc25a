"""The tables of toilet_gap, step by step; a step that was released is never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pollctl import Migrations
from pollctl.sql import utc

if TYPE_CHECKING:
    from sqlite_utils import Database

migrations = Migrations("toilet_gap")

_PHASE = "CHECK (phase IN ('SETUP', 'MONITORING', 'COMPLETE'))"


def _moment(column: str, null: str = " NOT NULL") -> str:
    """A column of UTC moments such as ``2026-03-08T12:00:00.000Z``, checked as it was released.

    New tables use ``pollctl.sql.utc``, which refuses more.
    """
    shape = "____-__-__T__:__:__.___Z"
    return f"{column} TEXT{null} CHECK ({column} LIKE '{shape}' AND {column} BETWEEN '2000' AND '2400')"


_TABLES = (
    f"""CREATE TABLE status_check (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    monitor TEXT NOT NULL CHECK (monitor <> ''),
    robot_id TEXT NOT NULL CHECK (robot_id <> ''),
    local_date TEXT NOT NULL CHECK (local_date LIKE '____-__-__'),
    phase TEXT NOT NULL {_PHASE},
    subscription_id TEXT,
    result TEXT CHECK (result IN ('SUCCESS', 'ALARM_RAISED', 'ABANDONED', 'FAILED')),
    {_moment("planned_at")},
    {_moment("ends_at")},
    settings TEXT NOT NULL,
    {_moment("closing_at", "")},
    {_moment("created_at")},
    {_moment("updated_at")},
    UNIQUE (monitor, local_date),
    CHECK (ends_at > planned_at),
    CHECK ((phase = 'COMPLETE') = (result IS NOT NULL))
) STRICT""",
    "CREATE INDEX status_check_open ON status_check (id) WHERE phase <> 'COMPLETE'",
    "CREATE INDEX status_check_by_result ON status_check (result)",
    f"""CREATE TABLE status_check_poller (
    status_check_id INTEGER PRIMARY KEY REFERENCES status_check (id) ON DELETE CASCADE,
    {_moment("since")},
    {_moment("until")},
    opened_by TEXT NOT NULL CHECK (opened_by IN ('start', 'visit', 'alarm')),
    unjudged INTEGER NOT NULL DEFAULT 0 CHECK (unjudged >= 0),
    {_moment("unjudged_since", "")},
    CHECK (until >= since)
) STRICT""",
    f"""CREATE TABLE status_check_record (
    status_check_id INTEGER NOT NULL REFERENCES status_check (id) ON DELETE CASCADE,
    "order" INTEGER NOT NULL CHECK ("order" >= 1),
    incoming_event_id TEXT,
    reference_id TEXT,
    event_name TEXT NOT NULL CHECK (event_name IN ('STARTED', 'SUBSCRIBED', 'EVENT_OBSERVED', 'EVENT_LATE',
        'EVENT_OUTSIDE', 'ALARM_SENT', 'CONFIG_CHANGED', 'ENDED')),
    {_moment("event_at")},
    phase TEXT NOT NULL {_PHASE},
    result TEXT,
    {_moment("created_at")},
    PRIMARY KEY (status_check_id, "order")
) STRICT, WITHOUT ROWID""",
    """CREATE UNIQUE INDEX status_check_record_event ON status_check_record (status_check_id, incoming_event_id)
    WHERE incoming_event_id IS NOT NULL""",
    """CREATE UNIQUE INDEX status_check_record_reference ON status_check_record (reference_id)
    WHERE reference_id IS NOT NULL""",
    "CREATE INDEX status_check_record_by_name ON status_check_record (event_name)",
    f"""CREATE TABLE status_check_incoming (
    status_check_id INTEGER NOT NULL REFERENCES status_check (id) ON DELETE CASCADE,
    event_id TEXT NOT NULL,
    {_moment("event_at")},
    PRIMARY KEY (status_check_id, event_id)
) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE status_check_subscription (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    status_check_id INTEGER NOT NULL REFERENCES status_check (id) ON DELETE CASCADE,
    {_moment("until")},
    state TEXT NOT NULL CHECK (state IN ('wanted', 'failed', 'active', 'ended')),
    subscription_id TEXT,
    is_uncertain INTEGER NOT NULL DEFAULT 0 CHECK (is_uncertain IN (0, 1)),
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    trouble TEXT
) STRICT""",
    "CREATE INDEX status_check_subscription_by_check ON status_check_subscription (status_check_id)",
    """CREATE INDEX status_check_subscription_by_id ON status_check_subscription (subscription_id)
    WHERE subscription_id IS NOT NULL""",
    f"""CREATE TABLE status_check_dead_letter (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL CHECK (source IN ('queue', 'history')),
    reason TEXT NOT NULL,
    robot_id TEXT,
    event_id TEXT,
    body TEXT NOT NULL,
    {_moment("created_at")}
) STRICT""",
    """CREATE INDEX status_check_quarantine ON status_check_dead_letter (robot_id, event_id)
    WHERE key >= 'future:' AND key < 'future;'""",
    f"""CREATE TABLE status_check_missed (
    monitor TEXT NOT NULL,
    local_date TEXT NOT NULL,
    {_moment("planned_at")},
    {_moment("ends_at")},
    {_moment("created_at")},
    PRIMARY KEY (monitor, local_date)
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE status_check_description (
    name TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE status_check_template (
    id INTEGER PRIMARY KEY,
    description TEXT NOT NULL UNIQUE REFERENCES status_check_description (name),
    event_name TEXT NOT NULL,
    alarm_name TEXT NOT NULL
) STRICT""",
    f"""CREATE TABLE status_check_template_detail (
    status_check_template_id INTEGER NOT NULL REFERENCES status_check_template (id) ON DELETE CASCADE,
    phase TEXT NOT NULL {_PHASE},
    "order" INTEGER NOT NULL CHECK ("order" >= 1),
    text TEXT NOT NULL,
    PRIMARY KEY (status_check_template_id, phase)
) STRICT, WITHOUT ROWID""",
)


@migrations()
def m001_tables(db: Database) -> None:
    """Checks, their windows, records, waiting events and subscriptions; dead letters, missed days, and the template."""
    for statement in _TABLES:
        db.execute(statement)


@migrations()
def m002_messages(db: Database) -> None:
    """Notifications that have not arrived become messages, which the core delivers."""
    from pollctl import carry_over

    carry_over(db, "toilet_gap", "blind", _blind)
    carry_over(db, "toilet_gap", "unposted", _undelivered)


_ADDED = (
    "ALTER TABLE status_check_record ADD COLUMN unread TEXT",
    "ALTER TABLE status_check_dead_letter ADD COLUMN subscription_id TEXT",
    "ALTER TABLE status_check_dead_letter ADD COLUMN event_name TEXT",
    f"ALTER TABLE status_check_dead_letter ADD COLUMN event_at TEXT CHECK ({utc('event_at')})",
    "ALTER TABLE status_check_dead_letter ADD COLUMN is_watched INTEGER NOT NULL DEFAULT 0 CHECK (is_watched IN (0, 1))",
    f"ALTER TABLE status_check_dead_letter ADD COLUMN replay_at TEXT CHECK ({utc('replay_at')})",
    f"ALTER TABLE status_check_dead_letter ADD COLUMN replayed_at TEXT CHECK ({utc('replayed_at')})",
    "CREATE INDEX status_check_dead_letter_by_age ON status_check_dead_letter (created_at)",
    "CREATE INDEX status_check_dead_letter_replay ON status_check_dead_letter (id) WHERE replay_at IS NOT NULL",
    """CREATE TABLE status_check_expired (
    name TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL CHECK (number >= 0)
) STRICT, WITHOUT ROWID""",
    "ALTER TABLE status_check_template ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1)",
    "ALTER TABLE status_check_template ADD COLUMN past_event_dependencies TEXT NOT NULL DEFAULT '[]'",
    """ALTER TABLE status_check_template ADD COLUMN future_event_dependencies TEXT NOT NULL
    DEFAULT '[{"event":"TOILET_ACTIVITY","maxGapMinutes":120}]'""",
    """ALTER TABLE status_check_template ADD COLUMN poll_until_end INTEGER NOT NULL DEFAULT 1
    CHECK (poll_until_end IN (0, 1))""",
    "ALTER TABLE status_check ADD COLUMN status_check_template_id INTEGER REFERENCES status_check_template (id)",
    # Made again for its phase ALARM; nothing refers to it.
    "ALTER TABLE status_check_template_detail RENAME TO status_check_template_detail_before",
    """CREATE TABLE status_check_template_detail (
    status_check_template_id INTEGER NOT NULL REFERENCES status_check_template (id) ON DELETE CASCADE,
    phase TEXT NOT NULL CHECK (phase IN ('SETUP', 'MONITORING', 'ALARM', 'COMPLETE')),
    "order" INTEGER NOT NULL CHECK ("order" >= 1),
    text TEXT NOT NULL,
    PRIMARY KEY (status_check_template_id, phase)
) STRICT, WITHOUT ROWID""",
    "INSERT INTO status_check_template_detail SELECT * FROM status_check_template_detail_before",
    "DROP TABLE status_check_template_detail_before",
)


@migrations()
def m003_unread_events(db: Database) -> None:
    """What could not be read and may be put back, templates as script nodes read them, and numbers of what was deleted."""
    for statement in _ADDED:
        db.execute(statement)


def _blind(payload: dict[str, Any]) -> tuple[str, str, str]:
    body = f"Check {payload['check_id']}: {payload['why']}. No alarm can be raised."
    return f"toilet_gap: monitor {payload['monitor']} cannot be judged", body, payload["recipient"]


def _undelivered(payload: dict[str, Any]) -> tuple[str, str, str]:
    body = f"Alarm {payload['reference_id']} of check {payload['check_id']}: {payload['why']}. Look after the resident."
    return f"toilet_gap: an alarm of robot {payload['robot_id']} is not posted", body, payload["recipient"]
