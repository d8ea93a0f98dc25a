"""A database with a few rows of everything that is listed, the same each time: for pictures of listings."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from pollctl.cli.table import TAKEN
from pollctl.plugin_host.discovery import discover
from pollctl.plugin_host.loader import load, migrations_of
from pollctl.store.database import open_to_write, writing

NOW = "2026-11-28T18:02:00Z"
"""The moment at which it is looked at: a Saturday, 19:02 in Amsterdam."""
SETTINGS = """
[pollctl]
database = "pollctl.db"
timezone = "Europe/Amsterdam"
[plugins.latency]
[plugins.shell_query]
[plugins.soc_sections]
terms = ["92026"]
campuses = ["NB", "NK"]
[plugins.stockx_ops]
client_id = "id"
client_secret = "secret"
api_key = "key"
[plugins.toilet_gap]
event_service_url = "http://127.0.0.1:9"
queue_url = "http://127.0.0.1:9/123456789012/incoming"
[[plugins.toilet_gap.monitors]]
name = "north-wing"
robot_id = "robot-0017"
timezone = "Europe/Amsterdam"
start = "07:00"
end = "21:30"
gap = "2h"
"""
_LONG = "https://events.example.net/incomings: 503 Service Unavailable (maintenance until Monday), 3 tries"
_UUIDS = ("5b0c1f6e-8a70-4c58-9b52-0d5b7f1c9a01", "c2f7a9d4-11e3-4f0b-8c6e-6f1d2e3a4b02")


def lay_out(folder: Path, *, is_full: bool) -> None:
    """Write settings into a folder, and a database with all tables, with or without rows."""
    (folder / "pollctl.toml").write_text(SETTINGS)
    found = discover(TAKEN)
    migrations = migrations_of([load(one) for one in found.values() if one.distribution == "pollctl"])
    with closing(open_to_write(folder / "pollctl.db", migrations)) as db:
        if is_full:
            with writing(db):
                _fill(db)


def _fill(db: Database) -> None:
    _passes(db)
    _effects(db)
    _latency(db)
    _shell_query(db)
    _soc_sections(db)
    _stockx_ops(db)
    _toilet_gap(db)


def _insert(db: Database, table: str, **row: Any) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    db.conn.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


def _at(minutes_ago: int) -> str:
    """A moment so long before NOW, as database text."""
    total = (28 * 24 + 18) * 60 + 2 - minutes_ago
    day, rest = divmod(total, 24 * 60)
    return f"2026-11-{day:02}T{rest // 60:02}:{rest % 60:02}:00.000Z"


def _passes(db: Database) -> None:
    ends = {
        "latency": ["ok"] * 20 + ["partial", "partial", "ok", "ok"],
        "shell_query": ["ok"] * 5,
        "soc_sections": ["ok"] * 10 + ["failed", "ok"],
        "stockx_ops": ["ok", "interrupted", "ok"],
        "toilet_gap": ["ok", "ok", "crashed", "failed", "failed", "failed"],
    }
    for plugin, outcomes in ends.items():
        for place, outcome in enumerate(reversed(outcomes)):
            _pass(db, plugin, outcome, 2 + 3 * place + 997 * (place > 9))
        failures = 3 if plugin == "toilet_gap" else 0
        _insert(
            db, "schedules", plugin=plugin, last_started_at=_at(2), last_finished_at=_at(2), last_outcome=outcomes[-1],
            consecutive_failures=failures, not_before="2026-11-28T18:12:00.000Z" if failures else None,
            defaults='{"schedule": "* * * * *"}',
        )  # fmt: skip


def _pass(db: Database, plugin: str, outcome: str, minutes_ago: int) -> None:
    started = _at(minutes_ago)
    letters = f"{abs(hash_of(plugin + started)):08x}"
    message = {"failed": _LONG, "crashed": "the process ended without a report (killed, out of memory, power)"}
    if plugin == "latency":
        message = {"partial": "backup.example.net: Request timeout"}
    error = {"type": "Unreached", "message": message[outcome]} if outcome in message else None
    run_id = f"{started.replace('-', '').replace(':', '')}-{letters}"
    _insert(
        db, "runs", id=run_id, plugin=plugin, trigger="due", started_at=started, finished_at=started, outcome=outcome,
        batches=1, decisions=3, effects=1, delivered=1, duration_ms=9 if outcome == "failed" else 1420,
        stats='{"samples": 3}', error=error and json.dumps(error), trace_id="0" * 32, pid=4711, host="box",
    )  # fmt: skip


def hash_of(text: str) -> int:
    """A number that looks like chance and is the same each time."""
    number = 2166136261
    for byte in text.encode():
        number = (number ^ byte) * 16777619 % 2**32
    return number


def _effects(db: Database) -> None:
    run_id = db.execute("SELECT max(id) FROM runs WHERE plugin='soc_sections'").fetchone()[0]
    rows = [
        ("soc_sections", "opening", "dead", 60, 47, "mailto answered 502 Bad Gateway: upstream connect error or reset"),
        ("soc_sections", "opening", "delivered", 1, 46, None),
        ("stockx_ops", "listing_live", "pending", 3, 15, "429 Too Many Requests (retry after 240 s)"),
        ("shell_query", "delete_definition", "unknown", 1, 8, None),
        ("latency", "alert", "delivered", 1, 3, None),
    ]
    for place, (plugin, kind, status, attempts, minutes_ago, error) in enumerate(rows, start=100):
        is_delivered = status == "delivered"
        _insert(
            db, "outbox", id=place, plugin=plugin, run_id=run_id, kind=kind, key=f"{kind}:92026:NB:0{place}00:1",
            lane=f"mailto:{place}", payload="{}", status=status, attempts=attempts,
            next_attempt_at="2026-11-28T18:04:00.000Z", last_error=error, created_at=_at(minutes_ago),
            delivered_at=_at(minutes_ago) if is_delivered else None,
        )  # fmt: skip


def _latency(db: Database) -> None:
    targets = (
        ("gateway.example.net", "running", "ok", None),
        ("http://a-rather-long-name.example.net/health", "running", "offline_alerted", None),
        ("db.example.net:5432", "completed", "ok", "pass"),
        ("lab-switch.example.net", "completed", "ok", "unreliable"),
    )
    for number, (target, status, alert, verdict) in enumerate(targets, start=1):
        _insert(
            db, "latency_jobs", id=number, target=target, probe="tcp", status=status, alert_state=alert,
            started_at=_at(2880), last_ping_at=_at(1), completed_at=_at(30) if verdict else None, success=1426,
            missed=15, system_error=0, verdict=verdict,
        )  # fmt: skip
    for number in range(6):
        is_missed = number == 4
        _insert(
            db, "latency_samples", job_id=1, sequence_number=number, status="missed" if is_missed else "success",
            rtt_ms=None if is_missed else 20.84291 + number, jitter_ms=None if is_missed else 0.41,
            recorded_at=_at(7 - number), reason="Request timeout" if is_missed else None,
        )  # fmt: skip
    _insert(db, "latency_alerts", id=1, job_id=2, alert_type="offline", triggered_at=_at(43))
    _insert(
        db, "latency_mirror_held", job_id=2, sequence_number=711, held_at=_at(80), is_released=1,
        reason='400 22P02: invalid input syntax for type double precision: "***"',
    )  # fmt: skip


def _shell_query(db: Database) -> None:
    for number, status in enumerate(("ready", "failed")):
        _insert(
            db, "shell_query_runs", id=_UUIDS[number], name="weekly openers", sql_text="SELECT 1",
            target_de_customer_key=f"pollctl_{_UUIDS[number][:8]}", status=status,
            row_count=1240 if status == "ready" else None, created_at=_at(1500 + number), completed_at=_at(1480),
            error_message="the query failed: Invalid object name '_Opens'" if status == "failed" else None,
        )  # fmt: skip


def _soc_sections(db: Database) -> None:
    where = {"term": "92026", "campus": "NB"}
    for number, status in (("00500", "OPEN"), ("00501", "CLOSED")):
        _insert(
            db, "soc_sections", **where, index_number=number, status=status, course="01:198:111", section_number="03",
            title="INTRODUCTION TO COMPUTER SCIENCE", changed_at=_at(46), is_catalogued=1,
            open_to="School of Arts and Sciences", permission="instructor",
        )  # fmt: skip
        _insert(
            db, "soc_subscriptions", id=int(number), **where, index_number=number, contact="mailto://ann@example.net",
            sent_count=2, created_at=_at(9000),
        )  # fmt: skip
    _insert(
        db, "soc_status_events", id=1, **where, index_number="00500", status="OPEN", status_before="CLOSED",
        seat_delta=1, episode=3, event_at=_at(46), dedupe_key="92026:NB:00500:3", run_id="x",
    )  # fmt: skip
    for age, (verdict, listed, reason) in enumerate((
        ("accepted", 2, "as many as before"),
        ("suspect_drop", 1, "1 of 2 sections: a fall of 50 %; openings count, closings wait for 3 answers over 5 min"),
        ("failed", None, "the body is not a JSON array of texts: Expected `array`, got `object`"),
    )):  # fmt: skip
        _insert(
            db, "soc_polls", **where, polled_at=_at(48 - age), verdict=verdict, listed_count=listed, known_count=2,
            reason=reason, run_id="x", duration_ms=None if listed is None else 212.4,
        )  # fmt: skip
    _insert(db, "soc_subscription_events", id=1, subscription_id=500, kind="sent", detail="opening 3", at=_at(46))
    _insert(db, "soc_campuses", **where, catalogue_read_at=_at(400), catalogue_size=4212, polls=9, failures=1)


def _stockx_ops(db: Database) -> None:
    for number, status in enumerate(("IN_PROGRESS", "FAILED")):
        _insert(
            db, "stockx_batch_jobs", id=_UUIDS[number], user_id="ben", job_type="UPDATE_LISTING", status=status,
            stockx_operation_id=_UUIDS[1 - number], stockx_listing_id=_UUIDS[0], started_at=_at(10 + number),
            error_message="Variant not eligible" if status == "FAILED" else None, updated_at=_at(9), metadata="{}",
        )  # fmt: skip
    _insert(
        db, "stockx_accounts", user_id="ben", status="EXPIRED", expires_at=_at(100), connected_at=_at(9000),
        updated_at=_at(90),
    )  # fmt: skip
    _insert(
        db, "stockx_listings", stockx_listing_id=_UUIDS[0], user_id="ben", status="ACTIVE", ask_price=12950,
        currency_code="GBP", updated_at=_at(9),
    )  # fmt: skip
    _insert(
        db, "stockx_listing_history", id=1, stockx_listing_id=_UUIDS[0], job_id=_UUIDS[1], action="UPDATE_LISTING",
        status="FAILED", changed_at=_at(9), metadata='{"error": "Variant not eligible"}',
    )  # fmt: skip


def _toilet_gap(db: Database) -> None:
    settings = {"timezone": "Europe/Amsterdam"}
    for number, (phase, result) in enumerate((("COMPLETE", "ALARM_RAISED"), ("MONITORING", None)), start=1):
        _insert(
            db, "status_check", id=number, monitor="north-wing", robot_id="robot-0017",
            local_date=f"2026-11-{26 + number}", phase=phase, result=result, planned_at=_at(720), ends_at=_at(-150),
            settings=json.dumps(settings), created_at=_at(720), updated_at=_at(20),
        )  # fmt: skip
    _insert(db, "status_check_poller", status_check_id=2, since=_at(30), until=_at(-90), opened_by="visit")
    for order, name in enumerate(("STARTED", "SUBSCRIBED", "EVENT_OBSERVED", "ALARM_SENT"), start=1):
        _insert(
            db, "status_check_record", status_check_id=2, order=order, event_name=name, event_at=_at(200 - 40 * order),
            phase="MONITORING", created_at=_at(200 - 40 * order),
            incoming_event_id="incoming-8841" if name == "EVENT_OBSERVED" else None,
            reference_id="alarm-0042" if name == "ALARM_SENT" else None,
        )  # fmt: skip
    _insert(
        db, "status_check_dead_letter", key="queue:9", source="queue", robot_id="robot-0017", event_id="e-9", created_at=_at(300),
        event_name="TOILET_ACTIVITY", reason="createdAt: '2026-11-28T13:04:11' names no zone", replayed_at=_at(250),
        body='{"sourceEvent": {"id": "e-9", "robotId": "robot-0017", "createdAt": "2026-11-28T13:04:11"}}',
    )  # fmt: skip
