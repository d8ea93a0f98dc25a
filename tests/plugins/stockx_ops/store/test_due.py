"""Choosing jobs: which are asked about, and which have run out of time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from plugins.stockx_ops.place import NOON, at
from plugins.stockx_ops.world import OPERATIONS, V2, World

from pollctl_stockx_ops.store import due

# rule 1


def test_a_new_job_is_due_a_poll_delay_after_its_creation(world: World) -> None:
    world.job("j", started_at=at(0))
    assert (world.chosen(19.999), world.chosen(20)) == ([], ["j"])


def test_a_job_with_a_moment_of_its_own_is_due_then(world: World) -> None:
    world.job("j", started_at=at(0), next_poll_at=at(5), status="IN_PROGRESS")
    assert (world.chosen(4.999), world.chosen(5)) == ([], ["j"])


def test_of_sixty_due_jobs_the_fifty_oldest_are_chosen(world: World) -> None:
    for number in range(60):
        moment = at(-60 - (number * 7) % 60)
        asked = {"next_poll_at": at(-1), "status": "IN_PROGRESS"} if number % 3 else {}
        world.job(f"j{number:02}", started_at=moment, **asked)
    oldest = world.rows("SELECT id FROM stockx_batch_jobs ORDER BY started_at, id LIMIT 50")
    assert world.chosen() == [job_id for (job_id,) in oldest]


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "COMPLETED"},
        {"status": "FAILED"},
        {"status": "PARTIAL"},
        {"stockx_operation_id": None},
        {"stockx_operation_id": ""},
        {"user_id": "broken"},
        {"user_id": "expired"},
        {"user_id": "revoked"},
        {"user_id": "nobody"},
        {"next_poll_at": at(0.001)},
        {"stockx_listing_id": None},
    ],
    ids=str,
)
def test_what_is_over_or_cannot_be_asked_about_is_not_chosen(world: World, columns: Any) -> None:
    for status in ("BROKEN", "EXPIRED", "REVOKED"):
        world.account(status.lower(), status=status)
    world.job("good")
    world.job("other", **columns)
    assert world.chosen() == ["good"]


def test_at_exactly_the_end_of_its_time_a_job_is_still_asked_about(world: World) -> None:
    world.job("j", started_at=at(-900), user_id="nobody")
    assert due.overdue_jobs(world.db, NOON, V2, ("", "")) == []
    assert len(due.overdue_jobs(world.db, NOON + timedelta(milliseconds=1), V2, ("", ""))) == 1


# rule 2


@pytest.mark.parametrize(
    ("columns", "is_asked"),
    [
        ({}, True),
        ({"asked_at": at(-100)}, True),
        ({"asked_at": at(-99.999)}, False),
        ({"stockx_listing_id": None}, False),
        ({"user_id": "broken"}, False),
        ({"user_id": "nobody"}, False),
        ({"next_poll_at": at(1), "asked_at": at(-200)}, None),
    ],
    ids=str,
)
def test_out_of_time_a_job_is_asked_once_more_or_not_at_all(world: World, columns: Any, is_asked: bool | None) -> None:
    world.account("broken", status="BROKEN")
    world.job("j", **{"started_at": at(-1000), **columns})
    if is_asked:
        assert world.chosen() == ["j"]
    assert [job for _, job in due.overdue_jobs(world.db, NOON, V2, ("", ""))] == ["j"] * (is_asked is False)


def test_an_account_that_does_not_work_is_named_while_jobs_of_it_are_open(world: World) -> None:
    for status in ("BROKEN", "EXPIRED", "REVOKED"):
        world.account(status.lower(), status=status)
        world.job(f"j-{status}", user_id=status.lower())
    world.job("j")
    assert due.ended_accounts(world.db) == [("broken", "BROKEN"), ("expired", "EXPIRED")]
    world.db.execute("UPDATE stockx_batch_jobs SET status = 'FAILED' WHERE user_id <> 'anna'")
    assert due.ended_accounts(world.db) == []
    assert due.is_anything_open(world.db)
    world.db.execute("UPDATE stockx_accounts SET status = 'BROKEN'")
    assert not due.is_anything_open(world.db)


def test_the_dialect_operations_needs_no_listing(world: World) -> None:
    world.job("j", stockx_listing_id=None)
    assert (world.chosen(settings=V2), world.chosen(settings=OPERATIONS)) == ([], ["j"])


@pytest.mark.parametrize("statement", [due.DUE_OF_FEW, due.DUE_OF_MANY], ids=["few", "many"])
def test_choosing_searches_both_kinds_of_open_jobs_and_scans_no_table(world: World, statement: str) -> None:
    plan = [row[3] for row in world.db.execute(f"EXPLAIN QUERY PLAN {statement}", due.due_values(NOON, V2))]
    text = "\n".join(plan)
    assert "SEARCH job USING INDEX stockx_jobs_new" in text
    assert "job USING INDEX stockx_jobs_" in text.split("RIGHT")[1]
    assert "SCAN job" not in text.replace("SCAN job USING INDEX stockx_jobs_asked", "")


@pytest.mark.parametrize("few", [1, 30, 100])
def test_both_ways_to_choose_choose_the_same(world: World, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(due, "FEW", few)
    for number in range(60):
        moment = at(-60 - (number * 7) % 60)
        asked = {"next_poll_at": at(number % 5 - 3), "status": "IN_PROGRESS"} if number % 3 else {}
        world.job(f"j{number:02}", started_at=moment, **asked)
    expected = world.rows(
        f"SELECT id FROM stockx_batch_jobs WHERE coalesce(next_poll_at, '') <= '{at()}' ORDER BY started_at, id LIMIT 50"
    )
    assert world.chosen() == [job_id for (job_id,) in expected]


def test_overdue_jobs_come_in_steps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "OVERDUE_AT_ONCE", 2)
    for number in range(5):
        world.job(f"j{number}", started_at=at(-1000 - number % 2), user_id="nobody")
    found, last = [], ("", "")
    while step := due.overdue_jobs(world.db, NOON, V2, last):
        assert len(step) <= 2
        found += [job_id for _, job_id in step]
        last = step[-1]
    assert found == ["j1", "j3", "j0", "j2", "j4"]
