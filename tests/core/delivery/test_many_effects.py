"""A million effects, or many lanes: which are sent, in which order, and at what cost (reliability, second attack)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from journals import take
from plugin_package import json_of, make_plugin_package, spawn_pollctl, write_settings
from sample_plugin import ODD
from sqlite_utils import Database

from pollctl.clock import to_text
from pollctl.delivery import lanes
from pollctl.delivery.admin import listing
from pollctl.delivery.channels import broken
from pollctl.delivery.lanes import CORE, OTHERS, SUSPECTS, Lanes
from pollctl.delivery.policy import Kinds, Policy, Retry
from pollctl.store import database

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
POLICY = Policy(Retry(8, MINUTE, HOUR), Kinds(tireless=frozenset({"urgent"})))
PHASES = (CORE, OTHERS, SUSPECTS[0]._replace(sort="tries_alone IS NOT NULL"))


@pytest.fixture(params=["TRUNCATE", "WAL"])
def db(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    take(request.param, monkeypatch)
    with closing(database.open_to_write(tmp_path / "pollctl.db")) as opened:
        yield opened


def write(db: Database, rows: list[dict[str, Any]]) -> None:
    common = {"plugin": "odd", "run_id": "run", "payload": "{}", "created_at": to_text(NOW - HOUR)}
    names = [*common, "kind", "key", "lane", "status", "attempts", "next_attempt_at", "tries_alone"]
    with database.writing(db):
        db.conn.executemany(
            f"INSERT INTO outbox ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})",
            [{**common, "key": str(number), "tries_alone": None, **row} for number, row in enumerate(rows)],
        )


def oracle(db: Database, sort: int) -> list[str]:
    """The lanes of a phase by looking at each effect, in the order of its oldest."""
    heads: dict[str, Any] = {}
    for row in db.query("SELECT * FROM outbox WHERE plugin='odd' AND status IN ('pending', 'sending') ORDER BY id"):
        heads.setdefault(row["lane"], row)
    return [row["lane"] for row in heads.values() if is_due(row) and sort_of(row) == sort]


def is_due(row: Any) -> bool:
    at, longest = row["next_attempt_at"], 2 * MINUTE if row["kind"] == "urgent" else timedelta(days=1)
    is_of_a_wrong_clock = row["attempts"] > 0 and at > to_text(NOW + longest)
    is_for_at_once = row["attempts"] == 0 and at <= row["created_at"]
    return bool(row["status"] == "pending" and (at <= to_text(NOW) or is_for_at_once or is_of_a_wrong_clock))


def sort_of(row: Any) -> int:
    if row["tries_alone"] is not None:
        return 2
    return 0 if row["kind"].startswith("pollctl.") else 1


def some_rows(seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    moments = [NOW - HOUR, NOW, NOW + MINUTE, NOW + 3 * MINUTE, NOW + 2 * HOUR, NOW + timedelta(days=4000)]
    return [
        {
            "kind": chance.choice(("word", "word", "urgent", "pollctl.failing")),
            "lane": f"lane {chance.randrange(40)}",
            "status": chance.choice(("pending", "pending", "pending", "sending", "unknown")),
            "attempts": chance.choice((0, 0, 1, 3)),
            "next_attempt_at": to_text(chance.choice(moments)),
            "created_at": to_text(chance.choice(moments)),
            "tries_alone": chance.choice((None, None, None, 0, 2)),
        }
        for _ in range(chance.randrange(150))
    ]


@pytest.mark.parametrize("few", [1000, 5], ids=["few lanes", "many lanes"])
@pytest.mark.parametrize("seed", range(15))
def test_the_lanes_that_may_send_are_those_whose_oldest_effect_is_due(
    db: Database, seed: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "_FEW", few)
    monkeypatch.setattr(lanes, "_PAGE", 7)
    write(db, some_rows(seed))
    for sort, phase in enumerate(PHASES):
        found = list(Lanes(db, "odd", POLICY).due(phase, NOW))
        if few == 1000 and sort < 2:
            assert found == oracle(db, sort)
        elif not phase.found_by or few == 1000:
            assert sorted(found) == sorted(oracle(db, sort))
    assert set(Lanes(db, "odd", POLICY).due(PHASES[2].of_core(), NOW)) <= set(oracle(db, 2))


WHERE = {"lanes of their own": 0, "ten lanes": 10, "one lane": 1}
WHEN = {"due": (0, -MINUTE), "not due": (1, HOUR), "meant for next week": (0, timedelta(days=7))}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("when", WHEN)
def test_the_first_to_be_sent_are_found_without_looking_at_all(db: Database, where: str, when: str) -> None:
    number, (attempts, due_in) = 20_000, WHEN[when]
    row = {"kind": "word", "status": "pending", "attempts": attempts, "next_attempt_at": to_text(NOW + due_in)}
    write(db, [{**row, "lane": f"lane {key % (WHERE[where] or number)}"} for key in range(number)])
    steps = counted_steps(db)
    found = [next(Lanes(db, "odd", POLICY).due(phase, NOW), None) for phase in PHASES]
    assert found == [None, "lane 0" if when == "due" else None, None]
    assert len(steps) * 100 < number * 10, "to look at each would take thirty steps and more"


def test_channels_that_do_not_work_are_found_without_looking_at_all_that_waits(db: Database) -> None:
    waits = {"kind": "word", "lane": "one", "status": "pending", "attempts": 4, "next_attempt_at": to_text(NOW)}
    write(db, [{**waits, "key": str(number), "attempts": 5 if number == 7 else 4} for number in range(20_000)])
    steps = counted_steps(db)
    assert [channel.number for channel in broken(db.conn, ["odd"])] == [1]
    assert len(steps) * 100 < 20_000, "to look at each would take ten steps and more"


def counted_steps(db: Database) -> list[None]:
    """As many items as SQLite's machine goes hundreds of steps from now on."""
    steps: list[None] = []
    db.conn.set_progress_handler(lambda: steps.append(None), 100)
    return steps


def test_a_search_ends_when_the_pass_does(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_FEW", 1)
    row = {"kind": "word", "status": "pending", "attempts": 0, "next_attempt_at": to_text(NOW)}
    write(db, [{**row, "lane": str(key)} for key in range(5000)])
    pages = iter([False, *[True] * 9])
    assert len(list(Lanes(db, "odd", POLICY).due(PHASES[1], NOW, is_over=lambda: next(pages)))) == 1000


def test_the_newest_effects_are_listed_and_how_many_more_there_are(db: Database) -> None:
    row = {"kind": "word", "lane": "one", "attempts": 0, "next_attempt_at": to_text(NOW)}
    write(db, [{**row, "status": ("pending", "unknown")[key % 2]} for key in range(50)])
    with database.writing(db):
        db.execute("UPDATE outbox SET plugin='even' WHERE id % 4 = 0")
    rows, more = listing(db, limit=7)
    assert ([row["id"] for row in rows], more) == ([50, 49, 48, 47, 46, 45, 44], 43)
    rows, more = listing(db, plugin="even", status="unknown", limit=3)
    assert ([row["id"] for row in rows], more) == ([48, 44, 40], 9)
    assert listing(db, status="dead", limit=3) == ([], 0)


def test_outbox_list_says_how_many_more_there_are_and_how_to_see_them(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "odd", ODD)
    write_settings(tmp_path, "[plugins.odd]")
    with closing(database.open_to_write(tmp_path / "pollctl.db")) as db:
        row = {"kind": "word", "lane": "one", "status": "pending", "attempts": 0, "next_attempt_at": to_text(NOW)}
        write(db, [row] * 103)
    done = spawn_pollctl(tmp_path, env, "outbox", "list", "--json")
    assert len(json_of(done)) == 100
    assert done.stderr == "3 more; `--limit 103` shows all, `--plugin` and `--status` choose among them\n"
    done = spawn_pollctl(tmp_path, env, "outbox", "list", "--limit", "103")
    assert (done.stdout.count("\n"), done.stderr) == (104, "")
