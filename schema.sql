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
    delivered_at TEXT, attempts_cut_off INTEGER NOT NULL DEFAULT 0, tries_alone INTEGER CHECK (tries_alone >= 0),
    CHECK ((status = 'delivered') = (delivered_at IS NOT NULL)),
    UNIQUE (plugin, key)
) STRICT;
CREATE INDEX outbox_open ON outbox (plugin, lane, id) WHERE status IN ('pending', 'sending');
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
CREATE INDEX outbox_by_status ON outbox (plugin, status, id);
CREATE INDEX outbox_delivered ON outbox (delivered_at) WHERE status = 'delivered';
CREATE INDEX outbox_dead ON outbox (next_attempt_at) WHERE status = 'dead';
CREATE INDEX outbox_due ON outbox (plugin, next_attempt_at, id) WHERE status = 'pending';
CREATE INDEX outbox_at_once ON outbox (plugin, next_attempt_at, id)
    WHERE status = 'pending' AND attempts = 0 AND next_attempt_at <= created_at;
CREATE INDEX outbox_tried ON outbox (plugin, kind, next_attempt_at, id) WHERE status = 'pending' AND attempts > 0;
CREATE INDEX outbox_core ON outbox (plugin, id) WHERE status = 'pending' AND kind GLOB 'pollctl.*';
CREATE INDEX outbox_suspects ON outbox (plugin, id) WHERE status = 'pending' AND tries_alone IS NOT NULL;
CREATE TABLE outbox_addresses (
    effect_id INTEGER PRIMARY KEY REFERENCES outbox (id) ON DELETE CASCADE,
    url TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_given_up ON outbox (plugin, id) WHERE status = 'dead' AND kind = 'tell' AND result IS NULL;
CREATE TABLE printed (name TEXT PRIMARY KEY, what TEXT NOT NULL, printed_at TEXT NOT NULL) STRICT;
CREATE TABLE tireless (plugin TEXT PRIMARY KEY, kinds TEXT NOT NULL) STRICT;
CREATE INDEX outbox_arrived ON outbox (lane, id)
    WHERE status = 'delivered' AND (kind = 'tell' OR kind GLOB 'pollctl.*');
CREATE INDEX outbox_stuck ON outbox (plugin, id)
        WHERE status = 'pending' AND attempts - attempts_cut_off >= 5;
CREATE TABLE purity (plugin TEXT PRIMARY KEY, judged_by TEXT NOT NULL, files TEXT NOT NULL) STRICT;
CREATE TABLE idle (plugin TEXT PRIMARY KEY, since TEXT NOT NULL, until TEXT NOT NULL CHECK (until > since), settings TEXT NOT NULL) STRICT;
CREATE TABLE validators (
    plugin TEXT NOT NULL,
    request TEXT NOT NULL,
    headers TEXT NOT NULL,
    kept_at TEXT NOT NULL,
    PRIMARY KEY (plugin, request)
) STRICT;
CREATE INDEX validators_old ON validators (kept_at);
CREATE TABLE plugin_tables (plugin TEXT PRIMARY KEY, tables TEXT NOT NULL) STRICT;
CREATE TABLE outbox_attachments (
    effect_id INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (effect_id, number)
) STRICT, WITHOUT ROWID;
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
    last_ping_at TEXT CHECK (last_ping_at GLOB '20??-??-??T??:??:??*Z'),
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
, login TEXT, alert_blind INTEGER CHECK (alert_blind IN (0, 1)), is_blind INTEGER NOT NULL DEFAULT 0 CHECK (is_blind IN (0, 1)), offline_since TEXT CHECK (offline_since BETWEEN '2000' AND '2300' AND offline_since LIKE '%Z' AND substr(offline_since, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', offline_since, '+0 days')), offline_reason TEXT, blind_since TEXT CHECK (blind_since BETWEEN '2000' AND '2300' AND blind_since LIKE '%Z' AND substr(blind_since, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', blind_since, '+0 days')), max_loss_percent REAL NOT NULL DEFAULT 2 CHECK (max_loss_percent BETWEEN 0 AND 100), max_p95_ms REAL NOT NULL DEFAULT 100 CHECK (max_p95_ms >= 0), max_jitter_ms REAL NOT NULL DEFAULT 30 CHECK (max_jitter_ms >= 0), outage_length INTEGER NOT NULL DEFAULT 5 CHECK (outage_length BETWEEN 1 AND 1000), family INTEGER NOT NULL DEFAULT 0 CHECK (family IN (0, 4, 6)), expect TEXT NOT NULL DEFAULT '200-399', cause TEXT) STRICT;
CREATE INDEX latency_jobs_by_status ON latency_jobs (status, is_rolled_up);
CREATE TABLE latency_samples (
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    sequence_number INTEGER NOT NULL CHECK (sequence_number >= 0),
    status TEXT NOT NULL CHECK (status IN ('success', 'missed', 'system_error')),
    rtt_ms REAL CHECK (rtt_ms >= 0),
    jitter_ms REAL CHECK (jitter_ms >= 0),
    recorded_at TEXT NOT NULL CHECK (recorded_at BETWEEN '2000' AND '2300' AND recorded_at LIKE '%Z' AND substr(recorded_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', recorded_at, '+0 days')),
    reason TEXT, address TEXT,
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
CREATE TABLE latency_notify (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    UNIQUE (job_id, url)
) STRICT;
CREATE TABLE latency_alerts (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    alert_type TEXT NOT NULL CHECK (alert_type IN ('offline', 'recovery', 'blind', 'seeing')),
    triggered_at TEXT NOT NULL CHECK (triggered_at BETWEEN '2000' AND '2300' AND triggered_at LIKE '%Z' AND substr(triggered_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', triggered_at, '+0 days'))
) STRICT;
CREATE INDEX latency_alerts_by_job ON latency_alerts (job_id, id);
CREATE TABLE latency_mirror (
    job_id INTEGER PRIMARY KEY REFERENCES latency_jobs (id) ON DELETE CASCADE,
    remote_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'closing', 'closed', 'gone')),
    first_number INTEGER NOT NULL DEFAULT 0 CHECK (first_number >= 0),
    sent_through INTEGER NOT NULL DEFAULT -1,
    is_sending INTEGER NOT NULL DEFAULT 0 CHECK (is_sending IN (0, 1)),
    sends INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    pinged_at TEXT CHECK (pinged_at BETWEEN '2000' AND '2300' AND pinged_at LIKE '%Z' AND substr(pinged_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', pinged_at, '+0 days'))
) STRICT;
CREATE TABLE latency_mirror_held (
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    sequence_number INTEGER NOT NULL,
    reason TEXT NOT NULL,
    held_at TEXT NOT NULL CHECK (held_at BETWEEN '2000' AND '2300' AND held_at LIKE '%Z' AND substr(held_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', held_at, '+0 days')),
    is_released INTEGER NOT NULL DEFAULT 0 CHECK (is_released IN (0, 1)),
    PRIMARY KEY (job_id, sequence_number)
) STRICT, WITHOUT ROWID;
CREATE TABLE latency_mirror_claims (remote_id TEXT PRIMARY KEY) STRICT;
CREATE TABLE latency_mirror_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    others INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    is_pinging INTEGER NOT NULL DEFAULT 0 CHECK (is_pinging IN (0, 1))
) STRICT;
CREATE INDEX latency_jobs_by_ping ON latency_jobs (cadence_seconds, last_ping_at) WHERE status = 'running';
CREATE INDEX latency_jobs_by_end ON latency_jobs (
    strftime('%Y-%m-%dT%H:%M:%fZ', started_at, '+' || duration_seconds || ' seconds')
) WHERE status = 'running';
CREATE TABLE shell_query_runs (
    id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
    name TEXT NOT NULL DEFAULT '',
    sql_text TEXT,
    sql_text_hash TEXT NOT NULL DEFAULT '',
    target_de_customer_key TEXT NOT NULL CHECK (target_de_customer_key <> ''),
    target_update_type TEXT NOT NULL DEFAULT 'Overwrite' CHECK (target_update_type IN ('Overwrite', 'Append', 'Update')),
    target_fields TEXT,
    status TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'ready', 'failed', 'canceled')),
    task_id TEXT,
    query_definition_id TEXT,
    customer_key TEXT UNIQUE CHECK (length(customer_key) <= 36),
    row_count INTEGER CHECK (row_count >= 0),
    error_message TEXT,
    admissions INTEGER NOT NULL DEFAULT 0 CHECK (admissions >= 0),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) CHECK (created_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    admitted_at TEXT CHECK (admitted_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    started_at TEXT CHECK (started_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    poll_started_at TEXT CHECK (poll_started_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    completed_at TEXT CHECK (completed_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    target_cleared_at TEXT CHECK (target_cleared_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    CHECK ((completed_at IS NULL) = (status IN ('queued', 'running')))
) STRICT;
CREATE INDEX shell_query_open_runs ON shell_query_runs (status, created_at) WHERE completed_at IS NULL;
CREATE INDEX shell_query_own_targets ON shell_query_runs (completed_at)
    WHERE target_fields IS NOT NULL AND target_cleared_at IS NULL;
CREATE TABLE shell_query_polls (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES shell_query_runs (id) ON DELETE CASCADE,
    poll_count INTEGER NOT NULL DEFAULT 0 CHECK (poll_count >= 0),
    not_running_confirmations INTEGER NOT NULL DEFAULT 0 CHECK (not_running_confirmations >= 0),
    rowset_attempts INTEGER NOT NULL DEFAULT 0 CHECK (rowset_attempts >= 0),
    next_poll_at TEXT CHECK (next_poll_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    not_running_detected_at TEXT CHECK (not_running_detected_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    row_probe_last_at TEXT CHECK (row_probe_last_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    closed_at TEXT CHECK (closed_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z')
, auth_failures INTEGER NOT NULL DEFAULT 0 CHECK (auth_failures >= 0)) STRICT;
CREATE INDEX shell_query_due ON shell_query_polls (next_poll_at) WHERE closed_at IS NULL;
CREATE TABLE shell_query_tokens (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    grantor TEXT NOT NULL,
    access_token TEXT NOT NULL,
    soap_url TEXT NOT NULL,
    rest_url TEXT NOT NULL,
    renew_at TEXT CHECK (renew_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z')
) STRICT;
CREATE TABLE shell_query_sweeps (id INTEGER PRIMARY KEY CHECK (id = 1), swept_at TEXT CHECK (swept_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z')) STRICT;
CREATE TABLE shell_query_notify (
    run_id TEXT NOT NULL REFERENCES shell_query_runs (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    PRIMARY KEY (run_id, url)
) STRICT, WITHOUT ROWID;
CREATE TABLE soc_sections (
    term TEXT NOT NULL CHECK (term GLOB '[0179]20[0-9][0-9]'),
    campus TEXT NOT NULL CHECK (campus <> ''),
    index_number TEXT NOT NULL CHECK (index_number GLOB '[0-9][0-9][0-9][0-9][0-9]'),
    status TEXT NOT NULL DEFAULT 'UNKNOWN' CHECK (status IN ('UNKNOWN', 'OPEN', 'CLOSED')),
    misses INTEGER NOT NULL DEFAULT 0 CHECK (misses >= 0),
    episode INTEGER NOT NULL DEFAULT 0 CHECK (episode >= 0),
    changed_at TEXT CHECK (changed_at BETWEEN '2000' AND '2300' AND changed_at LIKE '%Z' AND substr(changed_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', changed_at, '+0 days')),
    is_known INTEGER NOT NULL DEFAULT 1 CHECK (is_known IN (0, 1)),
    is_catalogued INTEGER NOT NULL DEFAULT 0 CHECK (is_catalogued IN (0, 1)),
    section_number TEXT NOT NULL DEFAULT '',
    course TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '',
    open_to TEXT NOT NULL DEFAULT '',
    permission TEXT NOT NULL DEFAULT '', missed_at TEXT CHECK (missed_at BETWEEN '2000' AND '2300' AND missed_at LIKE '%Z' AND substr(missed_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', missed_at, '+0 days')), eligibility TEXT NOT NULL DEFAULT '', subtitle TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (term, campus, index_number),
    CHECK (status = 'OPEN' OR misses = 0),
    CHECK (is_known OR status = 'UNKNOWN')
) STRICT, WITHOUT ROWID;
CREATE INDEX soc_sections_by_status ON soc_sections (term, campus, is_known, status, misses, is_catalogued);
CREATE TABLE soc_campuses (
    term TEXT NOT NULL CHECK (term GLOB '[0179]20[0-9][0-9]'),
    campus TEXT NOT NULL CHECK (campus <> ''),
    counts TEXT NOT NULL DEFAULT '[]',
    last_counted_at TEXT CHECK (last_counted_at BETWEEN '2000' AND '2300' AND last_counted_at LIKE '%Z' AND substr(last_counted_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', last_counted_at, '+0 days')),
    settled_hash TEXT,
    suspect_first TEXT,
    suspect_since TEXT CHECK (suspect_since BETWEEN '2000' AND '2300' AND suspect_since LIKE '%Z' AND substr(suspect_since, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', suspect_since, '+0 days')),
    suspect_polls INTEGER NOT NULL DEFAULT 0,
    last_poll_at TEXT CHECK (last_poll_at BETWEEN '2000' AND '2300' AND last_poll_at LIKE '%Z' AND substr(last_poll_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', last_poll_at, '+0 days')),
    polls INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    suspects INTEGER NOT NULL DEFAULT 0,
    catalogue_read_at TEXT CHECK (catalogue_read_at BETWEEN '2000' AND '2300' AND catalogue_read_at LIKE '%Z' AND substr(catalogue_read_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', catalogue_read_at, '+0 days')),
    catalogue_tried_at TEXT CHECK (catalogue_tried_at BETWEEN '2000' AND '2300' AND catalogue_tried_at LIKE '%Z' AND substr(catalogue_tried_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', catalogue_tried_at, '+0 days')),
    catalogue_size INTEGER NOT NULL DEFAULT 0 CHECK (catalogue_size >= 0),
    catalogue_failure TEXT, listed_count INTEGER NOT NULL DEFAULT 0, ignored_count INTEGER NOT NULL DEFAULT 0, accepted_at TEXT CHECK (accepted_at BETWEEN '2000' AND '2300' AND accepted_at LIKE '%Z' AND substr(accepted_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', accepted_at, '+0 days')), accepted_digest TEXT, ignores_campus INTEGER NOT NULL DEFAULT 0 CHECK (ignores_campus IN (0, 1)), held_since TEXT CHECK (held_since BETWEEN '2000' AND '2300' AND held_since LIKE '%Z' AND substr(held_since, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', held_since, '+0 days')), held_last_at TEXT CHECK (held_last_at BETWEEN '2000' AND '2300' AND held_last_at LIKE '%Z' AND substr(held_last_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', held_last_at, '+0 days')), held_seen TEXT, failing_since TEXT CHECK (failing_since BETWEEN '2000' AND '2300' AND failing_since LIKE '%Z' AND substr(failing_since, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', failing_since, '+0 days')), doubted_since TEXT CHECK (doubted_since BETWEEN '2000' AND '2300' AND doubted_since LIKE '%Z' AND substr(doubted_since, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', doubted_since, '+0 days')), last_duration_ms REAL,
    PRIMARY KEY (term, campus),
    CHECK ((suspect_first IS NULL) = (suspect_since IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE soc_polls (
    id INTEGER PRIMARY KEY,
    term TEXT NOT NULL CHECK (term GLOB '[0179]20[0-9][0-9]'),
    campus TEXT NOT NULL CHECK (campus <> ''),
    polled_at TEXT NOT NULL CHECK (polled_at BETWEEN '2000' AND '2300' AND polled_at LIKE '%Z' AND substr(polled_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', polled_at, '+0 days')),
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'confirmed', 'too_soon', 'suspect_drop', 'suspect_empty', 'rejected', 'failed')),
    listed_count INTEGER,
    known_count INTEGER,
    ignored_count INTEGER NOT NULL DEFAULT 0,
    content_hash TEXT,
    reason TEXT NOT NULL,
    run_id TEXT NOT NULL
, duration_ms REAL) STRICT;
CREATE INDEX soc_polls_by_campus ON soc_polls (term, campus, polled_at);
CREATE TABLE soc_status_events (
    id INTEGER PRIMARY KEY,
    term TEXT NOT NULL CHECK (term GLOB '[0179]20[0-9][0-9]'),
    campus TEXT NOT NULL CHECK (campus <> ''),
    index_number TEXT NOT NULL CHECK (index_number GLOB '[0-9][0-9][0-9][0-9][0-9]'),
    status TEXT NOT NULL CHECK (status IN ('OPEN', 'CLOSED')),
    status_before TEXT NOT NULL CHECK (status_before IN ('OPEN', 'CLOSED')),
    seat_delta INTEGER NOT NULL CHECK (seat_delta IN (-1, 1)),
    episode INTEGER NOT NULL,
    event_at TEXT NOT NULL CHECK (event_at BETWEEN '2000' AND '2300' AND event_at LIKE '%Z' AND substr(event_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', event_at, '+0 days')),
    dedupe_key TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL
) STRICT;
CREATE INDEX soc_status_events_by_campus ON soc_status_events (term, campus, status);
CREATE TABLE soc_subscriptions (
    id INTEGER PRIMARY KEY,
    term TEXT NOT NULL CHECK (term GLOB '[0179]20[0-9][0-9]'),
    campus TEXT NOT NULL CHECK (campus <> ''),
    index_number TEXT NOT NULL CHECK (index_number GLOB '[0-9][0-9][0-9][0-9][0-9]'),
    contact TEXT NOT NULL CHECK (contact <> ''),
    status TEXT NOT NULL DEFAULT 'active'
        CHECK (status IN ('pending', 'active', 'paused', 'suppressed', 'unsubscribed')),
    window TEXT CHECK (window GLOB '[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]' AND substr(window, 1, 2) < '24' AND substr(window, 7, 2) < '24'),
    max_notifications INTEGER NOT NULL DEFAULT 3 CHECK (max_notifications BETWEEN 1 AND 10),
    snooze_until TEXT CHECK (snooze_until BETWEEN '2000' AND '2300' AND snooze_until LIKE '%Z' AND substr(snooze_until, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', snooze_until, '+0 days')),
    unless_open INTEGER NOT NULL DEFAULT 0 CHECK (unless_open IN (0, 1)),
    last_known_section_status TEXT NOT NULL DEFAULT 'UNKNOWN'
        CHECK (last_known_section_status IN ('UNKNOWN', 'OPEN', 'CLOSED')),
    sent_count INTEGER NOT NULL DEFAULT 0 CHECK (sent_count >= 0),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) CHECK (created_at BETWEEN '2000' AND '2300' AND created_at LIKE '%Z' AND substr(created_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', created_at, '+0 days'))
, course TEXT NOT NULL DEFAULT ''
        CHECK (course = '' OR index_number = '00000'), is_rolling INTEGER NOT NULL DEFAULT 0
        CHECK (is_rolling IN (0, 1) AND (is_rolling = 0 OR course <> ''))) STRICT;
CREATE INDEX soc_subscriptions_by_campus ON soc_subscriptions (term, campus);
CREATE INDEX soc_subscriptions_by_contact ON soc_subscriptions (contact);
CREATE TABLE soc_subscription_events (
    id INTEGER PRIMARY KEY,
    subscription_id INTEGER NOT NULL REFERENCES soc_subscriptions (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    at TEXT NOT NULL CHECK (at BETWEEN '2000' AND '2300' AND at LIKE '%Z' AND substr(at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', at, '+0 days'))
) STRICT;
CREATE INDEX soc_subscription_events_by_subscription ON soc_subscription_events (subscription_id, id);
CREATE TABLE soc_open_events (
    id INTEGER PRIMARY KEY,
    term TEXT NOT NULL CHECK (term GLOB '[0179]20[0-9][0-9]'),
    campus TEXT NOT NULL CHECK (campus <> ''),
    index_number TEXT NOT NULL CHECK (index_number GLOB '[0-9][0-9][0-9][0-9][0-9]'),
    episode INTEGER NOT NULL,
    status_before TEXT NOT NULL CHECK (status_before IN ('UNKNOWN', 'CLOSED')),
    status_after TEXT NOT NULL DEFAULT 'OPEN' CHECK (status_after = 'OPEN'),
    seat_delta INTEGER NOT NULL,
    event_at TEXT NOT NULL CHECK (event_at BETWEEN '2000' AND '2300' AND event_at LIKE '%Z' AND substr(event_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', event_at, '+0 days')),
    dedupe_key TEXT NOT NULL UNIQUE,
    trace_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (term, campus, index_number, episode)
) STRICT;
CREATE TABLE soc_open_event_notifications (
    event_id INTEGER NOT NULL REFERENCES soc_open_events (id) ON DELETE CASCADE,
    subscription_id INTEGER NOT NULL REFERENCES soc_subscriptions (id) ON DELETE CASCADE,
    fanout_status TEXT NOT NULL DEFAULT 'pending'
        CHECK (fanout_status IN ('pending', 'deferred', 'sent', 'failed', 'expired')),
    effect_key TEXT,
    changed_at TEXT NOT NULL CHECK (changed_at BETWEEN '2000' AND '2300' AND changed_at LIKE '%Z' AND substr(changed_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', changed_at, '+0 days')), is_spared INTEGER NOT NULL DEFAULT 0
        CHECK (is_spared IN (0, 1)),
    PRIMARY KEY (event_id, subscription_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX soc_open_event_notifications_pending ON soc_open_event_notifications (fanout_status)
    WHERE fanout_status = 'pending';
CREATE INDEX soc_open_event_notifications_deferred ON soc_open_event_notifications (fanout_status)
    WHERE fanout_status = 'deferred';
CREATE INDEX soc_open_event_notifications_by_subscription ON soc_open_event_notifications (subscription_id);
CREATE TABLE soc_answers (
    term TEXT NOT NULL CHECK (term GLOB '[0179]20[0-9][0-9]'),
    campus TEXT NOT NULL CHECK (campus <> ''),
    size INTEGER NOT NULL CHECK (size >= 0),
    sections BLOB NOT NULL,
    PRIMARY KEY (term, campus)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX soc_subscriptions_live ON soc_subscriptions (term, campus, index_number, contact, course)
    WHERE status <> 'unsubscribed';
CREATE TRIGGER soc_subscribed AFTER INSERT ON soc_subscriptions WHEN new.course = '' BEGIN
    INSERT INTO soc_sections (term, campus, index_number) VALUES (new.term, new.campus, new.index_number)
    ON CONFLICT DO UPDATE SET is_known = 1 WHERE is_known = 0;
END;
CREATE TABLE soc_twins (
    term TEXT NOT NULL CHECK (term GLOB '[0179]20[0-9][0-9]'),
    campus TEXT NOT NULL CHECK (campus <> ''),
    index_number TEXT NOT NULL CHECK (index_number GLOB '[0-9][0-9][0-9][0-9][0-9]'),
    course TEXT NOT NULL CHECK (course <> ''),
    PRIMARY KEY (term, campus, course, index_number)
) STRICT, WITHOUT ROWID;
CREATE INDEX soc_sections_by_course ON soc_sections (term, campus, course) WHERE course <> '';
CREATE INDEX soc_open_event_notifications_by_effect ON soc_open_event_notifications (effect_key);
CREATE TABLE stockx_accounts (
    user_id TEXT NOT NULL PRIMARY KEY CHECK (user_id <> ''),
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'BROKEN', 'EXPIRED', 'REVOKED')),
    access_token TEXT,
    refresh_token TEXT,
    expires_at TEXT CHECK (expires_at BETWEEN '2000' AND '2300' AND expires_at LIKE '%Z' AND substr(expires_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', expires_at, '+0 days')),
    connection INTEGER NOT NULL DEFAULT 1,
    connected_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) CHECK (connected_at BETWEEN '2000' AND '2300' AND connected_at LIKE '%Z' AND substr(connected_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', connected_at, '+0 days')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) CHECK (updated_at BETWEEN '2000' AND '2300' AND updated_at LIKE '%Z' AND substr(updated_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', updated_at, '+0 days'))
) STRICT;
CREATE TABLE stockx_notify (
    user_id TEXT NOT NULL REFERENCES stockx_accounts (user_id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    PRIMARY KEY (user_id, url)
) STRICT, WITHOUT ROWID;
CREATE TABLE stockx_batch_jobs (
    id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
    user_id TEXT NOT NULL,
    job_type TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'PENDING'
        CHECK (status IN ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'PARTIAL')),
    stockx_operation_id TEXT,
    stockx_listing_id TEXT,
    error_code TEXT,
    error_message TEXT,
    metadata TEXT,
    started_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) CHECK (started_at BETWEEN '2000' AND '2300' AND started_at LIKE '%Z' AND substr(started_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', started_at, '+0 days')),
    next_poll_at TEXT CHECK (next_poll_at BETWEEN '2000' AND '2300' AND next_poll_at LIKE '%Z' AND substr(next_poll_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', next_poll_at, '+0 days')),
    poll_count INTEGER NOT NULL DEFAULT 0 CHECK (poll_count >= 0),
    attempt INTEGER NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) CHECK (updated_at BETWEEN '2000' AND '2300' AND updated_at LIKE '%Z' AND substr(updated_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', updated_at, '+0 days')),
    completed_at TEXT CHECK (completed_at BETWEEN '2000' AND '2300' AND completed_at LIKE '%Z' AND substr(completed_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', completed_at, '+0 days'))
, asked_at TEXT CHECK (asked_at BETWEEN '2000' AND '2300' AND asked_at LIKE '%Z' AND substr(asked_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', asked_at, '+0 days')), forbidden_count INTEGER NOT NULL DEFAULT 0 CHECK (forbidden_count >= 0), forbidden_since TEXT CHECK (forbidden_since BETWEEN '2000' AND '2300' AND forbidden_since LIKE '%Z' AND substr(forbidden_since, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', forbidden_since, '+0 days')), rate_limited_count INTEGER NOT NULL DEFAULT 0 CHECK (rate_limited_count >= 0)) STRICT;
CREATE INDEX stockx_jobs_new ON stockx_batch_jobs (started_at, id, user_id)
    WHERE status IN ('PENDING', 'IN_PROGRESS') AND next_poll_at IS NULL;
CREATE INDEX stockx_jobs_asked ON stockx_batch_jobs (started_at, id, user_id, next_poll_at)
    WHERE status IN ('PENDING', 'IN_PROGRESS') AND next_poll_at IS NOT NULL;
CREATE INDEX stockx_jobs_by_moment ON stockx_batch_jobs (next_poll_at)
    WHERE status IN ('PENDING', 'IN_PROGRESS') AND next_poll_at IS NOT NULL;
CREATE INDEX stockx_jobs_by_start ON stockx_batch_jobs (started_at);
CREATE INDEX stockx_jobs_by_operation ON stockx_batch_jobs (stockx_operation_id);
CREATE TRIGGER stockx_batch_jobs_insert AFTER INSERT ON stockx_batch_jobs
    WHEN NEW.started_at <> strftime('%Y-%m-%dT%H:%M:%fZ', NEW.started_at) OR NEW.next_poll_at <> strftime('%Y-%m-%dT%H:%M:%fZ', NEW.next_poll_at) BEGIN UPDATE stockx_batch_jobs SET started_at = strftime('%Y-%m-%dT%H:%M:%fZ', started_at), next_poll_at = strftime('%Y-%m-%dT%H:%M:%fZ', next_poll_at) WHERE rowid = NEW.rowid; END;
CREATE TRIGGER stockx_batch_jobs_update AFTER UPDATE OF started_at, next_poll_at ON stockx_batch_jobs
    WHEN NEW.started_at <> strftime('%Y-%m-%dT%H:%M:%fZ', NEW.started_at) OR NEW.next_poll_at <> strftime('%Y-%m-%dT%H:%M:%fZ', NEW.next_poll_at) BEGIN UPDATE stockx_batch_jobs SET started_at = strftime('%Y-%m-%dT%H:%M:%fZ', started_at), next_poll_at = strftime('%Y-%m-%dT%H:%M:%fZ', next_poll_at) WHERE rowid = NEW.rowid; END;
CREATE TABLE stockx_listings (
    stockx_listing_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('PENDING', 'ACTIVE', 'INACTIVE', 'DELETED', 'CANCELED', 'MATCHED', 'COMPLETED')),
    ask_price INTEGER CHECK (ask_price >= 0),
    currency_code TEXT,
    expires_at TEXT CHECK (expires_at BETWEEN '2000' AND '2300' AND expires_at LIKE '%Z' AND substr(expires_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', expires_at, '+0 days')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) CHECK (updated_at BETWEEN '2000' AND '2300' AND updated_at LIKE '%Z' AND substr(updated_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', updated_at, '+0 days'))
) STRICT;
CREATE TABLE stockx_listing_history (
    id INTEGER PRIMARY KEY,
    stockx_listing_id TEXT,
    job_id TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 1,
    action TEXT NOT NULL,
    status TEXT NOT NULL,
    changed_by TEXT NOT NULL DEFAULT 'pollctl',
    changed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) CHECK (changed_at BETWEEN '2000' AND '2300' AND changed_at LIKE '%Z' AND substr(changed_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', changed_at, '+0 days')),
    metadata TEXT NOT NULL DEFAULT '{}',
    UNIQUE (job_id, attempt, status)
) STRICT;
CREATE INDEX stockx_history_by_listing ON stockx_listing_history (stockx_listing_id, id);
CREATE TABLE stockx_days (day TEXT NOT NULL PRIMARY KEY, summarised_at TEXT NOT NULL) STRICT;
CREATE TABLE stockx_pace (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    boot_id TEXT NOT NULL,
    last_start REAL
) STRICT;
CREATE TABLE status_check (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    monitor TEXT NOT NULL CHECK (monitor <> ''),
    robot_id TEXT NOT NULL CHECK (robot_id <> ''),
    local_date TEXT NOT NULL CHECK (local_date LIKE '____-__-__'),
    phase TEXT NOT NULL CHECK (phase IN ('SETUP', 'MONITORING', 'COMPLETE')),
    subscription_id TEXT,
    result TEXT CHECK (result IN ('SUCCESS', 'ALARM_RAISED', 'ABANDONED', 'FAILED')),
    planned_at TEXT NOT NULL CHECK (planned_at LIKE '____-__-__T__:__:__.___Z' AND planned_at BETWEEN '2000' AND '2400'),
    ends_at TEXT NOT NULL CHECK (ends_at LIKE '____-__-__T__:__:__.___Z' AND ends_at BETWEEN '2000' AND '2400'),
    settings TEXT NOT NULL,
    closing_at TEXT CHECK (closing_at LIKE '____-__-__T__:__:__.___Z' AND closing_at BETWEEN '2000' AND '2400'),
    created_at TEXT NOT NULL CHECK (created_at LIKE '____-__-__T__:__:__.___Z' AND created_at BETWEEN '2000' AND '2400'),
    updated_at TEXT NOT NULL CHECK (updated_at LIKE '____-__-__T__:__:__.___Z' AND updated_at BETWEEN '2000' AND '2400'), status_check_template_id INTEGER REFERENCES status_check_template (id),
    UNIQUE (monitor, local_date),
    CHECK (ends_at > planned_at),
    CHECK ((phase = 'COMPLETE') = (result IS NOT NULL))
) STRICT;
CREATE INDEX status_check_open ON status_check (id) WHERE phase <> 'COMPLETE';
CREATE INDEX status_check_by_result ON status_check (result);
CREATE TABLE status_check_poller (
    status_check_id INTEGER PRIMARY KEY REFERENCES status_check (id) ON DELETE CASCADE,
    since TEXT NOT NULL CHECK (since LIKE '____-__-__T__:__:__.___Z' AND since BETWEEN '2000' AND '2400'),
    until TEXT NOT NULL CHECK (until LIKE '____-__-__T__:__:__.___Z' AND until BETWEEN '2000' AND '2400'),
    opened_by TEXT NOT NULL CHECK (opened_by IN ('start', 'visit', 'alarm')),
    unjudged INTEGER NOT NULL DEFAULT 0 CHECK (unjudged >= 0),
    unjudged_since TEXT CHECK (unjudged_since LIKE '____-__-__T__:__:__.___Z' AND unjudged_since BETWEEN '2000' AND '2400'),
    CHECK (until >= since)
) STRICT;
CREATE TABLE status_check_record (
    status_check_id INTEGER NOT NULL REFERENCES status_check (id) ON DELETE CASCADE,
    "order" INTEGER NOT NULL CHECK ("order" >= 1),
    incoming_event_id TEXT,
    reference_id TEXT,
    event_name TEXT NOT NULL CHECK (event_name IN ('STARTED', 'SUBSCRIBED', 'EVENT_OBSERVED', 'EVENT_LATE',
        'EVENT_OUTSIDE', 'ALARM_SENT', 'CONFIG_CHANGED', 'ENDED')),
    event_at TEXT NOT NULL CHECK (event_at LIKE '____-__-__T__:__:__.___Z' AND event_at BETWEEN '2000' AND '2400'),
    phase TEXT NOT NULL CHECK (phase IN ('SETUP', 'MONITORING', 'COMPLETE')),
    result TEXT,
    created_at TEXT NOT NULL CHECK (created_at LIKE '____-__-__T__:__:__.___Z' AND created_at BETWEEN '2000' AND '2400'), unread TEXT,
    PRIMARY KEY (status_check_id, "order")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX status_check_record_event ON status_check_record (status_check_id, incoming_event_id)
    WHERE incoming_event_id IS NOT NULL;
CREATE UNIQUE INDEX status_check_record_reference ON status_check_record (reference_id)
    WHERE reference_id IS NOT NULL;
CREATE INDEX status_check_record_by_name ON status_check_record (event_name);
CREATE TABLE status_check_incoming (
    status_check_id INTEGER NOT NULL REFERENCES status_check (id) ON DELETE CASCADE,
    event_id TEXT NOT NULL,
    event_at TEXT NOT NULL CHECK (event_at LIKE '____-__-__T__:__:__.___Z' AND event_at BETWEEN '2000' AND '2400'),
    PRIMARY KEY (status_check_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE status_check_subscription (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    status_check_id INTEGER NOT NULL REFERENCES status_check (id) ON DELETE CASCADE,
    until TEXT NOT NULL CHECK (until LIKE '____-__-__T__:__:__.___Z' AND until BETWEEN '2000' AND '2400'),
    state TEXT NOT NULL CHECK (state IN ('wanted', 'failed', 'active', 'ended')),
    subscription_id TEXT,
    is_uncertain INTEGER NOT NULL DEFAULT 0 CHECK (is_uncertain IN (0, 1)),
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    trouble TEXT
) STRICT;
CREATE INDEX status_check_subscription_by_check ON status_check_subscription (status_check_id);
CREATE INDEX status_check_subscription_by_id ON status_check_subscription (subscription_id)
    WHERE subscription_id IS NOT NULL;
CREATE TABLE status_check_dead_letter (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL CHECK (source IN ('queue', 'history')),
    reason TEXT NOT NULL,
    robot_id TEXT,
    event_id TEXT,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL CHECK (created_at LIKE '____-__-__T__:__:__.___Z' AND created_at BETWEEN '2000' AND '2400')
, subscription_id TEXT, event_name TEXT, event_at TEXT CHECK (event_at BETWEEN '2000' AND '2300' AND event_at LIKE '%Z' AND substr(event_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', event_at, '+0 days')), is_watched INTEGER NOT NULL DEFAULT 0 CHECK (is_watched IN (0, 1)), replay_at TEXT CHECK (replay_at BETWEEN '2000' AND '2300' AND replay_at LIKE '%Z' AND substr(replay_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', replay_at, '+0 days')), replayed_at TEXT CHECK (replayed_at BETWEEN '2000' AND '2300' AND replayed_at LIKE '%Z' AND substr(replayed_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', replayed_at, '+0 days'))) STRICT;
CREATE INDEX status_check_quarantine ON status_check_dead_letter (robot_id, event_id)
    WHERE key >= 'future:' AND key < 'future;';
CREATE TABLE status_check_missed (
    monitor TEXT NOT NULL,
    local_date TEXT NOT NULL,
    planned_at TEXT NOT NULL CHECK (planned_at LIKE '____-__-__T__:__:__.___Z' AND planned_at BETWEEN '2000' AND '2400'),
    ends_at TEXT NOT NULL CHECK (ends_at LIKE '____-__-__T__:__:__.___Z' AND ends_at BETWEEN '2000' AND '2400'),
    created_at TEXT NOT NULL CHECK (created_at LIKE '____-__-__T__:__:__.___Z' AND created_at BETWEEN '2000' AND '2400'),
    PRIMARY KEY (monitor, local_date)
) STRICT, WITHOUT ROWID;
CREATE TABLE status_check_description (
    name TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE status_check_template (
    id INTEGER PRIMARY KEY,
    description TEXT NOT NULL UNIQUE REFERENCES status_check_description (name),
    event_name TEXT NOT NULL,
    alarm_name TEXT NOT NULL
, version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1), past_event_dependencies TEXT NOT NULL DEFAULT '[]', future_event_dependencies TEXT NOT NULL
    DEFAULT '[{"event":"TOILET_ACTIVITY","maxGapMinutes":120}]', poll_until_end INTEGER NOT NULL DEFAULT 1
    CHECK (poll_until_end IN (0, 1))) STRICT;
CREATE INDEX status_check_dead_letter_by_age ON status_check_dead_letter (created_at);
CREATE INDEX status_check_dead_letter_replay ON status_check_dead_letter (id) WHERE replay_at IS NOT NULL;
CREATE TABLE status_check_expired (
    name TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL CHECK (number >= 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE status_check_template_detail (
    status_check_template_id INTEGER NOT NULL REFERENCES status_check_template (id) ON DELETE CASCADE,
    phase TEXT NOT NULL CHECK (phase IN ('SETUP', 'MONITORING', 'ALARM', 'COMPLETE')),
    "order" INTEGER NOT NULL CHECK ("order" >= 1),
    text TEXT NOT NULL,
    PRIMARY KEY (status_check_template_id, phase)
) STRICT, WITHOUT ROWID;
