"""Whole passes against a fake StockX on the loopback."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pollctl import to_text
from pollctl_stockx_ops.fake import COMPLETED, LOST, OPEN, FakeStockX, Reply

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
TOKEN_TROUBLE = Reply(status=503, body=b"{}")


def at(seconds: float = 0) -> str:
    """A moment so many seconds after noon, as the database keeps it."""
    return to_text(NOON + timedelta(seconds=seconds))


# rules 1 to 6, and both dialects


@pytest.mark.parametrize("dialect", ["v2", "operations"])
def test_an_operation_is_followed_to_its_end(place: Any, dialect: str) -> None:
    place.settle(dialect=dialect)
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


def test_a_job_at_exactly_fifteen_minutes_is_polled_and_a_millisecond_later_it_times_out(place: Any) -> None:
    place.insert("exact", started_at=at(-900))
    place.insert("late", started_at=at(-900.001))
    report = place.run(at(0))
    assert place.upstream.asked == ["op-exact"]
    assert (report["stats"]["completed"], report["stats"]["timed_out"], report["stats"]["processed"]) == (1, 1, 2)
    assert place.job("late") == ("FAILED", "timeout", "Operation timed out after 15 minutes")
    assert [status for status, _ in place.history("late")] == ["TIMEOUT"]


def test_of_sixty_due_the_fifty_oldest_are_asked_about(place: Any) -> None:
    for number in range(60):
        place.insert(f"{number:02}", started_at=at(-100 + number))
    place.run()
    assert sorted(place.upstream.asked) == [f"op-{number:02}" for number in range(50)]


def test_an_unknown_word_is_in_progress_with_a_warning(place: Any) -> None:
    place.upstream.script["op-j"] = [Reply(state="PONDERING\x1b[31m")]
    place.insert("j")
    assert place.run()["stats"]["in_progress"] == 1
    assert "unknown state 'PONDERING [31m'" in place.stderr


def test_a_second_pass_after_completion_makes_no_request_and_no_row(place: Any) -> None:
    place.insert("j")
    place.run()
    before = place.sql("SELECT * FROM stockx_listing_history"), list(place.upstream.asked)
    report = place.run(at(600))
    assert (report["decisions"], report["stats"]["processed"]) == (0, 0)
    assert (place.sql("SELECT * FROM stockx_listing_history"), list(place.upstream.asked)) == before


# rule 7


def test_a_401_is_refreshed_once_and_asked_again(place: Any) -> None:
    for number in range(3):
        place.insert(f"j{number}")
    place.upstream.script = {f"op-j{number}": [OPEN, COMPLETED] for number in range(3)}
    place.run(at(0))
    place.upstream.spoil_tokens()
    place.upstream.asked.clear()
    report = place.run(at(20))
    assert report["stats"]["completed"] == 3
    assert len(place.upstream.refreshes) == 2
    assert sorted(place.upstream.asked) == ["op-j0", "op-j0", "op-j1", "op-j2"]


def test_a_login_refused_twice_fails_one_job_breaks_the_account_and_is_told_once(place: Any) -> None:
    place.connect("boris")
    for number in range(5):
        place.insert(f"a{number}", started_at=at(-100 + number))
    place.insert("b", user="boris")
    place.upstream.barred.add("anna")
    report = place.run(at(0), code=3)

    assert place.job("a0") == ("FAILED", "authentication_failed", "StockX authentication failed")
    assert [place.job(f"a{number}", "status") for number in range(1, 5)] == ["PENDING"] * 4
    assert place.job("b", "status") == "COMPLETED"
    assert "account anna: StockX refuses its login" in report["error"]["message"]
    assert place.sql("SELECT user_id, status FROM stockx_accounts") == [("anna", "BROKEN"), ("boris", "ACTIVE")]
    assert [status for status, _ in place.history("a0")] == ["FAILED"]
    assert place.effects("auth_failed") == [("auth_failed:anna:1", "delivered", "no address")]
    assert sorted(place.upstream.asked) == ["op-a0", "op-b"]
    assert len(place.upstream.refreshes) == 2

    place.run(at(60))
    assert sorted(place.upstream.asked) == ["op-a0", "op-b"]
    assert len(place.effects("auth_failed")) == 1
    assert place.run(at(900.001))["stats"]["timed_out"] == 4


def test_a_token_that_was_good_before_is_refreshed_and_asked_with_once_before_the_account_breaks(place: Any) -> None:
    place.upstream.script = {"op-j": [OPEN, COMPLETED]}
    place.insert("j")
    place.run(at(0))
    place.upstream.barred.add("anna")
    place.upstream.asked.clear()
    place.run(at(20), code=1)
    assert place.upstream.asked == ["op-j", "op-j"]
    assert len(place.upstream.refreshes) == 2
    assert place.job("j")[1] == "authentication_failed"


def test_a_broken_account_works_again_once_it_is_connected_anew_and_may_break_and_tell_again(place: Any) -> None:
    place.insert("j")
    place.upstream.barred.add("anna")
    place.run(at(0), code=1)
    place.do("stockx-ops", "retry", "j", now=at(10))
    place.connect("anna")
    place.run(at(10), code=1)
    assert [key for key, _, _ in place.effects("auth_failed")] == ["auth_failed:anna:1", "auth_failed:anna:2"]
    place.upstream.barred.clear()
    place.do("stockx-ops", "retry", "j", now=at(20))
    place.connect("anna")
    assert place.run(at(20))["stats"]["completed"] == 1


def test_invalid_grant_expires_the_account_and_its_jobs_keep_their_state(place: Any) -> None:
    place.insert("j")
    place.upstream.users.clear()
    report = place.run(code=1)
    assert place.sql("SELECT status FROM stockx_accounts") == [("EXPIRED",)]
    assert place.job("j", "status, poll_count, next_poll_at") == ("PENDING", 0, None)
    assert (report["stats"]["processed"], place.upstream.asked) == (0, [])
    assert "its login has expired" in report["error"]["message"]


def test_a_token_endpoint_that_fails_postpones_the_jobs_of_its_account_only(place: Any) -> None:
    place.connect("boris")
    place.insert("a1")
    place.insert("a2")
    place.insert("b", user="boris")
    place.upstream.token_replies = [TOKEN_TROUBLE]
    report = place.run(code=3)
    assert place.job("b", "status") == "COMPLETED"
    assert {place.job(job, "status, next_poll_at") for job in ("a1", "a2")} == {("IN_PROGRESS", at(20))}
    assert place.history("a1") == []
    assert len(place.upstream.refreshes) == 2
    assert report["stats"] == {
        "processed": 3, "completed": 1, "in_progress": 2, "failed": 0, "timed_out": 0, "partial": 0, "rate_limited": 0
    }  # fmt: skip


def test_a_token_near_its_end_is_refreshed_beforehand_and_one_with_time_is_kept(place: Any) -> None:
    place.upstream.lifetime = 100
    place.upstream.script = {"op-j": [OPEN]}
    place.insert("j", started_at=at(-20))
    place.run(at(0))
    place.run(at(39.999))
    assert len(place.upstream.refreshes) == 1
    place.run(at(60))
    assert len(place.upstream.refreshes) == 2


def test_a_new_refresh_token_takes_the_place_of_the_old_one(place: Any) -> None:
    place.upstream.rotates = True
    place.upstream.lifetime = 60
    place.upstream.script = {"op-j": [OPEN]}
    place.insert("j", started_at=at(-20))
    for number in range(4):
        place.run(at(20 * number))
    assert len(set(place.upstream.refreshes)) == 4
    assert place.job("j", "poll_count") == 4


def test_a_revoked_account_is_forgotten(place: Any) -> None:
    place.insert("j")
    place.do("stockx-ops", "account", "revoke", "anna")
    place.run()
    assert (place.upstream.asked, place.upstream.refreshes) == ([], [])
    assert place.sql("SELECT status, access_token, refresh_token FROM stockx_accounts") == [("REVOKED", None, None)]


# rule 8


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 60),
        ("5", 60),
        ("120", 120),
        ("90.5", 90.5),
        ("Sun, 08 Mar 2026 12:03:00 GMT", 180),
        ("Sun, 08 Mar 2026 11:00:00 GMT", 60),
        ("-3", 60),
        ("whenever", 60),
    ],
)
def test_a_429_with_every_form_of_retry_after(place: Any, header: str | None, seconds: float) -> None:
    headers = {} if header is None else {"Retry-After": header}
    place.upstream.script = {"op-j1": [Reply(status=429, headers=headers), COMPLETED]}
    place.insert("j1", started_at=at(-100))
    place.insert("j2")
    report = place.run(at(0))
    assert place.upstream.asked == ["op-j1"]
    assert (report["stats"]["rate_limited"], report["stats"]["processed"]) == (1, 1)
    assert place.job("j1", "status, next_poll_at") == ("IN_PROGRESS", at(seconds))
    assert place.job("j2", "status, poll_count") == ("PENDING", 0)
    assert place.history("j1") == []

    place.sql("DELETE FROM stockx_batch_jobs WHERE id = 'j2'")
    place.run(at(seconds - 1))
    assert place.upstream.asked == ["op-j1"]
    assert place.run(at(seconds))["stats"]["completed"] == 1


def test_with_a_retry_after_no_request_at_all_starts_before_it(place: Any) -> None:
    place.upstream.script = {"op-j1": [Reply(status=429, headers={"Retry-After": "300"}), COMPLETED]}
    place.insert("j1", started_at=at(-100))
    place.insert("j2")
    place.run(at(0))
    report = place.run(at(299.999))
    assert (place.upstream.asked, report["outcome"]) == (["op-j1"], "ok")
    assert place.run(at(300))["stats"]["completed"] == 2


def test_a_503_with_a_retry_after_is_obeyed_by_later_passes_too(place: Any) -> None:
    place.upstream.script = {"op-j": [Reply(status=503, headers={"Retry-After": "100"}), COMPLETED]}
    place.insert("j")
    place.run(at(0), code=1)
    assert place.job("j", "status, next_poll_at") == ("IN_PROGRESS", at(20))
    place.run(at(99))
    assert place.upstream.asked == ["op-j"]
    assert place.run(at(100))["stats"]["completed"] == 1


# rules 9 and 11


def test_one_jobs_surprise_stops_no_other_and_is_named(place: Any) -> None:
    place.settle(core='[pollctl.http]\ntimeout = "500ms"')
    surprises = {
        "html": Reply(body=b"<html>"),
        "list": Reply(body=b"[]"),
        "none": Reply(body=b""),
        "lost": LOST,
        "slow": Reply(delay=3),
        "teapot": Reply(status=418),
        "broken": Reply(status=500),
        "moved": Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    }
    place.upstream.script = {f"op-{name}": [reply] for name, reply in surprises.items()}
    for name in (*surprises, "good"):
        place.insert(name)
    place.insert("odd", stockx_operation_id="op\nodd")
    report = place.run(code=3)

    assert place.job("good", "status") == "COMPLETED"
    found = {name: place.job(name, "status, next_poll_at") for name in (*surprises, "odd")}
    assert set(found.values()) == {("IN_PROGRESS", at(20))}
    assert (report["outcome"], report["stats"]["in_progress"], report["stats"]["completed"]) == ("partial", 9, 1)
    assert "job html: unreadable answer" in report["error"]["message"]
    assert place.upstream.asked.count("op-lost") == 1


@pytest.mark.parametrize(
    ("reply", "code", "message"),
    [
        (Reply(status=404), "operation_not_found", "Operation not found"),
        (Reply(status=400, message="no such currency"), "bad_request", "no such currency"),
        (Reply(status=403, message="not yours"), "forbidden", "not yours"),
        (Reply(status=422, message="too low"), "unprocessable", "too low"),
        (Reply(state="failed", error="too low"), "operation_failed", "too low"),
        (Reply(state="failed", error={"code": "LOW", "message": "too low"}), "LOW", "too low"),
        (Reply(state="failed"), "operation_failed", "Unknown error"),
    ],
    ids=str,
)
def test_what_is_refused_for_good_fails_the_job(place: Any, reply: Reply, code: str, message: str) -> None:
    place.upstream.script = {"op-j": [reply]}
    place.insert("j")
    report = place.run()
    assert (report["outcome"], report["stats"]["failed"]) == ("ok", 1)
    assert place.job("j") == ("FAILED", code, message)
    ((status, metadata),) = place.history("j")
    assert (status, metadata["error"]) == ("FAILED", {"code": code, "message": message})


# rules 12 and 13


def test_without_a_listing_v2_refuses_to_track_and_a_job_of_another_program_times_out(place: Any) -> None:
    place.do("stockx-ops", "track", "op", "--user", "anna", "--type", "create_listing", code=2)
    assert "cannot ask about an operation without its listing" in place.stderr
    place.insert("j", stockx_listing_id=None)
    assert place.run(at(0))["stats"]["processed"] == 0
    assert place.run(at(840))["stats"]["processed"] == 0
    assert place.run(at(840.001))["stats"]["timed_out"] == 1
    assert place.upstream.asked == []


def test_a_retried_job_is_asked_about_at_once(place: Any) -> None:
    place.upstream.script = {"op-j": [Reply(state="failed"), COMPLETED]}
    place.insert("j")
    place.run(at(0))
    place.do("stockx-ops", "retry", "j", now=at(5))
    assert place.job("j", "status, started_at, attempt") == ("PENDING", at(5), 2)
    place.run(at(5))
    assert [status for status, _ in place.history("j")] == ["FAILED", "PENDING", "COMPLETED"]
    place.do("stockx-ops", "retry", "j", now=at(6), code=1)
    assert "job j is COMPLETED; only a FAILED one can be retried" in place.stderr


# rule 14


def test_each_address_is_told_once_of_a_listing_that_is_live_and_no_address_is_shown(
    place: Any, httpserver: Any
) -> None:
    httpserver.expect_request("/one").respond_with_data("ok")
    httpserver.expect_request("/two").respond_with_data("ok")
    urls = [f"json://{httpserver.host}:{httpserver.port}/{path}" for path in ("one", "two")]
    place.connect("anna", "--notify", urls[0], "--notify", urls[1])
    place.settle(notify=[f"json://{httpserver.host}:{httpserver.port}/never"])
    place.insert("j")
    place.run_apart(at(0))
    place.run_apart(at(30))
    told = sorted((request.path, request.get_json()["title"]) for request, _ in httpserver.log)
    assert told == [("/one", "StockX: listing listing-j is live"), ("/two", "StockX: listing listing-j is live")]
    assert str(httpserver.port) not in place.do("outbox", "list", "--json") + place.do("stockx-ops", "account", "list")


def test_the_addresses_of_pollctl_notify_are_told_when_there_are_no_others(place: Any, httpserver: Any) -> None:
    httpserver.expect_request("/all").respond_with_data("ok")
    place.settle(core=f'[pollctl.notify]\nurls = ["json://{httpserver.host}:{httpserver.port}/all"]')
    place.insert("j")
    place.run_apart()
    assert [request.path for request, _ in httpserver.log] == ["/all"]


def test_yesterday_is_summed_up_in_the_first_pass_after_midnight_of_the_plugins_zone(place: Any) -> None:
    place.settle(timezone="America/New_York")
    place.connect("boris")
    place.insert("j1", started_at="2026-03-08T11:00:00.000Z")
    place.insert("j2", started_at="2026-03-08T04:59:59.999Z")  # still the 7th in New York
    for now, keys in (
        ("2026-03-08T13:00:00Z", ["daily_summary:anna:2026-03-07"]),
        ("2026-03-09T03:59:59.999Z", []),
        ("2026-03-09T04:00:00Z", ["daily_summary:anna:2026-03-08"]),
        ("2026-03-09T04:00:30Z", []),
        ("2026-03-10T12:00:00Z", []),
    ):
        before = len(place.effects("daily_summary"))
        place.run(now)
        assert [key for key, _, _ in place.effects("daily_summary")[before:]] == keys, now


# the rest of the promise


def test_no_secret_reaches_recordings_effects_or_output(place: Any) -> None:
    place.settle(core='record = "all"')
    place.upstream.script = {"op-j2": [Reply(status=403, message="bad key fake-api-key of refresh-anna-start")]}
    for number in range(3):
        place.insert(f"j{number}")
    place.run(at(0))
    access = place.sql("SELECT access_token, refresh_token FROM stockx_accounts")[0]
    shown = json.dumps(
        place.sql("SELECT * FROM recordings")
        + place.sql("SELECT * FROM outbox")
        + place.sql("SELECT * FROM stockx_batch_jobs")
        + place.sql("SELECT * FROM stockx_listing_history")
    )
    shown += place.do("show", place.sql("SELECT id FROM runs")[0][0], "--json") + place.do(
        "stockx-ops", "account", "list", "--json"
    )
    for secret in (*access, "fake-api-key", "fake-client-secret"):
        assert secret not in shown
    assert ": same" in place.do("replay", "--all")


def test_a_plan_writes_nothing_refreshes_nothing_and_asks_what_it_can(place: Any) -> None:
    place.insert("j")
    planned = json.loads(place.do("plan", "stockx_ops", "--json", code=1))
    assert "must be refreshed, which a plan does not do" in planned["error"]["message"]
    assert place.upstream.refreshes == []

    place.upstream.script = {"op-first": [OPEN]}
    place.insert("first")
    place.upstream.otherwise = OPEN
    place.run(at(0))
    place.upstream.otherwise = COMPLETED
    before = place.sql("SELECT * FROM stockx_batch_jobs")
    planned = json.loads(place.do("plan", "stockx_ops", "--json", now=at(30)))
    assert {decision["type"] for decision in planned["decisions"]} == {"CompleteJob", "PostponeJob"}
    assert all(decision["reason"] for decision in planned["decisions"])
    assert place.sql("SELECT * FROM stockx_batch_jobs") == before


def test_jobs_without_the_settings_that_asking_needs_are_told_and_still_time_out(place: Any) -> None:
    place.settle(api_key="")
    place.insert("j")
    place.insert("late", started_at=at(-1000))
    report = place.run(code=1)
    assert 'write api_key = { env = "STOCKX_API_KEY" }' in report["error"]["message"]
    assert place.job("late", "status") == "FAILED"


def test_a_job_that_a_person_ends_while_it_is_asked_about_stays_as_they_left_it(place: Any) -> None:
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


def test_a_window_goes_on_asking(place: Any) -> None:
    place.settle(window="2500ms", poll_delay="500ms")
    place.upstream.script = {"op-j": [OPEN, COMPLETED]}
    place.insert("j", started_at=to_text(datetime.now(UTC)))
    report = place.run(now="@" + to_text(datetime.now(UTC)))
    assert report["stats"]["completed"] == 1
    assert report["stats"]["in_progress"] == 1


def test_the_commands_list_what_there_is(place: Any) -> None:
    place.insert("j1")
    place.insert("j2", started_at=at(0))
    place.run()
    assert [job["id"] for job in place.ask("jobs")] == ["j2", "j1"]
    assert [job["id"] for job in place.ask("jobs", "--status", "completed")] == ["j1"]
    assert place.ask("stats")["completed"] == 1
    assert place.ask("account", "list")[0]["user_id"] == "anna"
    for words in (("jobs",), ("listings",), ("history",), ("stats",), ("account", "list")):
        assert place.do("stockx-ops", *words)
    place.do("stockx-ops", "retry", "nope", code=2)
    assert "no job 'nope'" in place.stderr
    place.do("stockx-ops", "account", "revoke", "nobody", code=2)
    place.do("stockx-ops", "account", "connect", "x", "--refresh-token-env", "NOT_SET_AT_ALL", code=2)
    assert "NOT_SET_AT_ALL is not set" in place.stderr
    assert 'pollctl_stockx_ops_jobs{status="COMPLETED"} 1.0' in place.do("metrics")


def test_an_operation_is_followed_by_one_job_at_a_time(place: Any) -> None:
    words = ("stockx-ops", "track", "op-1", "--user", "carla", "--type", "create_listing", "--listing", "L1")
    place.do(*words)
    assert "account carla is not connected" in place.stderr
    place.do(*words, code=1)
    assert "follows operation op-1 already" in place.stderr


def test_the_fake_punishes_who_does_not_wait() -> None:
    with FakeStockX(limit=2, per=1, punishment=3) as upstream:
        pauses = [upstream.pause_of(moment) for moment in (10.0, 10.1, 10.2, 12.0, 15.1)]
    assert pauses == [0, 0, 3, 3, 0]
