"""What must hold in a simulated world, after each pass that lived and in the end."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulation import Arrival, World

MOST_ATTEMPTS = 40
"""Attempts after which an effect is given up in a simulated world."""


def check_pass(world: World) -> None:
    """After a pass that was not killed."""
    with closing(sqlite3.connect(world.folder / "pollctl.db")) as db:
        assert db.execute("SELECT id FROM runs WHERE outcome='running'").fetchall() == [], "a dead pass was not buried"
        assert db.execute("SELECT key FROM outbox WHERE status='sending'").fetchall() == [], (
            "an effect was left as sending"
        )
        for (key,) in db.execute("SELECT key FROM outbox WHERE status='delivered'"):
            world.settled.setdefault(key, world.turn)


def check_end(world: World) -> None:
    """When everything has come to rest."""
    with closing(sqlite3.connect(world.folder / "pollctl.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert dict(db.execute("SELECT name, version FROM counter_items")) == world.versions
        check_counters(db)
        check_effects(world, db)


def check_counters(db: sqlite3.Connection) -> None:
    """The counters of each run are those of the rows that it wrote."""
    counters = db.execute("SELECT id, batches, decisions, coalesce(stats ->> 'steps', 0) FROM runs").fetchall()
    batches = dict(db.execute("SELECT run_id, count(*) FROM counter_batches GROUP BY 1"))
    steps = dict(db.execute("SELECT run_id, count(*) FROM counter_steps GROUP BY 1"))
    for run, *numbers in counters:
        assert numbers == [batches.get(run, 0), steps.get(run, 0), steps.get(run, 0)], f"run {run} counted {numbers}"
    assert db.execute("SELECT name, version FROM counter_steps GROUP BY 1, 2 HAVING count(*) > 1").fetchall() == []
    (effects,) = db.execute("SELECT sum(effects) FROM runs").fetchone()
    assert effects == db.execute("SELECT count(*) FROM outbox").fetchone()[0], (
        "runs counted other effects than there are"
    )


def check_effects(world: World, db: sqlite3.Connection) -> None:
    """No effect is lost, none doubled, none told of what was never decided."""
    effects = db.execute("SELECT key, kind, lane, status, payload, attempts FROM outbox ORDER BY id").fetchall()
    rows = {key: row for key, *row in effects}
    assert len(rows) == len(effects), f"queued twice under one key: {[key for key, *_ in effects]}"
    decided = {f"{name}:{version}" for name, version in db.execute("SELECT name, version FROM counter_steps")}
    assert set(rows) == decided, f"decided and queued differ: {set(rows) ^ decided}"
    told = {key for (key,) in db.execute("SELECT key FROM counter_told")}
    assert told == {key for key, row in rows.items() if row[2] == "delivered"}, "settled and delivered differ"
    log = world.arrivals()
    by_key: dict[str, list[Arrival]] = {key: [] for key in rows}
    for entry in log:
        assert entry.key in by_key, f"{entry.key} was sent, but is nowhere in the outbox"
        by_key[entry.key].append(entry)
    for key, (kind, _, status, payload, attempts) in rows.items():
        check_effect(world, key, kind, status, json.loads(payload), attempts, by_key[key])
    check_lanes({key: row[1] for key, row in rows.items()}, log)


def check_effect(
    world: World, key: str, kind: str, status: str, payload: Any, attempts: int, entries: Sequence[Arrival]
) -> None:
    """One effect against what the sink saw of it."""
    arrived = [entry for entry in entries if entry.what == "arrived"]
    what = [entry.what for entry in entries]
    assert all(entry.payload == payload for entry in entries), f"{key} was sent with another payload than it has"
    assert status != "delivered" or arrived, f"{key} is delivered, but never arrived: lost"
    assert status in ("delivered", "dead", "unknown"), f"{key} is {status} in the end"
    assert status != "unknown" or kind == "shout", f"{key} may be repeated and is unknown all the same"
    assert status != "dead" or "refused" in what or attempts >= MOST_ATTEMPTS, (
        f"{key} was given up without reason: {what}"
    )
    assert kind != "shout" or len(arrived) <= 1, f"{key} must not be repeated, and arrived {len(arrived)} times"
    lost = {entry.turn for entry in entries if entry.what == "answer lost"} | world.killed
    for entry in arrived[:-1]:
        assert entry.turn in lost, f"{key} arrived in pass {entry.turn}, which knew it, and was sent again"
    late = [entry.turn for entry in entries if entry.turn > world.settled.get(key, sys.maxsize)]
    assert not late, f"{key} was sent in passes {late}, though it was settled after pass {world.settled.get(key)}"


def check_lanes(lanes: dict[str, str], log: Sequence[Arrival]) -> None:
    """Effects of one lane begin in the order in which they were queued."""
    begun: dict[str, list[str]] = {}
    for entry in log:
        lane = begun.setdefault(lanes[entry.key], [])
        if entry.key not in lane:
            lane.append(entry.key)
    for name, keys in begun.items():
        assert keys == [key for key in lanes if key in keys], f"lane {name} is out of order: {keys}"
