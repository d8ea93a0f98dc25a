"""Whole passes in which a login is refreshed, refused or expired."""

from __future__ import annotations

from typing import Any

from plugins.stockx_ops.place import Place, at

from pollctl_stockx_ops.fake import COMPLETED, OPEN, Reply

TOKENS_DOWN = Reply(status=503, body=b"{}")


# rule 7


def test_a_401_is_refreshed_once_and_asked_again(place: Place) -> None:
    for number in range(3):
        place.insert(f"j{number}")
    place.upstream.script = {f"op-j{number}": [OPEN, COMPLETED] for number in range(3)}
    place.run(at(0))
    place.upstream.invalidate_tokens()
    place.upstream.asked.clear()
    report = place.run(at(20))
    assert report["stats"]["completed"] == 3
    assert len(place.upstream.refreshes) == 2
    assert sorted(place.upstream.asked) == ["op-j0", "op-j0", "op-j1", "op-j2"]


def test_a_login_refused_twice_fails_one_job_breaks_the_account_and_is_notified_once(place: Place) -> None:
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
    assert report["outcome"] == "partial"
    assert [status for status, _ in place.history("a0")] == ["FAILED"]
    assert place.effects("auth_failed") == [("auth_failed:anna:1", "delivered", "no address")]
    assert sorted(place.upstream.asked) == ["op-a0", "op-b"]
    assert len(place.upstream.refreshes) == 2

    report = place.run(at(60), code=3)
    assert (report["outcome"], report["error"]["message"]) == (
        "partial",
        "account anna: StockX refuses its login: connect it again",
    )
    assert sorted(place.upstream.asked) == ["op-a0", "op-b"]
    assert len(place.effects("auth_failed")) == 1
    assert place.effects("job_failed") == []
    assert place.run(at(900.001))["stats"]["timed_out"] == 4


def test_a_token_that_was_good_before_is_refreshed_and_asked_with_once_before_the_account_breaks(place: Place) -> None:
    place.upstream.script = {"op-j": [OPEN, COMPLETED]}
    place.insert("j")
    place.run(at(0))
    place.upstream.barred.add("anna")
    place.upstream.asked.clear()
    assert place.run(at(20), code=3)["outcome"] == "partial"
    assert place.upstream.asked == ["op-j", "op-j"]
    assert len(place.upstream.refreshes) == 2
    assert place.job("j")[1] == "authentication_failed"


def test_a_broken_account_works_again_once_it_is_connected_again_and_may_break_and_notify_again(place: Place) -> None:
    place.insert("j")
    place.upstream.barred.add("anna")
    place.run(at(0), code=3)
    place.do("stockx-ops", "retry", "j", now=at(10))
    place.connect("anna")
    place.run(at(10), code=3)
    assert [key for key, _, _ in place.effects("auth_failed")] == ["auth_failed:anna:1", "auth_failed:anna:2"]
    place.upstream.barred.clear()
    place.do("stockx-ops", "retry", "j", now=at(20))
    place.connect("anna")
    assert place.run(at(20))["stats"]["completed"] == 1


def test_invalid_grant_expires_the_account_and_its_jobs_keep_their_state(place: Place) -> None:
    place.insert("j")
    place.upstream.users.clear()
    report = place.run(code=3)
    assert place.sql("SELECT status FROM stockx_accounts") == [("EXPIRED",)]
    assert place.job("j", "status, poll_count, next_poll_at") == ("PENDING", 0, None)
    assert (report["stats"]["processed"], place.upstream.asked) == (0, [])
    assert report["error"]["message"] == "account anna: its login has expired: connect it again"


def test_while_a_login_is_expired_its_user_is_told_once_and_passes_are_partial_until_it_is_mended(
    place: Place, httpserver: Any
) -> None:
    httpserver.expect_request("/anna").respond_with_data("ok")
    httpserver.expect_request("/all").respond_with_data("ok")
    url = f"json://{httpserver.host}:{httpserver.port}"
    place.connect("anna", "--notify", f"{url}/anna")
    place.configure(core=f'[pollctl.notify]\nurls = ["{url}/all"]\nalert_after = 1', timezone="Europe/Amsterdam")
    place.insert("j")
    place.upstream.users.clear()
    for seconds in (0, 60, 120):
        assert place.run(at(seconds), code=3)["outcome"] == "partial"
    assert "its login has expired: connect it again" in place.do("status", now=at(121))
    assert "account anna is EXPIRED, 1 job of it open" in place.do("check", now=at(121))
    place.connect("anna")
    assert place.run(at(180))["stats"]["completed"] == 1
    told = [(request.path, request.get_json()["title"]) for request, _ in httpserver.log]
    assert told == [
        ("/anna", "StockX refuses the login of anna"),
        ("/anna", "StockX: listing listing-j is live"),
    ]
    refused = httpserver.log[0][0].get_json()["message"]
    assert refused.startswith("Refused since 2026-03-08 13:00 CET: ")


def test_beside_an_account_that_does_not_work_an_upstream_that_fails_is_a_failure(place: Place) -> None:
    place.connect("boris")
    place.sql("UPDATE stockx_accounts SET status = 'BROKEN' WHERE user_id = 'boris'")
    place.insert("a")
    place.insert("b", user="boris")
    place.upstream.otherwise = Reply(status=503)
    assert place.run(code=1)["outcome"] == "failed"
    place.upstream.otherwise = COMPLETED
    report = place.run(at(60), code=3)
    assert (report["outcome"], report["stats"]["completed"]) == ("partial", 1)


def test_a_rotated_refresh_token_is_kept_and_used_though_the_access_token_is_missing(place: Place) -> None:
    place.upstream.token_replies = [Reply(body=b'{"refresh_token": "rotated", "expires_in": "43200"}')]
    place.insert("j")
    report = place.run(code=1)
    assert "answered without an access token" in report["error"]["message"]
    assert place.job("j", "status, next_poll_at") == ("IN_PROGRESS", at(20))
    assert place.sql("SELECT status, refresh_token FROM stockx_accounts") == [("ACTIVE", "rotated")]
    place.upstream.users["rotated"] = "anna"
    assert place.run(at(20))["stats"]["completed"] == 1
    assert place.upstream.refreshes == ["refresh-anna-start", "rotated"]


def test_a_token_endpoint_that_fails_postpones_the_jobs_of_its_account_only(place: Place) -> None:
    place.connect("boris")
    place.insert("a1")
    place.insert("a2")
    place.insert("b", user="boris")
    place.upstream.token_replies = [TOKENS_DOWN]
    report = place.run(code=3)
    assert place.job("b", "status") == "COMPLETED"
    assert {place.job(job, "status, next_poll_at") for job in ("a1", "a2")} == {("IN_PROGRESS", at(20))}
    assert place.history("a1") == []
    assert len(place.upstream.refreshes) == 2
    assert report["stats"] == {
        "processed": 3, "completed": 1, "in_progress": 2, "failed": 0, "timed_out": 0, "partial": 0, "rate_limited": 0
    }  # fmt: skip


def test_a_token_near_its_end_is_refreshed_beforehand_and_one_with_time_is_kept(place: Place) -> None:
    place.upstream.lifetime = 100
    place.upstream.script = {"op-j": [OPEN]}
    place.insert("j", started_at=at(-20))
    place.run(at(0))
    place.run(at(39.999))
    assert len(place.upstream.refreshes) == 1
    place.run(at(60))
    assert len(place.upstream.refreshes) == 2


def test_a_new_refresh_token_takes_the_place_of_the_old_one(place: Place) -> None:
    place.upstream.rotates = True
    place.upstream.lifetime = 60
    place.upstream.script = {"op-j": [OPEN]}
    place.insert("j", started_at=at(-20))
    for number in range(4):
        place.run(at(20 * number))
    assert len(set(place.upstream.refreshes)) == 4
    assert place.job("j", "poll_count") == 4


def test_a_revoked_account_is_forgotten(place: Place) -> None:
    place.insert("j")
    place.do("stockx-ops", "account", "revoke", "anna")
    place.run()
    assert (place.upstream.asked, place.upstream.refreshes) == ([], [])
    assert place.sql("SELECT status, access_token, refresh_token FROM stockx_accounts") == [("REVOKED", None, None)]
