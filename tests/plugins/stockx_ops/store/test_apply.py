"""What decisions write, on a real database."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.stockx_ops.place import NOON, at
from plugins.stockx_ops.world import World

from pollctl_stockx_ops.model import COUNTERS, Batch, Response
from pollctl_stockx_ops.store.tracking import retry


def test_a_completed_job_its_listing_and_its_history_are_written_together(world: World) -> None:
    world.job("j", stockx_listing_id=None)
    world.answer("j", word="completed", listing_id="L1", amount=250, currency_code="USD", expires_at=NOON)
    assert world.rows("SELECT status, completed_at, stockx_listing_id, poll_count FROM stockx_batch_jobs") == [
        ("COMPLETED", at(0), "L1", 1)
    ]
    assert world.rows("SELECT * FROM stockx_listings") == [("L1", "anna", "ACTIVE", 250, "USD", at(0), at(0))]
    assert world.rows(
        "SELECT stockx_listing_id, job_id, action, status, changed_by, metadata FROM stockx_listing_history"
    ) == [("L1", "j", "create_listing", "ACTIVE", "pollctl", '{"operation_id": "op-j", "job_id": "j"}')]


def test_without_a_result_price_currency_and_expiry_are_kept(world: World) -> None:
    results: list[dict[str, Any]] = [{"amount": 250, "currency_code": "USD", "expires_at": NOON}, {}]
    for number, facts in enumerate(results):
        world.job(f"j{number}", stockx_listing_id="L1", job_type=["create_listing", "deactivate_listing"][number])
        world.answer(f"j{number}", word="completed", **facts)
    assert world.rows("SELECT status, ask_price, currency_code, expires_at FROM stockx_listings") == [
        ("INACTIVE", 250, "USD", at(0))
    ]


def test_a_price_that_cannot_be_read_is_kept_with_its_currency(world: World) -> None:
    unread = ["the amount '129.5' is not one of whole units"]
    answers: list[dict[str, Any]] = [
        {"amount": 250, "currency_code": "USD"},
        {"currency_code": "GBP", "unread": unread},
    ]
    for number, facts in enumerate(answers):
        world.job(f"j{number}", stockx_listing_id="L1", job_type="update_listing")
        world.answer(f"j{number}", word="completed", **facts)
    world.job("new")
    world.answer("new", word="completed", currency_code="GBP", unread=unread)
    assert world.rows("SELECT ask_price, currency_code FROM stockx_listings ORDER BY stockx_listing_id") == [
        (250, "USD"), (None, "GBP")
    ]  # fmt: skip


def test_a_partial_success_says_so_in_the_history(world: World) -> None:
    world.job("j")
    world.answer("j", word="partial_success", amount=1, error_code="S9", error_message="size 9 refused")
    assert world.rows("SELECT status, completed_at, error_code, error_message FROM stockx_batch_jobs") == [
        ("PARTIAL", at(0), "S9", "size 9 refused")
    ]
    ((status, partial, why),) = world.rows(
        "SELECT status, metadata ->> 'partial', metadata ->> '$.error.message' FROM stockx_listing_history"
    )
    assert (status, partial, why) == ("PARTIAL", 1, "size 9 refused")


def test_what_could_not_be_read_stands_in_the_history_and_is_counted(world: World) -> None:
    world.job("j0")
    world.job("j1")
    world.answer("j0", word="completed", unread=["the amount 150.5 is not one of whole units"])
    world.answer("j1", word="failed", unread=["the error holds no text", "changes is not an object"])
    assert world.rows("SELECT metadata ->> 'warnings' FROM stockx_listing_history ORDER BY id") == [
        ('["the amount 150.5 is not one of whole units"]',),
        ('["the error holds no text","changes is not an object"]',),
    ]
    assert (world.run.stats["warnings"], world.run.stats["processed"]) == (3, 2)


def test_answers_403_are_counted_at_their_job_until_another_answer_comes(world: World) -> None:
    def counted() -> Any:
        return world.rows("SELECT forbidden_count, forbidden_since, asked_at, status FROM stockx_batch_jobs")[0]

    world.job("j")
    for number in range(3):
        world.answer("j", 60 * number, status=403, error="HTTP 403", is_singled_out=number != 1)
    assert counted() == (2, at(0), None, "IN_PROGRESS")
    world.answer("j", 180, word="processing")
    assert counted() == (0, None, at(180), "IN_PROGRESS")
    for number in range(6):
        world.answer("j", 200 + 60 * number, status=403, error="HTTP 403", is_singled_out=True)
    assert counted()[3] == "FAILED"
    retry(world.db, "j", NOON + timedelta(hours=1))
    assert counted() == (0, None, None, "PENDING")


def test_a_failed_job_leaves_its_listing_and_keeps_the_error(world: World) -> None:
    world.job("j")
    world.answer("j", word="failed", error_code="LOW", error_message="too low")
    assert world.rows("SELECT status, error_code, error_message, completed_at FROM stockx_batch_jobs") == [
        ("FAILED", "LOW", "too low", at(0))
    ]
    assert world.rows("SELECT count(*) FROM stockx_listings") == [(0,)]
    assert world.rows("SELECT status, metadata ->> '$.error.message' FROM stockx_listing_history") == [
        ("FAILED", "too low")
    ]


def test_a_timed_out_job_is_written_as_such_also_of_a_broken_account(world: World) -> None:
    world.account("broken", status="BROKEN")
    world.job("j", user_id="broken", started_at=at(-901))
    world.decide_batch(Batch(overdue=["j"]))
    assert world.rows("SELECT status, error_message FROM stockx_batch_jobs") == [
        ("FAILED", "Operation timed out after 15 minutes")
    ]
    assert world.rows("SELECT status, metadata ->> 'reason' FROM stockx_listing_history") == [("TIMEOUT", "timeout")]
    assert (world.run.stats["timed_out"], world.run.stats["processed"]) == (1, 1)


def test_what_is_postponed_leaves_no_history(world: World) -> None:
    world.job("j")
    world.answer("j", word="processing")
    world.answer("j", status=503, error="HTTP 503")
    world.answer("j", status=429, error="HTTP 429")
    assert world.rows("SELECT status, next_poll_at, poll_count FROM stockx_batch_jobs") == [("IN_PROGRESS", at(60), 3)]
    assert world.rows("SELECT count(*) FROM stockx_listing_history") == [(0,)]
    assert (world.run.stats["in_progress"], world.run.stats["rate_limited"]) == (2, 1)


def test_a_rate_limited_job_is_not_chosen_at_59_seconds_and_chosen_at_60(world: World) -> None:
    world.job("j")
    world.answer("j", status=429, error="HTTP 429", retry_after_s=1.0)
    assert (world.chosen(59), world.chosen(59.999), world.chosen(60)) == ([], [], ["j"])


def test_answers_that_come_twice_are_written_once(world: World) -> None:
    world.job("j")
    for _ in range(2):
        world.answer("j", word="completed")
    assert world.rows("SELECT count(*) FROM stockx_listing_history") == [(1,)]
    assert world.run.stats["processed"] == 1
    assert len(world.run.messages) == 1


def test_a_retry_starts_a_new_attempt_with_a_history_of_its_own(world: World) -> None:
    world.job("j")
    world.answer("j", word="failed")
    retry(world.db, "j", NOON + timedelta(hours=1))
    assert world.rows("SELECT status, attempt, started_at, next_poll_at, error_code FROM stockx_batch_jobs") == [
        ("PENDING", 2, at(3600), at(3600), None)
    ]
    assert world.chosen(3600) == ["j"]
    world.answer("j", 3600, attempt=1, word="completed")
    assert world.rows("SELECT status FROM stockx_batch_jobs") == [("PENDING",)]
    world.answer("j", 3600, attempt=2, word="failed")
    assert world.rows("SELECT action, status, attempt FROM stockx_listing_history ORDER BY id") == [
        ("create_listing", "FAILED", 1),
        ("retry", "PENDING", 2),
        ("create_listing", "FAILED", 2),
    ]


# the property


WORDS = ["queued", "processing", "completed", "failed", "partial_success", "odd"]

steps = st.lists(
    st.one_of(
        st.builds(lambda word: {"word": word}, st.sampled_from(WORDS)),
        st.builds(
            lambda status: {"status": status, "error": f"HTTP {status}"},
            st.sampled_from([0, 200, 400, 401, 403, 404, 418, 422, 429, 500, 503]),
        ),
        st.just({"status": 403, "error": "HTTP 403", "is_singled_out": True}),
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
            world.decide_batch(Batch(overdue=["j"]) if is_overdue else Batch(responses=[Response(**facts)]), seconds)
            ((after,),) = world.rows("SELECT status FROM stockx_batch_jobs")
            if status not in ("PENDING", "IN_PROGRESS"):
                assert after == status
            if after not in ("PENDING", "IN_PROGRESS"):
                terminal.add((attempt, after))
        ended = Counter(attempt for attempt, _ in terminal)
        assert all(number == 1 for number in ended.values())
        rows = world.rows("SELECT attempt, status FROM stockx_listing_history WHERE action <> 'retry'")
        assert Counter(attempt for attempt, _ in rows) == ended
        ends = {"TIMEOUT": "FAILED", "ACTIVE": "COMPLETED"}  # the others are named alike
        assert {(attempt, ends.get(status, status)) for attempt, status in rows} == terminal
        assert world.run.stats["processed"] == sum(world.run.stats[name] for name in COUNTERS)
        assert sum(world.run.stats[name] for name in ("completed", "failed", "timed_out", "partial")) == len(terminal)
    finally:
        world.db.close()
