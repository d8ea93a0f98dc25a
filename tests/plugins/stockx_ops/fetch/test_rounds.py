"""Whole passes against a fake StockX: jobs are followed to their end, round by round."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from plugins.stockx_ops.place import Place, at

from pollctl import to_text
from pollctl_stockx_ops.fake import COMPLETED, OPEN, Reply

# rules 1 to 6, and both dialects


@pytest.mark.parametrize("dialect", ["v2", "operations"])
def test_an_operation_is_followed_to_its_end(place: Place, dialect: str) -> None:
    place.configure(dialect=dialect)
    place.upstream.script["op-1"] = [OPEN, Reply(state="completed", listing_id="L1", amount=250, currency="USD")]
    job_id = place.do("stockx-ops", "track", "op-1", "--user", "anna", "--type", "create_listing", "--listing", "L1")
    place.run(at(19.999))
    assert place.upstream.asked == []
    assert place.run(at(20))["stats"]["in_progress"] == 1
    place.run(at(39.999))
    assert place.run(at(40))["stats"]["completed"] == 1

    assert place.job(job_id.strip(), "status, completed_at, poll_count") == ("COMPLETED", at(40), 2)
    assert place.ask("listings") == [
        {"stockx_listing_id": "L1", "user_id": "anna", "status": "ACTIVE", "ask_price": 250, "currency_code": "USD",
         "expires_at": None, "updated_at": at(40)}
    ]  # fmt: skip
    assert [row["metadata"] for row in place.ask("history", "L1")] == [
        {"operation_id": "op-1", "job_id": job_id.strip()}
    ]
    assert place.effects("listing_live") == [(f"listing_live:{job_id.strip()}:1", "delivered", "no address")]


def test_a_job_at_exactly_fifteen_minutes_is_polled_and_a_millisecond_later_it_times_out(place: Place) -> None:
    place.insert("exact", started_at=at(-900))
    place.insert("late", started_at=at(-900.001))
    report = place.run(at(0))
    assert place.upstream.asked == ["op-exact"]
    assert (report["stats"]["completed"], report["stats"]["timed_out"], report["stats"]["processed"]) == (1, 1, 2)
    assert place.job("late") == ("FAILED", "timeout", "Operation timed out after 15 minutes")
    assert [status for status, _ in place.history("late")] == ["TIMEOUT"]


def test_of_sixty_due_the_fifty_oldest_are_asked_about(place: Place) -> None:
    for number in range(60):
        place.insert(f"{number:02}", started_at=at(-100 + number))
    place.run()
    assert sorted(place.upstream.asked) == [f"op-{number:02}" for number in range(50)]


def test_an_unknown_word_is_in_progress_with_a_warning(place: Place) -> None:
    place.upstream.script["op-j"] = [Reply(state="PONDERING\x1b[31m")]
    place.insert("j")
    assert place.run()["stats"]["in_progress"] == 1
    assert "unknown state 'PONDERING [31m'" in place.stderr


def test_a_second_pass_after_completion_makes_no_request_and_no_row(place: Place) -> None:
    place.insert("j")
    place.run()
    before = place.sql("SELECT * FROM stockx_listing_history"), list(place.upstream.asked)
    report = place.run(at(600))
    assert (report["decisions"], report["stats"]["processed"]) == (0, 0)
    assert (place.sql("SELECT * FROM stockx_listing_history"), list(place.upstream.asked)) == before


def test_a_window_goes_on_asking(place: Place) -> None:
    place.configure(window="2500ms", poll_delay="500ms")
    place.upstream.script = {"op-j": [OPEN, COMPLETED]}
    place.insert("j", started_at=to_text(datetime.now(UTC)))
    report = place.run(now="@" + to_text(datetime.now(UTC)))
    assert report["stats"]["completed"] == 1
    assert report["stats"]["in_progress"] == 1


def test_jobs_without_the_settings_that_asking_needs_are_named_and_still_time_out(place: Place) -> None:
    place.configure(api_key="")
    place.insert("j")
    place.insert("late", started_at=at(-1000))
    report = place.run(code=1)
    assert 'write api_key = { env = "STOCKX_API_KEY" }' in report["error"]["message"]
    assert place.job("late", "status") == "FAILED"


def test_a_job_that_a_person_ends_while_it_is_asked_about_stays_as_they_left_it(place: Place) -> None:
    place.upstream.script = {"op-j": [Reply(state="completed", delay=1)]}
    place.insert("j")

    def cancel() -> None:
        while not place.upstream.asked:
            threading.Event().wait(0.01)
        place.sql("UPDATE stockx_batch_jobs SET status = 'FAILED', error_code = 'by_hand'")

    person = threading.Thread(target=cancel)
    person.start()
    report = place.run()
    person.join()
    assert report["stats"]["processed"] == 0
    assert (place.job("j")[1], place.history("j")) == ("by_hand", [])
