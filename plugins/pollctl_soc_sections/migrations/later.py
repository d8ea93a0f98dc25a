"""What later versions added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl.sql import utc
from pollctl_soc_sections.migrations.tables import CAMPUS, SECTION, migrations

if TYPE_CHECKING:
    from sqlite_utils import Database

_MEMORY = {
    "listed_count": "INTEGER NOT NULL DEFAULT 0",
    "ignored_count": "INTEGER NOT NULL DEFAULT 0",
    "accepted_at": f"TEXT CHECK ({utc('accepted_at')})",
    "accepted_digest": "TEXT",
    "ignores_campus": "INTEGER NOT NULL DEFAULT 0 CHECK (ignores_campus IN (0, 1))",
    "held_since": f"TEXT CHECK ({utc('held_since')})",
    "held_last_at": f"TEXT CHECK ({utc('held_last_at')})",
    "held_seen": "TEXT",
    "failing_since": f"TEXT CHECK ({utc('failing_since')})",
    "doubted_since": f"TEXT CHECK ({utc('doubted_since')})",
    "last_duration_ms": "REAL",
}


@migrations()
def m003_held_answers(db: Database) -> None:
    """Runs of held answers, answers that full campuses are held against, and what else a message says of a section."""
    for name, kind in _MEMORY.items():
        db.execute(f"ALTER TABLE soc_campuses ADD COLUMN {name} {kind}")
    # The next answer is parsed, so that its counts are known.
    db.execute("UPDATE soc_campuses SET settled_hash = NULL")
    db.execute("ALTER TABLE soc_polls ADD COLUMN duration_ms REAL")
    db.execute(f"ALTER TABLE soc_sections ADD COLUMN missed_at TEXT CHECK ({utc('missed_at')})")
    for name in ("eligibility", "subtitle"):
        db.execute(f"ALTER TABLE soc_sections ADD COLUMN {name} TEXT NOT NULL DEFAULT ''")
    db.execute(
        """ALTER TABLE soc_open_event_notifications ADD COLUMN is_spared INTEGER NOT NULL DEFAULT 0
        CHECK (is_spared IN (0, 1))"""
    )
    db.execute(
        f"""CREATE TABLE soc_answers (
    {CAMPUS},
    size INTEGER NOT NULL CHECK (size >= 0),
    sections BLOB NOT NULL,
    PRIMARY KEY (term, campus)
) STRICT, WITHOUT ROWID"""
    )


@migrations()
def m004_courses(db: Database) -> None:
    """Subscriptions to all sections of a course, their cross-listed twins included."""
    db.execute(
        """ALTER TABLE soc_subscriptions ADD COLUMN course TEXT NOT NULL DEFAULT ''
        CHECK (course = '' OR index_number = '00000')"""
    )
    db.execute(
        """ALTER TABLE soc_subscriptions ADD COLUMN is_rolling INTEGER NOT NULL DEFAULT 0
        CHECK (is_rolling IN (0, 1) AND (is_rolling = 0 OR course <> ''))"""
    )
    db.execute("DROP INDEX soc_subscriptions_live")
    db.execute(
        """CREATE UNIQUE INDEX soc_subscriptions_live ON soc_subscriptions (term, campus, index_number, contact, course)
    WHERE status <> 'unsubscribed'"""
    )
    db.execute("DROP TRIGGER soc_subscribed")
    # A subscription to a course names no section: the catalogue says which ones it has.
    db.execute(
        """CREATE TRIGGER soc_subscribed AFTER INSERT ON soc_subscriptions WHEN new.course = '' BEGIN
    INSERT INTO soc_sections (term, campus, index_number) VALUES (new.term, new.campus, new.index_number)
    ON CONFLICT DO UPDATE SET is_known = 1 WHERE is_known = 0;
END"""
    )
    db.execute(
        f"""CREATE TABLE soc_twins (
    {SECTION},
    course TEXT NOT NULL CHECK (course <> ''),
    PRIMARY KEY (term, campus, course, index_number)
) STRICT, WITHOUT ROWID"""
    )
    db.execute("CREATE INDEX soc_sections_by_course ON soc_sections (term, campus, course) WHERE course <> ''")
    db.execute("CREATE INDEX soc_open_event_notifications_by_effect ON soc_open_event_notifications (effect_key)")
