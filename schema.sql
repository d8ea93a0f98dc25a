CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
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
CREATE TABLE latency_jobs (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL CHECK (target <> ''),
    probe TEXT NOT NULL DEFAULT 'api' CHECK (probe IN ('api', 'http', 'tcp', 'icmp')),
    monitoring_mode TEXT NOT NULL DEFAULT 'real_polling'
        CHECK (monitoring_mode IN ('simulated', 'real_polling')),
    cadence_seconds INTEGER NOT NULL DEFAULT 60 CHECK (cadence_seconds >= 1),
    duration_seconds INTEGER NOT NULL DEFAULT 3600
        CHECK (duration_seconds BETWEEN cadence_seconds AND 3153600000),
    status TEXT NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'cancelled', 'failed')),
    alert_state TEXT NOT NULL DEFAULT 'ok' CHECK (alert_state IN ('ok', 'offline_alerted')),
    alert_offline INTEGER NOT NULL DEFAULT 0 CHECK (alert_offline IN (0, 1)),
    alert_recovery INTEGER NOT NULL DEFAULT 0 CHECK (alert_recovery IN (0, 1)),
    started_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
        CHECK (started_at BETWEEN '2000' AND '2300' AND started_at LIKE '%Z' AND substr(started_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', started_at, '+0 days')),
    last_ping_at TEXT CHECK (last_ping_at BETWEEN '2000' AND '2300' AND last_ping_at LIKE '%Z' AND substr(last_ping_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', last_ping_at, '+0 days')),
    completed_at TEXT CHECK (completed_at BETWEEN '2000' AND '2300' AND completed_at LIKE '%Z' AND substr(completed_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', completed_at, '+0 days')),
    is_rolled_up INTEGER NOT NULL DEFAULT 0 CHECK (is_rolled_up IN (0, 1)),
    success INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0,
    system_error INTEGER NOT NULL DEFAULT 0,
    rtt_avg_ms REAL,
    rtt_min_ms REAL,
    rtt_max_ms REAL,
    rtt_p95_ms REAL,
    jitter_avg_ms REAL,
    loss_percent REAL,
    rtt_median_ms REAL,
    jitter_max_ms REAL,
    outages INTEGER,
    longest_streak INTEGER,
    verdict TEXT CHECK (verdict IN ('pass', 'fail', 'unreliable', 'no_data'))
) STRICT;
CREATE INDEX latency_jobs_by_status ON latency_jobs (status, is_rolled_up);
CREATE TABLE latency_samples (
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    sequence_number INTEGER NOT NULL CHECK (sequence_number >= 0),
    status TEXT NOT NULL CHECK (status IN ('success', 'missed', 'system_error')),
    rtt_ms REAL CHECK (rtt_ms >= 0),
    jitter_ms REAL CHECK (jitter_ms >= 0),
    recorded_at TEXT NOT NULL CHECK (recorded_at BETWEEN '2000' AND '2300' AND recorded_at LIKE '%Z' AND substr(recorded_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', recorded_at, '+0 days')),
    error TEXT,
    PRIMARY KEY (job_id, sequence_number),
    CHECK ((status = 'success') = (rtt_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX latency_samples_by_status ON latency_samples (job_id, status, sequence_number);
CREATE TABLE latency_rollups (
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    bucket_start TEXT NOT NULL CHECK (bucket_start BETWEEN '2000' AND '2300' AND bucket_start LIKE '%Z' AND substr(bucket_start, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', bucket_start, '+0 days')),
    success INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0,
    system_error INTEGER NOT NULL DEFAULT 0,
    rtt_avg_ms REAL,
    rtt_min_ms REAL,
    rtt_max_ms REAL,
    rtt_p95_ms REAL,
    jitter_avg_ms REAL,
    PRIMARY KEY (job_id, bucket_start)
) STRICT, WITHOUT ROWID;
CREATE TABLE latency_alerts (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    alert_type TEXT NOT NULL CHECK (alert_type IN ('offline', 'recovery')),
    triggered_at TEXT NOT NULL CHECK (triggered_at BETWEEN '2000' AND '2300' AND triggered_at LIKE '%Z' AND substr(triggered_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', triggered_at, '+0 days'))
) STRICT;
CREATE INDEX latency_alerts_by_job ON latency_alerts (job_id, id);
CREATE TABLE latency_notify (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    UNIQUE (job_id, url)
) STRICT;
