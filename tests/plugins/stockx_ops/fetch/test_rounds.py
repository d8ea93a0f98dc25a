"""Whole passes against a fake StockX: jobs are followed to their end, round by round."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from plugins.stockx_ops.place import Place, at

from pollctl import to_text
from pollctl_stockx_ops import pollctl_poller
from pollctl_stockx_ops.fake import COMPLETED, OPEN, Reply
from pollctl_stockx_ops.model import Settings

pytestmark = pytest.mark.slow

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


def test_at_exactly_fifteen_minutes_a_job_that_is_open_goes_on_and_a_millisecond_later_it_times_out(
    place: Place,
) -> None:
    place.upstream.otherwise = OPEN
    place.insert("exact", started_at=at(-900))
    place.insert("late", started_at=at(-900.001))
    report = place.run(at(0))
    assert sorted(place.upstream.asked) == ["op-exact", "op-late"]
    assert (report["stats"]["in_progress"], report["stats"]["timed_out"], report["stats"]["processed"]) == (1, 1, 2)
    assert place.job("late") == ("FAILED", "timeout", "Operation timed out after 15 minutes")
    assert place.job("late", "completed_at") == at(0)
    assert [status for status, _ in place.history("late")] == ["TIMEOUT"]


@pytest.mark.parametrize("had_a_pass", [True, False], ids=["asked about before", "never asked about"])
def test_jobs_that_ended_while_no_pass_ran_are_asked_once_and_believed(place: Place, had_a_pass: bool) -> None:
    for number in range(3):
        place.insert(f"j{number}", started_at=at(0))
    place.upstream.otherwise = OPEN
    if had_a_pass:
        place.run(at(30))
    place.upstream.otherwise = COMPLETED
    place.upstream.asked.clear()
    stats = place.run(at(1230))["stats"]
    assert sorted(place.upstream.asked) == ["op-j0", "op-j1", "op-j2"]
    assert (stats["completed"], stats["timed_out"], stats["processed"]) == (3, 0, 3)
    assert place.job("j0", "status, completed_at, error_code") == ("COMPLETED", at(1230), None)
    assert [row["status"] for row in place.ask("listings")] == ["ACTIVE"] * 3
    assert [status for status, _ in place.history("j2")] == ["ACTIVE"]

    place.upstream.asked.clear()
    assert place.run(at(1290))["stats"]["processed"] == 0
    assert (place.upstream.asked, len(place.ask("history"))) == ([], 3)


def test_a_job_that_was_asked_about_after_its_time_fails_without_a_request(place: Place) -> None:
    place.upstream.otherwise = OPEN
    place.insert("j", started_at=at(0))
    place.run(at(600))
    place.configure(give_up_after="5m")
    place.upstream.asked.clear()
    assert place.run(at(660))["stats"]["timed_out"] == 1
    assert (place.upstream.asked, place.job("j", "error_message")) == ([], "Operation timed out after 5 minutes")


def test_a_job_that_cannot_be_asked_about_for_a_day_times_out(place: Place) -> None:
    place.upstream.otherwise = Reply(status=503)
    place.insert("j", started_at=at(0))
    assert place.run(at(1000), code=1)["stats"]["in_progress"] == 1
    assert place.run(at(86_400), code=1)["stats"]["in_progress"] == 1
    assert place.run(at(86_420), code=1)["stats"]["timed_out"] == 1
    assert [status for status, _ in place.history("j")] == ["TIMEOUT"]


def test_those_that_waited_longest_are_asked_first(place: Place) -> None:
    place.upstream.otherwise = OPEN
    place.insert("old", started_at=at(-300), next_poll_at=at(-10), status="IN_PROGRESS")
    place.insert("waiting", started_at=at(-200), next_poll_at=at(-50), status="IN_PROGRESS")
    place.insert("new", started_at=at(-60))
    place.configure(rate="100/s")
    place.run()
    assert place.upstream.asked == ["op-waiting", "op-new", "op-old"]


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
    place.configure(window="2500ms", poll_delay="500ms", round_every="1s")
    place.upstream.script = {"op-j": [OPEN, COMPLETED]}
    place.insert("j", started_at=to_text(datetime.now(UTC)))
    report = place.run(now="@" + to_text(datetime.now(UTC)))
    assert report["stats"]["completed"] == 1
    assert report["stats"]["in_progress"] == 1


def test_a_round_follows_another_after_round_every_while_anything_is_open(place: Place) -> None:
    place.configure(window="30s", poll_delay="500ms", round_every="2s")
    place.upstream.script = {"op-j": [OPEN, OPEN, COMPLETED]}
    place.insert("j", started_at=to_text(datetime.now(UTC) - timedelta(seconds=5)))
    began = time.monotonic()
    assert place.run(now="@" + to_text(datetime.now(UTC)))["stats"]["completed"] == 1
    assert time.monotonic() - began < 15
    questions = place.upstream.arrivals[-3:]
    assert min(later - earlier for earlier, later in pairwise(questions)) > 1.8


def test_under_a_crontab_of_one_line_a_minute_an_operation_is_asked_about_every_thirty_seconds() -> None:
    facts = pollctl_poller()
    assert (facts.schedule, facts.defaults["window"]) == ("* * * * *", "50s")
    assert Settings().round_every == timedelta(seconds=30)


def test_with_the_default_settings_a_pass_asks_twice_thirty_seconds_apart(place: Place) -> None:
    (place.folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{place.upstream.settings()}\n')
    place.upstream.otherwise = OPEN
    place.insert("j", started_at=to_text(datetime.now(UTC) - timedelta(seconds=20)))
    began = time.monotonic()
    assert place.run(now="@" + to_text(datetime.now(UTC)))["stats"]["in_progress"] == 2
    assert 30 < time.monotonic() - began < 50
    first, second = place.upstream.arrivals[-2:]
    assert second - first == pytest.approx(30, abs=5)  # the first waits for a token


def test_jobs_without_the_settings_that_asking_needs_are_named_and_time_out_after_a_day(place: Place) -> None:
    place.configure(api_key="")
    place.insert("j")
    place.insert("late", started_at=at(-1000))
    place.insert("lost", started_at=at(-86_400.001))
    report = place.run(code=1)
    assert 'write api_key = { env = "STOCKX_API_KEY" }' in report["error"]["message"]
    assert [place.job(name, "status") for name in ("j", "late", "lost")] == ["PENDING", "IN_PROGRESS", "FAILED"]


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
