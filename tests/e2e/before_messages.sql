PRAGMA application_id=1886350435;
PRAGMA user_version=1;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'pollctl','m001_core_tables','2026-11-29 07:44:39.571764+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'pollctl','m002_suspects','2026-11-29 07:44:39.572898+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'soc_sections','m001_tables','2026-11-29 07:44:39.575512+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'latency','m001_tables','2026-11-29 07:44:40.517718+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'shell_query','m001_tables','2026-11-29 07:44:40.524401+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'stockx_ops','m001_tables','2026-11-29 07:44:40.532288+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'toilet_gap','m001_tables','2026-11-29 07:44:40.538742+00:00');
CREATE TABLE holds (
    plugin TEXT NOT NULL,
    upstream TEXT NOT NULL,
    not_before TEXT NOT NULL,
    PRIMARY KEY (plugin, upstream)
) STRICT;
CREATE TABLE latency_alerts (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    alert_type TEXT NOT NULL CHECK (alert_type IN ('offline', 'recovery')),
    triggered_at TEXT NOT NULL CHECK (triggered_at BETWEEN '2000' AND '2300' AND triggered_at LIKE '%Z' AND substr(triggered_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', triggered_at, '+0 days'))
) STRICT;
INSERT INTO "latency_alerts" VALUES(1,1,'offline','2026-03-08T12:04:00.000Z');
INSERT INTO "latency_alerts" VALUES(2,1,'recovery','2026-03-08T12:09:00.000Z');
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
) STRICT;
INSERT INTO "latency_jobs" VALUES(1,'192.0.2.7','api','real_polling',60,3600,'completed','ok',1,1,'2026-03-08T12:00:00.000Z','2026-03-08T12:09:00.000Z','2026-03-08T14:00:00.000Z',1,5,5,0,20.8,20.0,22.0,22.0,2.0,50.0,20.0,2.0,1,5,'fail');
CREATE TABLE latency_notify (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    UNIQUE (job_id, url)
) STRICT;
INSERT INTO "latency_notify" VALUES(1,1,'json://inbox.example/ann');
INSERT INTO "latency_notify" VALUES(2,1,'json://inbox.example/bob');
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
INSERT INTO "latency_rollups" VALUES(1,'2026-03-08T12:00:00.000Z',0,5,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "latency_rollups" VALUES(1,'2026-03-08T12:05:00.000Z',5,0,0,20.8,20.0,22.0,22.0,2.0);
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
INSERT INTO "latency_samples" VALUES(1,0,'missed',NULL,NULL,'2026-03-08T12:00:00.000Z','missed');
INSERT INTO "latency_samples" VALUES(1,1,'missed',NULL,NULL,'2026-03-08T12:01:00.000Z','missed');
INSERT INTO "latency_samples" VALUES(1,2,'missed',NULL,NULL,'2026-03-08T12:02:00.000Z','missed');
INSERT INTO "latency_samples" VALUES(1,3,'missed',NULL,NULL,'2026-03-08T12:03:00.000Z','missed');
INSERT INTO "latency_samples" VALUES(1,4,'missed',NULL,NULL,'2026-03-08T12:04:00.000Z','missed');
INSERT INTO "latency_samples" VALUES(1,5,'success',20.0,NULL,'2026-03-08T12:05:00.000Z',NULL);
INSERT INTO "latency_samples" VALUES(1,6,'success',22.0,2.0,'2026-03-08T12:06:00.000Z',NULL);
INSERT INTO "latency_samples" VALUES(1,7,'success',20.0,2.0,'2026-03-08T12:07:00.000Z',NULL);
INSERT INTO "latency_samples" VALUES(1,8,'success',22.0,2.0,'2026-03-08T12:08:00.000Z',NULL);
INSERT INTO "latency_samples" VALUES(1,9,'success',20.0,2.0,'2026-03-08T12:09:00.000Z',NULL);
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
INSERT INTO "outbox" VALUES(1,'soc_sections','20260803T160200.000Z-3ed08c39','opening','a99f6963fff65b3723eccd3d4915cb562242fe91:1','contact:1','{"dedupe_key":"a99f6963fff65b3723eccd3d4915cb562242fe91","subscription_id":1}','delivered',1,'2026-08-03T16:02:00.000Z',NULL,'{"sent":true}','2026-08-03T16:02:00.000Z','2026-08-03T16:02:00.000Z',0,NULL);
INSERT INTO "outbox" VALUES(2,'soc_sections','20260803T160500.000Z-46c6f6c9','opening','f04194a32e5e250addd9483b54b0aa3531377df9:1','contact:1','{"dedupe_key":"f04194a32e5e250addd9483b54b0aa3531377df9","subscription_id":1}','pending',1,'2026-08-03T16:06:00.976Z','json://… did not take the message',NULL,'2026-08-03T16:05:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(3,'latency','20260803T160000.000Z-00000001','alert','alert:1:offline:2026-03-08T12:04:00.000Z:1','recipient:1','{"job_id":1,"target":"192.0.2.7","alert_type":"offline","triggered_at":"2026-03-08T12:04:00.000Z","recipient":1}','pending',0,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(4,'latency','20260803T160000.000Z-00000001','alert','alert:1:offline:2026-03-08T12:04:00.000Z:2','recipient:2','{"job_id":1,"target":"192.0.2.7","alert_type":"offline","triggered_at":"2026-03-08T12:04:00.000Z","recipient":2}','delivered',1,'2026-08-03T16:00:00.000Z',NULL,'{"sent":true}','2026-08-03T16:00:00.000Z','2026-08-03T16:10:00.000Z',0,NULL);
INSERT INTO "outbox" VALUES(5,'latency','20260803T160000.000Z-00000001','alert','alert:1:recovery:2026-03-08T12:09:00.000Z:1','recipient:1','{"job_id":1,"target":"192.0.2.7","alert_type":"recovery","triggered_at":"2026-03-08T12:09:00.000Z","recipient":1}','dead',8,'2026-08-03T16:00:00.000Z','json://… did not take the message',NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(6,'latency','20260803T160000.000Z-00000001','alert','alert:1:recovery:2026-03-08T12:09:00.000Z:2','recipient:2','{"job_id":1,"target":"192.0.2.7","alert_type":"recovery","triggered_at":"2026-03-08T12:09:00.000Z","recipient":2}','pending',0,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(7,'latency','20260803T160000.000Z-00000001','completion','completion:1:1','recipient:1','{"job_id":1,"target":"192.0.2.7","stats":{"success":5,"missed":5,"system_error":0,"rtt_avg_ms":20.8,"rtt_min_ms":20.0,"rtt_max_ms":22.0,"rtt_p95_ms":22.0,"jitter_avg_ms":2.0},"loss_percent":50.0,"rtt_median_ms":20.0,"jitter_max_ms":2.0,"outages":1,"longest_streak":5,"verdict":"fail","recipient":1}','sending',1,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(8,'latency','20260803T160000.000Z-00000001','completion','completion:1:2','recipient:2','{"job_id":1,"target":"192.0.2.7","stats":{"success":5,"missed":5,"system_error":0,"rtt_avg_ms":20.8,"rtt_min_ms":20.0,"rtt_max_ms":22.0,"rtt_p95_ms":22.0,"jitter_avg_ms":2.0},"loss_percent":50.0,"rtt_median_ms":20.0,"jitter_max_ms":2.0,"outages":1,"longest_streak":5,"verdict":"fail","recipient":2}','pending',0,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(9,'stockx_ops','20260803T160000.000Z-00000001','listing_live','listing_live:j-1:1:481a6bc5ab58','recipient:481a6bc5ab58','{"user_id":"anna","job_id":"j-1","listing_id":"l-1","amount":120,"currency_code":"USD","recipient":"481a6bc5ab58"}','pending',0,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(10,'stockx_ops','20260803T160000.000Z-00000001','auth_failed','auth_failed:boris:1:2e3ab1f213ff','recipient:2e3ab1f213ff','{"user_id":"boris","recipient":"2e3ab1f213ff"}','pending',0,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(11,'stockx_ops','20260803T160000.000Z-00000001','daily_summary','daily_summary:anna:2026-08-02:481a6bc5ab58','recipient:481a6bc5ab58','{"user_id":"anna","day":"2026-08-02","jobs":2,"completed":1,"partial":0,"failed":1,"timed_out":0,"open":0,"recipient":"481a6bc5ab58"}','pending',0,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(12,'stockx_ops','20260803T160000.000Z-00000001','daily_summary','daily_summary:zoe:2026-08-02','daily_summary:zoe:2026-08-02','{"user_id":"zoe","day":"2026-08-02","jobs":1,"completed":1,"partial":0,"failed":0,"timed_out":0,"open":0,"recipient":null}','pending',0,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(13,'toilet_gap','20260803T160000.000Z-00000001','blind','blind:1:2026-08-03T16:00:00.000Z:2e3ab1f213ff','recipient:2e3ab1f213ff','{"monitor":"home-3","check_id":1,"why":"3 passes in a row could not read its history: no answer","recipient":"2e3ab1f213ff"}','pending',0,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(14,'toilet_gap','20260803T160000.000Z-00000001','unposted','unposted:1-2026-08-03T14:00:00.000Z:2e3ab1f213ff','recipient:2e3ab1f213ff','{"robot_id":"r-1","check_id":1,"reference_id":"1-2026-08-03T14:00:00.000Z","why":"3 attempts to post it failed: the service answered 500","recipient":"2e3ab1f213ff"}','pending',0,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
INSERT INTO "outbox" VALUES(15,'toilet_gap','20260803T160000.000Z-00000001','pollctl.failing','pollctl.failing:20260803T160000.000Z-00000001:2e3ab1f213ff','pollctl.2e3ab1f213ff','{"address":"2e3ab1f213ff","title":"pollctl: toilet_gap keeps failing","body":"3 failed passes in a row. The last: no answer"}','pending',0,'2026-08-03T16:00:00.000Z',NULL,NULL,'2026-08-03T16:00:00.000Z',NULL,0,NULL);
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
INSERT INTO "runs" VALUES('20260803T160100.000Z-7f8768c1','soc_sections','manual','2026-08-03T16:01:00.000Z','2026-08-03T16:01:00.000Z','ok',1,2,0,0,0,42,'{"polls": 1}',NULL,'d7b37a7b784e055e410810c99dbc6625',30543,'host.example');
INSERT INTO "runs" VALUES('20260803T160200.000Z-3ed08c39','soc_sections','manual','2026-08-03T16:02:00.000Z','2026-08-03T16:02:00.000Z','ok',1,3,1,1,0,87,'{"opened": 1, "pending": 1, "polls": 1}',NULL,'f11b19f1f29f60475a86dea37dd51891',30543,'host.example');
INSERT INTO "runs" VALUES('20260803T160300.000Z-e6f67e27','soc_sections','manual','2026-08-03T16:03:00.000Z','2026-08-03T16:03:00.000Z','ok',1,2,0,0,0,27,'{"polls": 1}',NULL,'ecaabb1f4d952d590f9d966d9ffa5a69',30543,'host.example');
INSERT INTO "runs" VALUES('20260803T160400.000Z-ce2e9fdd','soc_sections','manual','2026-08-03T16:04:00.000Z','2026-08-03T16:04:00.000Z','ok',1,2,0,0,0,39,'{"closed": 1, "polls": 1}',NULL,'9c57fa747cdc755bb9d7282a6c82f45b',30543,'host.example');
INSERT INTO "runs" VALUES('20260803T160500.000Z-46c6f6c9','soc_sections','manual','2026-08-03T16:05:00.000Z','2026-08-03T16:05:00.000Z','partial',1,3,1,0,1,72,'{"opened": 1, "pending": 1, "polls": 1}','{"type": "Undelivered", "message": "1 effects could not be delivered; see `pollctl outbox list`"}','32c15468d5d1faf27cb055d3ca6e19dd',30543,'host.example');
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
INSERT INTO "schedules" VALUES('soc_sections','2026-08-03T16:05:00.000Z','2026-08-03T16:05:00.000Z','partial',0,NULL,NULL,NULL,'{"backoff_max": "5m", "schedule": "* * * * *", "timezone": "America/New_York"}');
CREATE TABLE shell_query_polls (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES shell_query_runs (id) ON DELETE CASCADE,
    poll_count INTEGER NOT NULL DEFAULT 0 CHECK (poll_count >= 0),
    not_running_confirmations INTEGER NOT NULL DEFAULT 0 CHECK (not_running_confirmations >= 0),
    rowset_attempts INTEGER NOT NULL DEFAULT 0 CHECK (rowset_attempts >= 0),
    next_poll_at TEXT CHECK (next_poll_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    not_running_detected_at TEXT CHECK (not_running_detected_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    row_probe_last_at TEXT CHECK (row_probe_last_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'),
    closed_at TEXT CHECK (closed_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z')
) STRICT;
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
CREATE TABLE shell_query_sweeps (id INTEGER PRIMARY KEY CHECK (id = 1), swept_at TEXT CHECK (swept_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z')) STRICT;
CREATE TABLE shell_query_tokens (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    grantor TEXT NOT NULL,
    access_token TEXT NOT NULL,
    soap_url TEXT NOT NULL,
    rest_url TEXT NOT NULL,
    renew_at TEXT CHECK (renew_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z')
) STRICT;
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
    catalogue_failure TEXT,
    PRIMARY KEY (term, campus),
    CHECK ((suspect_first IS NULL) = (suspect_since IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO "soc_campuses" VALUES('92026','NB','[20, 21, 20, 20, 21]','2026-08-03T16:05:00.000Z','ca570960c114c736a9ab355111d5057f4abe0a0ba14ff58de0b209aaed210f6d',NULL,NULL,0,'2026-08-03T16:05:00.000Z',5,0,0,NULL,NULL,0,NULL);
CREATE TABLE soc_open_event_notifications (
    event_id INTEGER NOT NULL REFERENCES soc_open_events (id) ON DELETE CASCADE,
    subscription_id INTEGER NOT NULL REFERENCES soc_subscriptions (id) ON DELETE CASCADE,
    fanout_status TEXT NOT NULL DEFAULT 'pending'
        CHECK (fanout_status IN ('pending', 'deferred', 'sent', 'failed', 'expired')),
    effect_key TEXT,
    changed_at TEXT NOT NULL CHECK (changed_at BETWEEN '2000' AND '2300' AND changed_at LIKE '%Z' AND substr(changed_at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', changed_at, '+0 days')),
    PRIMARY KEY (event_id, subscription_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "soc_open_event_notifications" VALUES(1,1,'sent','a99f6963fff65b3723eccd3d4915cb562242fe91:1','2026-08-03T16:02:00.000Z');
INSERT INTO "soc_open_event_notifications" VALUES(2,1,'pending','f04194a32e5e250addd9483b54b0aa3531377df9:1','2026-08-03T16:05:00.000Z');
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
INSERT INTO "soc_open_events" VALUES(1,'92026','NB','05972',0,'CLOSED','OPEN',1,'2026-08-03T16:02:00.000Z','a99f6963fff65b3723eccd3d4915cb562242fe91','f11b19f1f29f60475a86dea37dd51891','{"term":"92026","campus":"NB","index_number":"05972","section_number":"","course":"","title":"","open_to":"","permission":"","seen_at":"2026-08-03T16:02:00Z"}');
INSERT INTO "soc_open_events" VALUES(2,'92026','NB','05972',1,'CLOSED','OPEN',1,'2026-08-03T16:05:00.000Z','f04194a32e5e250addd9483b54b0aa3531377df9','32c15468d5d1faf27cb055d3ca6e19dd','{"term":"92026","campus":"NB","index_number":"05972","section_number":"","course":"","title":"","open_to":"","permission":"","seen_at":"2026-08-03T16:05:00Z"}');
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
) STRICT;
INSERT INTO "soc_polls" VALUES(1,'92026','NB','2026-08-03T16:01:00.000Z','accepted',20,20,0,'1736005458253e0d7fda02db39e788bc5acfcbdcc302a264e1813b4d68df72d5','20 of 20 listed sections are known here','20260803T160100.000Z-7f8768c1');
INSERT INTO "soc_polls" VALUES(2,'92026','NB','2026-08-03T16:02:00.000Z','accepted',21,21,0,'ca570960c114c736a9ab355111d5057f4abe0a0ba14ff58de0b209aaed210f6d','21 of 21 listed sections are known here','20260803T160200.000Z-3ed08c39');
INSERT INTO "soc_polls" VALUES(3,'92026','NB','2026-08-03T16:03:00.000Z','accepted',20,20,0,'1736005458253e0d7fda02db39e788bc5acfcbdcc302a264e1813b4d68df72d5','20 of 20 listed sections are known here','20260803T160300.000Z-e6f67e27');
INSERT INTO "soc_polls" VALUES(4,'92026','NB','2026-08-03T16:04:00.000Z','accepted',20,20,0,'1736005458253e0d7fda02db39e788bc5acfcbdcc302a264e1813b4d68df72d5','20 of 20 listed sections are known here','20260803T160400.000Z-ce2e9fdd');
INSERT INTO "soc_polls" VALUES(5,'92026','NB','2026-08-03T16:05:00.000Z','accepted',21,21,0,'ca570960c114c736a9ab355111d5057f4abe0a0ba14ff58de0b209aaed210f6d','21 of 21 listed sections are known here','20260803T160500.000Z-46c6f6c9');
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
    permission TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (term, campus, index_number),
    CHECK (status = 'OPEN' OR misses = 0),
    CHECK (is_known OR status = 'UNKNOWN')
) STRICT, WITHOUT ROWID;
INSERT INTO "soc_sections" VALUES('92026','NB','05972','OPEN',0,1,'2026-08-03T16:05:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','11419','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','13421','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','14662','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','17400','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','22195','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','22779','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','31519','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','34124','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','36950','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','51163','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','51729','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','52278','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','60483','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','61137','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','63007','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','84407','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','87815','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','89323','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','93949','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
INSERT INTO "soc_sections" VALUES('92026','NB','99042','OPEN',0,0,'2026-08-03T16:01:00.000Z',1,0,'','','','','');
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
INSERT INTO "soc_status_events" VALUES(1,'92026','NB','05972','OPEN','CLOSED',1,0,'2026-08-03T16:02:00.000Z','a99f6963fff65b3723eccd3d4915cb562242fe91','20260803T160200.000Z-3ed08c39');
INSERT INTO "soc_status_events" VALUES(2,'92026','NB','05972','CLOSED','OPEN',-1,0,'2026-08-03T16:04:00.000Z','83fc6231d3a68dd1063d16c685c0685a3055b4e0','20260803T160400.000Z-ce2e9fdd');
INSERT INTO "soc_status_events" VALUES(3,'92026','NB','05972','OPEN','CLOSED',1,1,'2026-08-03T16:05:00.000Z','f04194a32e5e250addd9483b54b0aa3531377df9','20260803T160500.000Z-46c6f6c9');
CREATE TABLE soc_subscription_events (
    id INTEGER PRIMARY KEY,
    subscription_id INTEGER NOT NULL REFERENCES soc_subscriptions (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    at TEXT NOT NULL CHECK (at BETWEEN '2000' AND '2300' AND at LIKE '%Z' AND substr(at, 1, 19) IS strftime('%Y-%m-%dT%H:%M:%S', at, '+0 days'))
) STRICT;
INSERT INTO "soc_subscription_events" VALUES(1,1,'subscribed','','2026-08-03T16:00:00.000Z');
INSERT INTO "soc_subscription_events" VALUES(2,1,'sent','','2026-08-03T16:02:00.000Z');
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
) STRICT;
INSERT INTO "soc_subscriptions" VALUES(1,'92026','NB','05972','json://inbox.example/student','active',NULL,3,NULL,0,'CLOSED',1,'2026-08-03T16:00:00.000Z');
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
    updated_at TEXT NOT NULL CHECK (updated_at LIKE '____-__-__T__:__:__.___Z' AND updated_at BETWEEN '2000' AND '2400'),
    UNIQUE (monitor, local_date),
    CHECK (ends_at > planned_at),
    CHECK ((phase = 'COMPLETE') = (result IS NOT NULL))
) STRICT;
CREATE TABLE status_check_dead_letter (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL CHECK (source IN ('queue', 'history')),
    reason TEXT NOT NULL,
    robot_id TEXT,
    event_id TEXT,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL CHECK (created_at LIKE '____-__-__T__:__:__.___Z' AND created_at BETWEEN '2000' AND '2400')
) STRICT;
CREATE TABLE status_check_description (
    name TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE status_check_incoming (
    status_check_id INTEGER NOT NULL REFERENCES status_check (id) ON DELETE CASCADE,
    event_id TEXT NOT NULL,
    event_at TEXT NOT NULL CHECK (event_at LIKE '____-__-__T__:__:__.___Z' AND event_at BETWEEN '2000' AND '2400'),
    PRIMARY KEY (status_check_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE status_check_missed (
    monitor TEXT NOT NULL,
    local_date TEXT NOT NULL,
    planned_at TEXT NOT NULL CHECK (planned_at LIKE '____-__-__T__:__:__.___Z' AND planned_at BETWEEN '2000' AND '2400'),
    ends_at TEXT NOT NULL CHECK (ends_at LIKE '____-__-__T__:__:__.___Z' AND ends_at BETWEEN '2000' AND '2400'),
    created_at TEXT NOT NULL CHECK (created_at LIKE '____-__-__T__:__:__.___Z' AND created_at BETWEEN '2000' AND '2400'),
    PRIMARY KEY (monitor, local_date)
) STRICT, WITHOUT ROWID;
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
    created_at TEXT NOT NULL CHECK (created_at LIKE '____-__-__T__:__:__.___Z' AND created_at BETWEEN '2000' AND '2400'),
    PRIMARY KEY (status_check_id, "order")
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
CREATE TABLE status_check_template (
    id INTEGER PRIMARY KEY,
    description TEXT NOT NULL UNIQUE REFERENCES status_check_description (name),
    event_name TEXT NOT NULL,
    alarm_name TEXT NOT NULL
) STRICT;
CREATE TABLE status_check_template_detail (
    status_check_template_id INTEGER NOT NULL REFERENCES status_check_template (id) ON DELETE CASCADE,
    phase TEXT NOT NULL CHECK (phase IN ('SETUP', 'MONITORING', 'COMPLETE')),
    "order" INTEGER NOT NULL CHECK ("order" >= 1),
    text TEXT NOT NULL,
    PRIMARY KEY (status_check_template_id, phase)
) STRICT, WITHOUT ROWID;
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
INSERT INTO "stockx_accounts" VALUES('anna','ACTIVE',NULL,NULL,NULL,1,'2026-11-29T07:44:40.840Z','2026-11-29T07:44:40.840Z');
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
) STRICT;
CREATE TABLE stockx_days (day TEXT NOT NULL PRIMARY KEY, summarised_at TEXT NOT NULL) STRICT;
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
CREATE TABLE stockx_notify (
    user_id TEXT NOT NULL REFERENCES stockx_accounts (user_id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    PRIMARY KEY (user_id, url)
) STRICT, WITHOUT ROWID;
INSERT INTO "stockx_notify" VALUES('anna','json://inbox.example/anna');
CREATE TABLE stockx_pace (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    boot_id TEXT NOT NULL,
    last_start REAL
) STRICT;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX runs_by_plugin ON runs (plugin, id);
CREATE UNIQUE INDEX runs_one_running ON runs (plugin) WHERE outcome = 'running';
CREATE INDEX outbox_open ON outbox (plugin, lane, id) WHERE status IN ('pending', 'sending');
CREATE INDEX outbox_settled ON outbox (created_at) WHERE status IN ('delivered', 'dead');
CREATE INDEX outbox_by_status ON outbox (plugin, status, id);
CREATE INDEX soc_sections_by_status ON soc_sections (term, campus, is_known, status, misses, is_catalogued);
CREATE INDEX soc_polls_by_campus ON soc_polls (term, campus, polled_at);
CREATE INDEX soc_status_events_by_campus ON soc_status_events (term, campus, status);
CREATE UNIQUE INDEX soc_subscriptions_live ON soc_subscriptions (term, campus, index_number, contact)
    WHERE status <> 'unsubscribed';
CREATE INDEX soc_subscriptions_by_campus ON soc_subscriptions (term, campus);
CREATE INDEX soc_subscriptions_by_contact ON soc_subscriptions (contact);
CREATE TRIGGER soc_subscribed AFTER INSERT ON soc_subscriptions BEGIN
    INSERT INTO soc_sections (term, campus, index_number) VALUES (new.term, new.campus, new.index_number)
    ON CONFLICT DO UPDATE SET is_known = 1 WHERE is_known = 0;
END;
CREATE INDEX soc_subscription_events_by_subscription ON soc_subscription_events (subscription_id, id);
CREATE INDEX soc_open_event_notifications_pending ON soc_open_event_notifications (fanout_status)
    WHERE fanout_status = 'pending';
CREATE INDEX soc_open_event_notifications_deferred ON soc_open_event_notifications (fanout_status)
    WHERE fanout_status = 'deferred';
CREATE INDEX soc_open_event_notifications_by_subscription ON soc_open_event_notifications (subscription_id);
CREATE INDEX latency_jobs_by_status ON latency_jobs (status, is_rolled_up);
CREATE INDEX latency_samples_by_status ON latency_samples (job_id, status, sequence_number);
CREATE INDEX latency_alerts_by_job ON latency_alerts (job_id, id);
CREATE INDEX shell_query_open_runs ON shell_query_runs (status, created_at) WHERE completed_at IS NULL;
CREATE INDEX shell_query_own_targets ON shell_query_runs (completed_at)
    WHERE target_fields IS NOT NULL AND target_cleared_at IS NULL;
CREATE INDEX shell_query_due ON shell_query_polls (next_poll_at) WHERE closed_at IS NULL;
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
CREATE INDEX stockx_history_by_listing ON stockx_listing_history (stockx_listing_id, id);
CREATE INDEX status_check_open ON status_check (id) WHERE phase <> 'COMPLETE';
CREATE INDEX status_check_by_result ON status_check (result);
CREATE UNIQUE INDEX status_check_record_event ON status_check_record (status_check_id, incoming_event_id)
    WHERE incoming_event_id IS NOT NULL;
CREATE UNIQUE INDEX status_check_record_reference ON status_check_record (reference_id)
    WHERE reference_id IS NOT NULL;
CREATE INDEX status_check_record_by_name ON status_check_record (event_name);
CREATE INDEX status_check_subscription_by_check ON status_check_subscription (status_check_id);
CREATE INDEX status_check_subscription_by_id ON status_check_subscription (subscription_id)
    WHERE subscription_id IS NOT NULL;
CREATE INDEX status_check_quarantine ON status_check_dead_letter (robot_id, event_id)
    WHERE key >= 'future:' AND key < 'future;';
DELETE FROM "sqlite_sequence";
COMMIT;
