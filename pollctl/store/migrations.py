"""The core's own tables, step by step; a step that was released is never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl.api.migrations import Migrations

if TYPE_CHECKING:
    from sqlite_utils import Database

USER_VERSION = 1
"""Raised when a database would be unsafe in the hands of an older pollctl; it refuses what is above its own."""

migrations = Migrations("pollctl")

_TABLES = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    plugin TEXT NOT NULL,
    trigger TEXT NOT NULL CHECK (trigger IN ('manual', 'due')),
    started_at TEXT NOT NULL,
    finished_at TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('running', 'ok', 'partial', 'failed', 'interrupted', 'crashed')),
    batches INTEGER NOT NULL DEFAULT 0,
    decisions INTEGER NOT NULL DEFAULT 0,
    effects INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    undelivered INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER,
    stats TEXT NOT NULL DEFAULT '{}',
    error TEXT,
    trace_id TEXT NOT NULL,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    CHECK ((outcome = 'running') = (finished_at IS NULL))
) STRICT;
CREATE INDEX runs_by_plugin ON runs (plugin, id);
CREATE UNIQUE INDEX runs_one_running ON runs (plugin) WHERE outcome = 'running';

CREATE TABLE schedules (
    plugin TEXT PRIMARY KEY,
    last_started_at TEXT,
    last_finished_at TEXT,
    last_outcome TEXT,
    consecutive_failures INTEGER NOT NULL DEFAULT 0,
    not_before TEXT,
    last_alert_at TEXT,
    last_complaint TEXT,
    defaults TEXT NOT NULL DEFAULT '{}'
) STRICT;

CREATE TABLE next_due (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    due_at TEXT NOT NULL,
    reckoned_at TEXT NOT NULL,
    fingerprint TEXT NOT NULL
) STRICT;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    plugin TEXT NOT NULL,
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    lane TEXT NOT NULL,
    payload TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'sending', 'delivered', 'unknown', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TEXT NOT NULL,
    last_error TEXT,
    result TEXT,
    created_at TEXT NOT NULL,
    delivered_at TEXT,
    CHECK ((status = 'delivered') = (delivered_at IS NOT NULL)),
    UNIQUE (plugin, key)
) STRICT;
CREATE INDEX outbox_open ON outbox (plugin, lane, id) WHERE status IN ('pending', 'sending');
CREATE INDEX outbox_settled ON outbox (created_at) WHERE status IN ('delivered', 'dead');

CREATE TABLE recordings (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    now TEXT NOT NULL,
    settings TEXT NOT NULL,
    state TEXT NOT NULL,
    batch TEXT NOT NULL,
    decisions TEXT,
    PRIMARY KEY (run_id, seq)
) STRICT;

CREATE TABLE holds (
    plugin TEXT NOT NULL,
    upstream TEXT NOT NULL,
    not_before TEXT NOT NULL,
    PRIMARY KEY (plugin, upstream)
) STRICT;
"""


@migrations()
def m001_core_tables(db: Database) -> None:
    """Runs, schedules, outbox, recordings and holds."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)


_SUSPECTS = (
    # Deliveries that were cut off in company, which count against nobody, and since then alone (NULL: not suspected).
    "ALTER TABLE outbox ADD COLUMN attempts_cut_off INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ADD COLUMN tries_alone INTEGER CHECK (tries_alone >= 0)",
    "CREATE INDEX outbox_by_status ON outbox (plugin, status, id)",
)


@migrations()
def m002_suspects(db: Database) -> None:
    """Which effects may have killed their pass."""
    for statement in _SUSPECTS:
        db.execute(statement)


_MANY_EFFECTS = (
    # When an effect was settled says when its key may be forgotten, not when it was queued.
    "DROP INDEX outbox_settled",
    "CREATE INDEX outbox_delivered ON outbox (delivered_at) WHERE status = 'delivered'",
    "CREATE INDEX outbox_dead ON outbox (next_attempt_at) WHERE status = 'dead'",
    # What may be sent is found without looking at what may not, see delivery/lanes.py.
    "CREATE INDEX outbox_due ON outbox (plugin, next_attempt_at, id) WHERE status = 'pending'",
    """CREATE INDEX outbox_at_once ON outbox (plugin, next_attempt_at, id)
    WHERE status = 'pending' AND attempts = 0 AND next_attempt_at <= created_at""",
    "CREATE INDEX outbox_tried ON outbox (plugin, kind, next_attempt_at, id) WHERE status = 'pending' AND attempts > 0",
    "CREATE INDEX outbox_core ON outbox (plugin, id) WHERE status = 'pending' AND kind GLOB 'pollctl.*'",
    "CREATE INDEX outbox_suspects ON outbox (plugin, id) WHERE status = 'pending' AND tries_alone IS NOT NULL",
)


@migrations()
def m003_many_effects(db: Database) -> None:
    """A million effects, settled or waiting, make no pass and no listing slow."""
    for statement in _MANY_EFFECTS:
        db.execute(statement)


_MESSAGES = (
    # Whom an effect is for: a secret, gone as soon as the effect cannot be sent any more.
    """CREATE TABLE outbox_addresses (
    effect_id INTEGER PRIMARY KEY REFERENCES outbox (id) ON DELETE CASCADE,
    url TEXT NOT NULL
) STRICT""",
    # Messages that were given up, until their plugin has heard of it.
    "CREATE INDEX outbox_given_up ON outbox (plugin, id) WHERE status = 'dead' AND kind = 'tell' AND result IS NULL",
)


@migrations()
def m004_messages(db: Database) -> None:
    """Messages to people, which the core delivers for all plugins."""
    for statement in _MESSAGES:
        db.execute(statement)


_NEWS = (
    # What `due --run` printed last of a plugin, as what it is compared by, and when: the same is printed again after a day.
    "CREATE TABLE printed (name TEXT PRIMARY KEY, what TEXT NOT NULL, printed_at TEXT NOT NULL) STRICT",
    # The kinds of effects that a plugin never gives up, as JSON: known without importing it.
    "CREATE TABLE tireless (plugin TEXT PRIMARY KEY, kinds TEXT NOT NULL) STRICT",
    # Whether anything has arrived at an address since.
    """CREATE INDEX outbox_arrived ON outbox (lane, id)
    WHERE status = 'delivered' AND (kind = 'tell' OR kind GLOB 'pollctl.*')""",
)


@migrations()
def m005_news(db: Database) -> None:
    """What is news: channels that do not work, and what was printed of it."""
    for statement in _NEWS:
        db.execute(statement)


@migrations()
def m006_stuck_effects(db: Database) -> None:
    """What has been tried again and again is found without looking at all that waits, see delivery/channels.py."""
    db.execute(
        """CREATE INDEX outbox_stuck ON outbox (plugin, id)
        WHERE status = 'pending' AND attempts - attempts_cut_off >= 5"""
    )


@migrations()
def m007_purity(db: Database) -> None:
    """Of which files a plugin's ``decide`` was judged pure, as JSON, and by what: so that no pass judges them again."""
    db.execute("CREATE TABLE purity (plugin TEXT PRIMARY KEY, judged_by TEXT NOT NULL, files TEXT NOT NULL) STRICT")


@migrations()
def m008_idle(db: Database) -> None:
    """Before when a plugin wants no pass, since when it says so, and a digest of the settings that it was said under.

    An empty digest: a command has written since the last pass began.
    """
    db.execute(
        "CREATE TABLE idle (plugin TEXT PRIMARY KEY, since TEXT NOT NULL, until TEXT NOT NULL CHECK (until > since), "
        "settings TEXT NOT NULL) STRICT"
    )


_VALIDATORS = (
    # The headers that ask whether an answer has changed, as JSON, by a digest of what the request was.
    """CREATE TABLE validators (
    plugin TEXT NOT NULL,
    request TEXT NOT NULL,
    headers TEXT NOT NULL,
    kept_at TEXT NOT NULL,
    PRIMARY KEY (plugin, request)
) STRICT""",
    "CREATE INDEX validators_old ON validators (kept_at)",
)


@migrations()
def m009_validators(db: Database) -> None:
    """What answers can be told from later ones by, for plugins that ask with ``cache=True``."""
    for statement in _VALIDATORS:
        db.execute(statement)


@migrations()
def m010_whose_tables(db: Database) -> None:
    """Which tables the migrations of each plugin made, as JSON: those it may write, and nobody else."""
    db.execute("CREATE TABLE plugin_tables (plugin TEXT PRIMARY KEY, tables TEXT NOT NULL) STRICT")


@migrations()
def m011_attachments(db: Database) -> None:
    """What goes along with messages, as long as they may still be sent."""
    db.execute(
        """CREATE TABLE outbox_attachments (
    effect_id INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (effect_id, number)
) STRICT, WITHOUT ROWID"""
    )
