"""Statements about runs, schedules and recordings: what the core remembers of its passes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from pollctl.api.outcomes import FAILURES, Outcome
from pollctl.clock import to_text
from pollctl.damage import table_of
from pollctl.errors import DatabaseError
from pollctl.schedule.evaluation import backoff_until
from pollctl.schedule.model import Past
from pollctl.store import failures, idle

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.config.schema import PluginConfig

CRASHED = {"type": "Crashed", "message": "the process ended without a report (killed, out of memory, power)"}
"""What there is to say about a pass that could not say it itself."""
_LONGEST_STACK = 300  # lines
_FRAME = re.compile(r'File "(?:[^"]*/)?([^"/]+)", line (\d+)')
"""A line of faulthandler's: https://docs.python.org/3/library/faulthandler.html#example."""


class Counters(NamedTuple):
    """What one transaction adds to its run."""

    batches: int
    decisions: int
    effects: int
    stats: Mapping[str, int]


class End(Struct, frozen=True, kw_only=True):
    """The end of a pass: ``delivered`` and ``undelivered`` count its effects, ``error`` has ``type`` and ``message``."""

    outcome: Outcome
    at: datetime
    duration_ms: int
    delivered: int
    undelivered: int
    error: Mapping[str, Any] | None


def new_id(now: datetime) -> str:
    """An id that sorts by time, such as ``20260308T065900.123Z-9f3ac21b``."""
    return f"{id_prefix(now)}-{os.urandom(4).hex()}"


def id_prefix(moment: datetime) -> str:
    """What the ids of runs that started at *moment* begin with; it sorts among them by time."""
    return to_text(moment).replace("-", "").replace(":", "")


def new_trace_id() -> str:
    """An id of a pass in the form that OpenTelemetry wants: 32 hexadecimal digits."""
    return os.urandom(16).hex()


def crashed(stack: str) -> dict[str, Any]:
    """What there is to say about a pass that was ended; with where its threads stood, if that is known, and where it hung."""
    if not stack.strip():
        return CRASHED
    lines = stack.strip().splitlines()[:_LONGEST_STACK]
    of_main = next((part for part in reversed(stack.split("\n\n")) if "File" in part), "")
    hung = _FRAME.search(of_main)
    where = f"; it hung at {hung[1]}:{hung[2]}" if hung else ""
    return {**CRASHED, "message": f"{CRASHED['message']}{where}", "stack": lines}


def mark_crashed(db: Database, plugin: str, now: datetime, limits: PluginConfig, stack: str = "") -> str:
    """Mark a run that is still ``running`` under the lock that we now hold as ``crashed``; answers its id, or nothing."""
    dead = db.conn.execute("SELECT id FROM runs WHERE plugin=? AND outcome='running'", (plugin,)).fetchone()
    if dead is None:
        return ""
    db.conn.execute(
        "UPDATE runs SET outcome='crashed', finished_at=max(?, started_at), error=? WHERE id=?",
        (to_text(now), json.dumps(crashed(stack)), dead[0]),
    )
    _note_end(db, plugin, "crashed", now, limits)
    return str(dead[0])


def start(
    db: Database,
    run_id: str,
    plugin: str,
    trigger: str,
    now: datetime,
    defaults: Mapping[str, str],
    tireless: Collection[str] | None = None,
) -> str:
    """Write the row of a pass that begins now, and what ``due`` must know of the plugin without importing it.

    Answers its trace id. *tireless* are its kinds that are never given up; None where it cannot be asked.
    """
    trace_id = new_trace_id()
    db.execute(
        "INSERT INTO runs (id, plugin, trigger, started_at, outcome, trace_id, pid, host) VALUES (?,?,?,?,'running',?,?,?)",
        (run_id, plugin, trigger, to_text(now), trace_id, os.getpid(), os.uname().nodename),
    )
    db.execute(
        "INSERT INTO schedules (plugin, last_started_at, defaults) VALUES (?,?,?) ON CONFLICT (plugin) DO UPDATE "
        "SET last_started_at=excluded.last_started_at, defaults=excluded.defaults",
        (plugin, to_text(now), json.dumps(dict(defaults), sort_keys=True)),
    )
    if tireless is not None:
        db.execute(
            "INSERT INTO tireless VALUES (?,?) ON CONFLICT (plugin) DO UPDATE SET kinds=excluded.kinds "
            "WHERE kinds<>excluded.kinds",
            (plugin, json.dumps(sorted(tireless))),
        )
    idle.begin_pass(db, plugin)
    return trace_id


def mere_names(db: Database) -> list[str]:
    """Plugins of which nothing is known but a name: no pass of theirs ever began, and none queued an effect."""
    rows = db.conn.execute(
        "SELECT plugin FROM schedules WHERE last_started_at IS NULL AND plugin NOT LIKE 'pollctl.%' "
        "AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.plugin = schedules.plugin) "
        "AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.plugin = schedules.plugin)"
    )
    return [name for (name,) in rows]


def forget(db: Database, plugins: Sequence[str]) -> None:
    """Delete what is known of plugins that are mere names."""
    db.conn.executemany("DELETE FROM schedules WHERE plugin=?", [(name,) for name in plugins])


def last_start(db: Database, plugin: str) -> str:
    """When the plugin's last pass began, as database text; empty if none ever did."""
    row = db.conn.execute("SELECT last_started_at FROM schedules WHERE plugin=?", (plugin,)).fetchone()
    return str(row[0] or "") if row else ""


def add(db: Database, run_id: str, counters: Counters) -> None:
    """Add to the counters of a run; part of the transaction whose work they count.

    Raises:
        DatabaseError: the run is no longer ours: another pass took over (was the lock file deleted?), so nothing may be
            written under it.
    """
    row = db.conn.execute("SELECT stats FROM runs WHERE id=? AND outcome='running'", (run_id,)).fetchone()
    if row is None:
        raise DatabaseError(f"run {run_id} was ended by another pass: is its lock file being deleted?")
    stats = json.loads(row[0])
    for name, number in counters.stats.items():
        stats[name] = stats.get(name, 0) + number
    db.conn.execute(
        "UPDATE runs SET batches=batches+?, decisions=decisions+?, effects=effects+?, stats=? WHERE id=?",
        (counters.batches, counters.decisions, counters.effects, json.dumps(stats, sort_keys=True), run_id),
    )


def finish(db: Database, run_id: str, plugin: str, end: End, limits: PluginConfig) -> None:
    """Write the end of a pass and what it means for the schedule."""
    db.conn.execute(
        "UPDATE runs SET outcome=?, finished_at=max(?, started_at), duration_ms=?, delivered=?, undelivered=?, error=? "
        "WHERE id=? AND outcome='running'",
        (
            end.outcome,
            to_text(end.at),
            end.duration_ms,
            end.delivered,
            end.undelivered,
            json.dumps(end.error) if end.error else None,
            run_id,
        ),
    )
    _note_end(db, plugin, end.outcome, end.at, limits)


def _note_end(db: Database, plugin: str, outcome: str, now: datetime, limits: PluginConfig) -> None:
    """What the end of a pass means for the schedule; the next due moment is forgotten, as it must be computed again."""
    count = failures.of_plugin(db, plugin).consecutive
    if outcome in FAILURES:
        count += 1
    elif outcome != "interrupted":
        count = 0
    not_before = None
    if outcome in FAILURES:
        not_before = backoff_until(limits.timing, Past(last_finished_at=now, consecutive_failures=count))
    db.conn.execute(
        "UPDATE schedules SET last_finished_at=?1, last_outcome=?2, not_before=?3, consecutive_failures=?4, "
        "last_complaint=iif(?2='ok', NULL, last_complaint) WHERE plugin=?5",
        (to_text(now), outcome, to_text(not_before) if not_before else None, count, plugin),
    )
    if outcome == "ok":
        db.conn.execute("DELETE FROM printed WHERE name=?", (plugin,))
    db.conn.execute("DELETE FROM next_due")


def record(
    db: Database,
    run_id: str,
    seq: int,
    now: datetime,
    *,
    settings: str,
    state: str,
    batch: str,
    decisions: str | None,
) -> None:
    """Keep what one call of ``decide`` was given and what it answered (None: it raised), as JSON texts."""
    db.conn.execute(
        "INSERT INTO recordings VALUES (?,?,?,?,?,?,?)",
        (run_id, seq, to_text(now), settings, state, batch, decisions),
    )


def row(db: Database, run_id: str) -> dict[str, Any]:
    """One run as the table has it, JSON columns decoded.

    Raises:
        DatabaseError: there is no such run.
    """
    found = rows(db, "id=?", (run_id,), limit=1)
    if not found:
        raise DatabaseError(f"no run {run_id!r}; `pollctl history` lists them")
    return found[0]


def rows(db: Database, where: str = "1", values: Sequence[Any] = (), *, limit: int = -1) -> list[dict[str, Any]]:
    """Runs, newest first, JSON columns decoded."""
    found = db.query(f"SELECT * FROM runs WHERE {where} ORDER BY id DESC LIMIT ?", [*values, limit])  # noqa: S608
    return [
        {**run, "stats": table_of(run["stats"], "damaged"), "error": table_of(run["error"] or None, "message")}
        for run in found
    ]
