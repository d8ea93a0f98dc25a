"""Effects whose delivery kills the process: alone on their way from then on, and nobody else pays for them.

The passes here die by an exception that nobody catches (``tests/harness/crashing_outbox.py``), so that thousands of orders can be
tried; ``tests/crash/test_poison.py`` has processes that really die.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from crashing_outbox import MAX_ATTEMPTS, Nature, Passes, Planned
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from pollctl.delivery import admin
from pollctl.store import database

SEEDS = st.integers(0, 2**32)
FEW = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with closing(database.open_to_write(tmp_path / "pollctl.db")) as opened:
        opened.conn.execute("PRAGMA synchronous=OFF")
        opened.conn.execute("PRAGMA journal_mode=MEMORY")
        yield opened


def emptied(db: Database) -> Database:
    """The same, for the next example."""
    db.conn.execute("DELETE FROM outbox")
    return db


NATURES: Sequence[Nature] = ("good", "good", "good", "good", "poison", "failing", "refused", "uncertain")


@st.composite
def stories(draw: st.DrawFn) -> list[Planned]:
    """Up to 24 effects of all kinds, in lanes of their own or shared ones."""
    kinds = st.sampled_from(["say", "say", "say", "shout", "clean", "pollctl.failing"])
    natures: st.SearchStrategy[Nature] = st.sampled_from(NATURES)
    lanes = st.sampled_from(["", "", "a", "b"])
    found = []
    for number in range(draw(st.integers(1, 24))):
        kind = draw(kinds)
        found.append(Planned(f"{number:02}", kind, "alerts" if "." in kind else draw(lanes), draw(natures)))
    return found


@pytest.mark.slow
@FEW
@given(
    planned=stories(),
    seed=SEEDS,
    accidents=st.lists(st.none() | st.integers(0, 12), max_size=8),
    is_windowed=st.booleans(),
)
def test_whenever_passes_die_attempts_count_against_those_to_blame_and_lanes_stay_in_order(
    db: Database, planned: list[Planned], seed: int, accidents: list[int | None], is_windowed: bool
) -> None:
    passes = Passes(emptied(db), planned, seed=seed, accidents=accidents, is_windowed=is_windowed)
    for _ in range(12):
        passes.run()
        passes.check()


@pytest.mark.slow
@FEW
@given(planned=stories(), seed=SEEDS, accidents=st.lists(st.integers(0, 12), max_size=MAX_ATTEMPTS - 2))
def test_in_the_end_each_effect_has_arrived_or_is_marked_for_a_reason(
    db: Database, planned: list[Planned], seed: int, accidents: list[int | None]
) -> None:
    passes = Passes(emptied(db), planned, seed=seed, accidents=accidents)
    never = {one.lane or one.key for one in planned if one.kind == "clean" and one.nature in ("poison", "failing")}
    for _ in range(len(accidents) + 2 * MAX_ATTEMPTS * len(planned)):
        if passes.open_lanes <= never:
            break
        passes.run()
    passes.check()
    assert passes.open_lanes <= never
    for one in planned:
        if (one.lane or one.key) in never:
            continue
        expected = {"good": {"delivered"}, "uncertain": {"delivered"}}.get(one.nature, {"dead"})
        if one.kind == "shout":
            expected = expected | {"unknown"}
        assert passes.status(one.key) in expected, one


@pytest.mark.slow
@FEW
@given(
    neighbours=st.lists(st.sampled_from(["", "", "", "a", "b", "c"]), min_size=1, max_size=30),
    at=st.integers(0, 30),
    kind=st.sampled_from(["say", "clean", "pollctl.failing"]),
    seed=SEEDS,
    is_windowed=st.booleans(),
)
def test_all_neighbours_have_arrived_two_passes_after_the_crash(
    db: Database, neighbours: list[str], at: int, kind: str, seed: int, is_windowed: bool
) -> None:
    planned = [Planned(f"{number:02}", lane=lane) for number, lane in enumerate(neighbours)]
    planned[at % (len(planned) + 1) : 0] = [Planned("poison", kind, "poisoned", "poison")]
    passes = Passes(emptied(db), planned, seed=seed, is_windowed=is_windowed)
    while not passes.cut_off:
        passes.run()
    for _ in range(2):
        passes.run()
    missing = {one.key for one in planned} - set(passes.arrived)
    assert missing == {"poison"}, f"not arrived two passes after the crash: {missing}"
    while passes.status("poison") in ("pending", "sending") and len(passes.cut_off) < 20:
        passes.run()
    passes.check()
    if kind == "clean":
        assert passes.status("poison") in ("pending", "sending")
    else:
        assert passes.status("poison") == "dead"
        alone = [together for together in passes.cut_off if len(together) == 1]
        assert len(alone) == MAX_ATTEMPTS


def test_effects_cut_off_together_go_one_at_a_time_next(db: Database) -> None:
    passes = Passes(db, [*(Planned(f"{number}") for number in range(7)), Planned("poison", nature="poison")])
    passes.run()
    assert len(passes.cut_off[0]) > 1
    for _ in range(MAX_ATTEMPTS + 1):
        passes.run()
    later = passes.cut_off[1:]
    assert later == [["poison"]] * MAX_ATTEMPTS, f"cut off in company again: {later}"


def test_with_a_single_attempt_allowed_neighbours_of_a_poison_are_not_given_up(db: Database) -> None:
    planned = [Planned(f"{number}", nature="failing" if number == 3 else "good") for number in range(5)]
    passes = Passes(db, [*planned, Planned("poison", nature="poison")])
    db.conn.execute("UPDATE outbox SET attempts=? WHERE key IN ('1', '2')", [MAX_ATTEMPTS - 1])
    passes.counted.update({"1": MAX_ATTEMPTS - 1, "2": MAX_ATTEMPTS - 1})
    for _ in range(3):
        passes.run()
        passes.check()
    assert [passes.status(key) for key in "012"] == ["delivered"] * 3


def test_what_is_retried_by_hand_has_all_its_attempts_again_and_still_goes_alone(db: Database) -> None:
    planned = [Planned(f"{number}") for number in range(7)]
    passes = Passes(db, [Planned("poison", nature="poison"), *planned])
    while passes.status("poison") != "dead":
        passes.run()
    ((number, attempts, in_company),) = db.conn.execute(
        "SELECT id, attempts, attempts_cut_off FROM outbox WHERE key='poison'"
    )
    assert attempts - in_company == MAX_ATTEMPTS
    admin.retry_now(db, [number], passes.now)
    passes.counted["poison"] = 0
    passes.check()
    while passes.status("poison") != "dead":
        passes.run()
    passes.check()


def test_a_suspect_behind_an_effect_that_was_retried_by_hand_does_not_follow_it_into_company(db: Database) -> None:
    planned = [
        Planned("first", lane="a", nature="refused"),
        Planned("poison", lane="a", nature="poison"),
        *(Planned(f"{number}") for number in range(20)),
    ]
    passes = Passes(db, planned)
    while not passes.cut_off:
        passes.run()
    passes.planned["first"] = Planned("first", lane="a")
    db.conn.execute("UPDATE outbox SET status='pending', attempts=0 WHERE key='first'")
    db.conn.execute("UPDATE outbox SET status='pending' WHERE key IN ('18', '19')")
    for _ in range(3):
        passes.run()
    assert all(len(together) == 1 for together in passes.cut_off[1:])


def test_an_effect_that_killed_two_passes_waits_until_the_pass_has_done_its_work(db: Database) -> None:
    passes = Passes(db, [Planned("poison", nature="poison")])
    for _ in range(2):
        passes.run()
    begun = len(passes.begun)
    passes.planned["poison"] = Planned("poison")
    passes.calls = [{"is_last": False}]
    passes.run()
    assert len(passes.begun) == begun
    passes.calls.append({"is_last": True})
    passes.run()
    assert passes.status("poison") == "delivered"


def test_a_row_that_cannot_be_read_is_dead_and_stops_nobody(db: Database) -> None:
    passes = Passes(db, [Planned("damaged"), Planned("torn"), Planned("good")])
    db.conn.execute("UPDATE outbox SET payload=CAST(x'7B22FF' AS TEXT) WHERE key='damaged'")
    db.conn.execute("UPDATE outbox SET created_at='20', next_attempt_at='20' WHERE key='torn'")
    assert passes.run()
    assert [passes.status(key) for key in ("damaged", "torn", "good")] == ["dead", "dead", "delivered"]
    for (error,) in db.conn.execute("SELECT last_error FROM outbox WHERE status='dead'"):
        assert error.startswith("its row is damaged: ")
