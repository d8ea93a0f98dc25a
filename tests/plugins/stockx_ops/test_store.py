"""Choosing jobs, and what decisions write, on a real database."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from pollctl import Secret, to_text
from pollctl_stockx_ops import store
from pollctl_stockx_ops.decide import decide
from pollctl_stockx_ops.listings import retry, stats
from pollctl_stockx_ops.model import COUNTED, Batch, Day, Decision, Reply, Settings
from pollctl_stockx_ops.migrations import migrations

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
V2, OPERATIONS = Settings(), Settings(dialect="operations")


def at(seconds: float = 0) -> str:
    """A moment so many seconds after noon, as the database keeps it."""
    return to_text(NOON + timedelta(seconds=seconds))


class Ledger:
    """The part of a pass that ``load`` and ``apply`` see: it keeps what they ask for."""

    def __init__(self) -> None:
        self.settings = OPERATIONS
        self.addresses: Sequence[Secret] = ()
        self.now = NOON
        self.effects: dict[str, tuple[str, Any, str]] = {}
        self.stats: Counter[str] = Counter()
        self.holds: dict[str, Any] = {}

    def effect(self, kind: str, key: str, payload: Any, *, lane: str = "") -> None:
        self.effects.setdefault(key, (kind, payload, lane))

    def count(self, **numbers: int) -> None:
        self.stats.update(numbers)

    def hold(self, upstream: str, until: Any) -> None:
        self.holds[upstream] = until


class World:
    """A database of stockx_ops, and batches that are loaded, decided and applied to it."""

    def __init__(self) -> None:
        self.db = Database(memory=True)
        self.db.execute("PRAGMA foreign_keys=ON")
        self.db.execute("CREATE TABLE runs (plugin TEXT, stats TEXT)")
        migrations.apply(self.db)
        self.run: Any = Ledger()
        self.account("anna")

    def account(self, user: str, **columns: Any) -> None:
        self.db.table("stockx_accounts").insert({"user_id": user, **columns})

    def job(self, job_id: str, **columns: Any) -> None:
        row = {"id": job_id, "user_id": "anna", "job_type": "create_listing", "stockx_operation_id": f"op-{job_id}"}
        listed = {"stockx_listing_id": f"listing-{job_id}", "started_at": at(-60)}
        self.db.table("stockx_batch_jobs").insert({**row, **listed, **columns})

    def play(self, batch: Batch, seconds: float = 0) -> Sequence[Decision]:
        self.run.now = NOON + timedelta(seconds=seconds)
        with self.db.atomic():
            decisions = decide(store.load(self.db, batch, self.run), batch, self.run.now, self.run.settings)
            store.apply(self.db, decisions, self.run)
        return decisions

    def say(self, job_id: str, /, seconds: float = 0, attempt: int = 1, **facts: Any) -> Sequence[Decision]:
        said = Reply(**{"job_id": job_id, "attempt": attempt, "connection": 1, "status": 200, **facts})
        return self.play(Batch(replies=[said]), seconds)

    def chosen(self, seconds: float = 0, settings: Settings = V2) -> list[str]:
        return [due.job_id for due in store.due_jobs(self.db, NOON + timedelta(seconds=seconds), settings)]

    def rows(self, sql: str) -> list[Any]:
        return self.db.execute(sql).fetchall()


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.db.close()


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
        {"started_at": at(-900.001)},
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
    world.job("j", started_at=at(-900))
    assert world.chosen() == ["j"]
    assert store.overdue_jobs(world.db, NOON - V2.give_up_after, ("", "")) == []
    assert world.chosen(0.001) == []
    assert len(store.overdue_jobs(world.db, NOON - V2.give_up_after + timedelta(milliseconds=1), ("", ""))) == 1


def test_the_dialect_operations_needs_no_listing(world: World) -> None:
    world.job("j", stockx_listing_id=None)
    assert (world.chosen(settings=V2), world.chosen(settings=OPERATIONS)) == ([], ["j"])


@pytest.mark.parametrize("statement", [store.DUE_OF_FEW, store.DUE_OF_MANY], ids=["few", "many"])
def test_choosing_searches_both_kinds_of_open_jobs_and_scans_no_table(world: World, statement: str) -> None:
    plan = [row[3] for row in world.db.execute(f"EXPLAIN QUERY PLAN {statement}", store.due_values(NOON, V2))]
    text = "\n".join(plan)
    assert "SEARCH job USING INDEX stockx_jobs_new" in text
    assert "SEARCH job USING INDEX stockx_jobs_" in text.split("RIGHT")[1]
    assert "SCAN job" not in text


@pytest.mark.parametrize("few", [1, 30, 100])
def test_both_ways_to_choose_choose_the_same(world: World, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(store, "FEW", few)
    for number in range(60):
        moment = at(-60 - (number * 7) % 60)
        asked = {"next_poll_at": at(number % 5 - 3), "status": "IN_PROGRESS"} if number % 3 else {}
        world.job(f"j{number:02}", started_at=moment, **asked)
    due = world.rows(
        f"SELECT id FROM stockx_batch_jobs WHERE coalesce(next_poll_at, '') <= '{at()}' ORDER BY started_at, id LIMIT 50"
    )
    assert world.chosen() == [job_id for (job_id,) in due]


def test_overdue_jobs_come_in_steps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "OVERDUE_AT_ONCE", 2)
    for number in range(5):
        world.job(f"j{number}", started_at=at(-1000 - number % 2))
    found, last = [], ("", "")
    while step := store.overdue_jobs(world.db, NOON, last):
        assert len(step) <= 2
        found += [job_id for _, job_id in step]
        last = step[-1]
    assert found == ["j1", "j3", "j0", "j2", "j4"]


# tables for other programs


def test_a_program_needs_four_columns_and_may_write_whole_seconds(world: World) -> None:
    world.db.execute(
        "INSERT INTO stockx_batch_jobs (id, user_id, job_type, stockx_operation_id) VALUES ('j', 'anna', 'x', 'op')"
    )
    assert world.rows("SELECT status, attempt, poll_count, next_poll_at FROM stockx_batch_jobs") == [
        ("PENDING", 1, 0, None)
    ]
    world.job("whole", started_at="2026-03-08T11:59:00Z", next_poll_at="2026-03-08T12:00:00Z")
    world.db.execute("UPDATE stockx_batch_jobs SET next_poll_at = '2026-03-08T12:00:01Z' WHERE id = 'whole'")
    assert world.rows("SELECT started_at, next_poll_at FROM stockx_batch_jobs WHERE id = 'whole'") == [
        ("2026-03-08T11:59:00.000Z", "2026-03-08T12:00:01.000Z")
    ]


@pytest.mark.parametrize("moment", ["yesterday", "2026-02-30T12:00:00.000Z", "2026-03-08T12:00:00+01:00", "1999-01-01"])
def test_a_moment_that_is_none_is_refused(world: World, moment: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        world.job("j", started_at=moment)


def test_a_program_may_name_any_type_of_job(world: World) -> None:
    world.job("j", job_type="polish_listing")
    world.say("j", word="completed", listing_id="L1")
    assert world.rows("SELECT status FROM stockx_batch_jobs") == [("COMPLETED",)]
    assert world.rows("SELECT * FROM stockx_listings") == []


# what is written


def test_a_completed_job_its_listing_and_its_history_are_written_together(world: World) -> None:
    world.job("j", stockx_listing_id=None)
    world.say("j", word="completed", listing_id="L1", amount=250, currency_code="USD", expires_at=NOON)
    assert world.rows("SELECT status, completed_at, stockx_listing_id, poll_count FROM stockx_batch_jobs") == [
        ("COMPLETED", at(0), "L1", 1)
    ]
    assert world.rows("SELECT * FROM stockx_listings") == [("L1", "anna", "ACTIVE", 250, "USD", at(0), at(0))]
    assert world.rows(
        "SELECT stockx_listing_id, job_id, action, status, changed_by, metadata FROM stockx_listing_history"
    ) == [("L1", "j", "create_listing", "COMPLETED", "pollctl", '{"operation_id": "op-j", "job_id": "j"}')]


def test_without_a_result_price_currency_and_expiry_are_kept(world: World) -> None:
    said: list[dict[str, Any]] = [{"amount": 250, "currency_code": "USD", "expires_at": NOON}, {}]
    for number, facts in enumerate(said):
        world.job(f"j{number}", stockx_listing_id="L1", job_type=["create_listing", "deactivate_listing"][number])
        world.say(f"j{number}", word="completed", **facts)
    assert world.rows("SELECT status, ask_price, currency_code, expires_at FROM stockx_listings") == [
        ("INACTIVE", 250, "USD", at(0))
    ]


def test_a_partial_success_says_so_in_the_history(world: World) -> None:
    world.job("j")
    world.say("j", word="partial_success", amount=1)
    assert world.rows("SELECT status, completed_at FROM stockx_batch_jobs") == [("PARTIAL", at(0))]
    ((status, partial),) = world.rows("SELECT status, metadata ->> 'partial' FROM stockx_listing_history")
    assert (status, partial) == ("PARTIAL", 1)


def test_a_failed_job_leaves_its_listing_and_keeps_the_error(world: World) -> None:
    world.job("j")
    world.say("j", word="failed", error_code="LOW", error_message="too low")
    assert world.rows("SELECT status, error_code, error_message, completed_at FROM stockx_batch_jobs") == [
        ("FAILED", "LOW", "too low", None)
    ]
    assert world.rows("SELECT count(*) FROM stockx_listings") == [(0,)]
    assert world.rows("SELECT status, metadata ->> '$.error.message' FROM stockx_listing_history") == [
        ("FAILED", "too low")
    ]


def test_a_timed_out_job_is_told_as_such_also_of_a_broken_account(world: World) -> None:
    world.account("broken", status="BROKEN")
    world.job("j", user_id="broken", started_at=at(-901))
    world.play(Batch(overdue=["j"]))
    assert world.rows("SELECT status, error_message FROM stockx_batch_jobs") == [
        ("FAILED", "Operation timed out after 15 minutes")
    ]
    assert world.rows("SELECT status, metadata ->> 'reason' FROM stockx_listing_history") == [("TIMEOUT", "timeout")]
    assert (world.run.stats["timed_out"], world.run.stats["processed"]) == (1, 1)


def test_what_is_postponed_leaves_no_history(world: World) -> None:
    world.job("j")
    world.say("j", word="processing")
    world.say("j", status=503, trouble="HTTP 503")
    world.say("j", status=429, trouble="HTTP 429")
    assert world.rows("SELECT status, next_poll_at, poll_count FROM stockx_batch_jobs") == [("IN_PROGRESS", at(60), 3)]
    assert world.rows("SELECT count(*) FROM stockx_listing_history") == [(0,)]
    assert (world.run.stats["in_progress"], world.run.stats["rate_limited"]) == (2, 1)


def test_a_rate_limited_job_is_not_chosen_at_59_seconds_and_chosen_at_60(world: World) -> None:
    world.job("j")
    world.say("j", status=429, trouble="HTTP 429", retry_after_s=1.0)
    assert (world.chosen(59), world.chosen(59.999), world.chosen(60)) == ([], [], ["j"])


def test_answers_that_come_twice_are_written_once(world: World) -> None:
    world.job("j")
    for _ in range(2):
        world.say("j", word="completed")
    assert world.rows("SELECT count(*) FROM stockx_listing_history") == [(1,)]
    assert world.run.stats["processed"] == 1
    assert len(world.run.effects) == 1


def test_a_retry_starts_a_new_attempt_with_a_history_of_its_own(world: World) -> None:
    world.job("j")
    world.say("j", word="failed")
    retry(world.db, "j", NOON + timedelta(hours=1))
    assert world.rows("SELECT status, attempt, started_at, next_poll_at, error_code FROM stockx_batch_jobs") == [
        ("PENDING", 2, at(3600), at(3600), None)
    ]
    assert world.chosen(3600) == ["j"]
    world.say("j", 3600, attempt=1, word="completed")
    assert world.rows("SELECT status FROM stockx_batch_jobs") == [("PENDING",)]
    world.say("j", 3600, attempt=2, word="failed")
    assert world.rows("SELECT action, status, attempt FROM stockx_listing_history ORDER BY id") == [
        ("create_listing", "FAILED", 1),
        ("retry", "PENDING", 2),
        ("create_listing", "FAILED", 2),
    ]


# rule 14


def test_the_accounts_own_addresses_go_first_then_the_sections_then_those_of_all(world: World) -> None:
    def recipients() -> list[str]:
        world.run.effects.clear()
        world.db.execute("UPDATE stockx_batch_jobs SET status = 'PENDING'")
        world.say("j", word="completed")
        return [lane for _, _, lane in world.run.effects.values()]

    world.job("j")
    assert recipients() == [""]
    world.run.addresses = (Secret("json://all.example.net"),)
    (of_all,) = recipients()
    world.run.settings = Settings(dialect="operations", notify=(Secret("json://section.example.net"),))
    (of_section,) = recipients()
    world.db.execute("INSERT INTO stockx_notify VALUES ('anna', 'json://anna.example.net')")
    (own,) = recipients()
    assert len({of_all, of_section, own}) == 3
    assert "example" not in str(world.run.effects)


def test_a_day_is_summed_up_once_and_for_users_who_had_jobs(world: World) -> None:
    world.account("boris")
    day = Day(name="2026-03-07", starts_at=NOON - timedelta(hours=36), ends_at=NOON - timedelta(hours=12))
    for number, status in enumerate(("COMPLETED", "FAILED", "PARTIAL", "IN_PROGRESS")):
        world.job(f"j{number}", status=status, started_at=to_text(day.starts_at + timedelta(hours=number)))
    world.job("late", user_id="boris", started_at=to_text(day.ends_at))
    world.play(Batch(day=day))
    assert {key: payload for key, (_, payload, _) in world.run.effects.items()} == {
        "daily_summary:anna:2026-03-07": {
            "user_id": "anna", "day": "2026-03-07", "jobs": 4, "completed": 1, "partial": 1, "failed": 1,
            "timed_out": 0, "open": 1, "recipient": None,
        }
    }  # fmt: skip
    assert store.is_summarised(world.db, "2026-03-07")


# rule 15


def test_numbers_without_data_are_null(world: World) -> None:
    found = stats(world.db)
    assert [found[name] for name in ("processed", *COUNTED)] == [0] * 7
    assert (found["mean_completion_seconds"], found["rate_limited_share"]) == (None, None)
    assert found["success_rate"]["create_listing"] is None


def test_numbers_tell_how_well_operations_end(world: World) -> None:
    for number, word in enumerate(("completed", "completed", "failed", "partial_success")):
        world.job(f"j{number}")
        world.say(f"j{number}", 30 * number, word=word)
    world.job("other", job_type="delete_listing")
    world.say("other", word="failed")
    world.db.execute("INSERT INTO runs VALUES ('stockx_ops', '{\"processed\": 8, \"rate_limited\": 2}')")
    found = stats(world.db)
    assert found["mean_completion_seconds"] == 75
    assert (found["success_rate"]["create_listing"], found["success_rate"]["delete_listing"]) == (0.5, 0)
    assert found["success_rate"]["activate_listing"] is None
    assert found["rate_limited_share"] == 0.25


# the property

WORDS = ["queued", "processing", "completed", "failed", "partial_success", "odd"]
steps = st.lists(
    st.one_of(
        st.builds(lambda word: {"word": word}, st.sampled_from(WORDS)),
        st.builds(
            lambda status: {"status": status, "trouble": f"HTTP {status}"},
            st.sampled_from([0, 200, 400, 401, 403, 404, 418, 422, 429, 500, 503]),
        ),
        st.just({"overdue": True}),
        st.just({"retry": True}),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=150)
@given(steps, st.integers(1, 300))
def test_whatever_is_answered_a_job_ends_at_most_once_an_attempt_with_exactly_one_row_for_it(
    steps: list[Any], pause: int
) -> None:
    world = World()
    try:
        world.job("j")
        terminal: set[tuple[int, str]] = set()
        for number, step in enumerate(steps):
            seconds = number * pause
            ((status, attempt),) = world.rows("SELECT status, attempt FROM stockx_batch_jobs")
            if "retry" in step:
                if status == "FAILED":
                    retry(world.db, "j", NOON + timedelta(seconds=seconds))
                continue
            facts = {"job_id": "j", "attempt": attempt, "connection": 1, "status": 200, **step}
            is_overdue = facts.pop("overdue", False)
            world.play(Batch(overdue=["j"]) if is_overdue else Batch(replies=[Reply(**facts)]), seconds)
            ((after,),) = world.rows("SELECT status FROM stockx_batch_jobs")
            if status not in ("PENDING", "IN_PROGRESS"):
                assert after == status
            if after not in ("PENDING", "IN_PROGRESS"):
                terminal.add((attempt, after))
        ended = Counter(attempt for attempt, _ in terminal)
        assert all(number == 1 for number in ended.values())
        rows = world.rows("SELECT attempt, status FROM stockx_listing_history WHERE action <> 'retry'")
        assert Counter(attempt for attempt, _ in rows) == ended
        assert {(attempt, "FAILED" if status == "TIMEOUT" else status) for attempt, status in rows} == terminal
        assert world.run.stats["processed"] == sum(world.run.stats[name] for name in COUNTED)
        assert sum(world.run.stats[name] for name in ("completed", "failed", "timed_out", "partial")) == len(terminal)
    finally:
        world.db.close()
