"""Tokens: asked for once in their life, renewed when they are refused, and what happens without one."""

from __future__ import annotations

import json

import pytest
from plugins.shell_query.place import BUSY, Place, at

from pollctl_shell_query.fake import COMPLETE, LOGIN_FAILED, LOST_AFTER, QUEUED, TOKEN_EXPIRED, Reply

pytestmark = pytest.mark.slow


def test_one_token_serves_for_its_life_across_passes(place: Place) -> None:
    place.upstream.script = [QUEUED]
    run_id = place.started()
    for second in range(60, 780, 60):
        place.run(second)
    assert place.upstream.count("token") == 1
    place.run(780)
    assert place.upstream.count("token") == 2
    assert place.row(run_id) == "running"


def test_a_short_life_is_used_for_half_of_it(place: Place) -> None:
    place.upstream.lifetime, place.upstream.script = 300, [QUEUED]
    place.started()
    place.run(149)
    assert place.upstream.count("token") == 1
    place.run(180)
    assert place.upstream.count("token") == 2


@pytest.mark.parametrize("lifetime", [0, -5, 1e-9])
def test_a_token_that_is_over_at_once_is_not_asked_for_again_and_again(place: Place, lifetime: float) -> None:
    place.upstream.lifetime, place.upstream.script = lifetime, [QUEUED]
    place.started()
    place.run(10)
    assert place.upstream.count("token") == 1


def test_a_refused_token_endpoint_fails_the_pass_and_leaves_the_runs_as_they_are(place: Place) -> None:
    waiting = place.submit()
    place.upstream.always["token"] = Reply(status=401, body=b'{"error": "invalid_client"}')
    report = place.run(0, code=1)
    assert "token endpoint" in report["error"]["message"]
    assert place.row(waiting, "status, admitted_at") == ("queued", None)
    assert place.upstream.asked == ["token"]
    place.upstream.always.clear()
    place.run(1)
    place.sql("UPDATE shell_query_tokens SET renew_at = ?", [at(1)])
    place.upstream.always["token"] = Reply(status=401)
    before = place.row(waiting, "*")
    place.run(10, code=1)
    assert place.row(waiting, "*") == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b'{"access_token": "a b", "expires_in": 1080, "soap_instance_url": "http://x", "rest_instance_url": "http://x"}',
        b'{"access_token": "t", "expires_in": 1080, "soap_instance_url": "file:///x", "rest_instance_url": "http://x"}',
        b'{"access_token": "t", "expires_in": "soon", "soap_instance_url": "http://x", "rest_instance_url": "http://x"}',
        b'{"access_token": "t\\u0000", "expires_in": 1e999, "soap_instance_url": "http://x", "rest_instance_url": "http://x"}',
    ],
)
def test_what_is_no_token_fails_the_pass(place: Place, body: bytes) -> None:
    place.submit()
    place.upstream.replies["token"] = [Reply(body=body)]
    place.run(0, code=1)
    assert place.upstream.asked == ["token"]


def test_a_start_is_not_given_up_over_a_token_endpoint_that_refuses(place: Place) -> None:
    place.configure(core="[pollctl.outbox]\nmax_attempts = 2")
    run_id = place.submit()
    place.upstream.replies["create"] = [LOST_AFTER]
    place.run(0, code=3)
    place.upstream.always["token"] = Reply(status=401)
    place.sql("UPDATE shell_query_tokens SET renew_at = ?", [at(1)])
    for second in (120, 300, 600):
        assert "token endpoint" in place.run(second, code=1)["error"]["message"]
        assert place.row(run_id, "status, admitted_at") == ("queued", None)
    place.upstream.always.clear()
    place.run(900)
    assert place.row(run_id, "status, poll_started_at") == ("running", at(900))
    assert list(place.upstream.creates.values()) == [1]


def test_a_token_that_is_refused_with_no_other_to_be_had_fails_the_pass_of_a_start(place: Place) -> None:
    other = place.started()
    place.upstream.tokens.clear()
    place.upstream.always["token"] = Reply(status=401)
    run_id = place.submit(seconds=1)
    for second in (1, 1.9):
        assert "token endpoint" in place.run(second, code=1)["error"]["message"]
        assert place.row(run_id, "status, admitted_at") == ("queued", None)
    assert place.row(other, "status, poll_count") == ("running", 0)


def test_a_start_that_was_not_asked_for_as_soap_wants_peace_is_no_attempt(place: Place) -> None:
    place.configure(core="[pollctl.outbox]\nmax_attempts = 1", max_active=12)
    ids = [place.submit() for _ in range(12)]
    place.upstream.always["find"] = BUSY
    place.run(0, code=3)
    asked = place.upstream.count("find")
    assert 1 <= asked <= 8  # as many as are under way at a time
    place.upstream.always.clear()
    place.run(89.999)
    assert place.upstream.count("find") == asked
    place.run(90)
    assert sorted(place.row(one) for one in ids) == ["failed"] * asked + ["running"] * (12 - asked)


def test_a_run_that_is_cancelled_while_its_start_is_postponed_leaves_no_definition(place: Place) -> None:
    run_id = place.submit()
    place.upstream.replies["perform"] = [Reply(status=500, headers={"Retry-After": "30"})]
    place.run(0, code=3)
    assert len(place.upstream.definitions) == 1
    place.sql("UPDATE shell_query_tokens SET renew_at = ?", [at(1)])

    place.upstream.on_request = lambda kind: (
        place.sql("UPDATE shell_query_runs SET status = 'canceled', completed_at = ?", [at(120)])
        if kind == "token"
        else None
    )
    place.upstream.replies["token"] = [Reply(status=500)]
    place.run(120, code=1)
    place.run(240)
    assert place.row(run_id) == "canceled"
    assert place.effects("delete_definition") == [(f"delete:{run_id}", "delivered")]
    assert place.upstream.definitions == {}


def test_a_token_endpoint_that_wants_peace_gets_it_and_that_is_no_failure(place: Place) -> None:
    place.submit()
    place.upstream.replies["token"] = [Reply(status=429, headers={"Retry-After": "300"})]
    place.run(0, code=1)
    assert place.run(299)["outcome"] == "ok"
    assert place.upstream.asked == ["token"]
    place.run(300)
    assert place.upstream.count("token") == 2


def test_a_security_fault_is_answered_with_a_new_token_once(place: Place) -> None:
    runs = [place.started(seconds=second / 10) for second in range(3)]
    place.upstream.script = [QUEUED]
    place.upstream.tokens.clear()
    place.take_requests()
    place.run(5)
    assert place.upstream.count("token") == 1
    assert [place.row(run_id, "status, poll_count") for run_id in runs] == [("running", 1)] * 3
    place.take_requests()
    place.run(60)
    assert set(place.take_requests()) == {"status"}


def test_a_login_that_is_refused_twice_in_one_poll_and_taken_at_the_next_goes_on(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [QUEUED]
    for seconds, code in ((2, 1), (30, 1), (60, 0), (100, 1), (140, 1)):
        place.upstream.replies["status"] = [LOGIN_FAILED] * 2 if code else []
        report = place.run(seconds, code=code)
        assert ("Login Failed" in json.dumps(report["error"])) == bool(code)
    assert place.row(run_id, "status, poll_count, auth_failures") == ("running", 5, 2)


def test_a_login_that_is_refused_in_three_polls_in_a_row_ends_the_run(place: Place) -> None:
    run_id = place.started()
    place.upstream.replies["status"] = [TOKEN_EXPIRED] * 6
    for seconds in (2, 30, 60):
        assert place.row(run_id) == "running"
        place.run(seconds, code=1)
    assert place.row(run_id, "status, error_message, poll_count") == ("failed", "auth_expired", 3)
    assert place.upstream.count("token") == 4


def test_a_start_whose_login_is_refused_is_tried_again_and_ends_the_run_at_the_third_time(place: Place) -> None:
    good = place.submit()
    place.upstream.replies["find"] = [LOGIN_FAILED] * 2
    place.run(0, code=3)
    assert place.row(good) == "queued"
    place.run(100)
    assert place.row(good) == "running"

    bad = place.submit(seconds=100)
    place.upstream.always["find"] = LOGIN_FAILED
    for seconds in (110, 300):
        place.run(seconds, code=3)
        assert place.row(bad) == "queued"
    place.run(600, code=3)  # the definition cannot be looked for either
    assert place.row(bad, "status, error_message") == ("failed", "auth_expired")


def test_a_token_that_rest_refuses_is_renewed_too(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    place.upstream.replies["rowset"] = [Reply(status=401)]
    place.run(2)
    assert place.upstream.count("token") == 2
    assert place.row(run_id) == "ready"


def test_the_token_of_other_settings_is_not_used(place: Place) -> None:
    place.upstream.script = [QUEUED]
    place.started()
    place.configure(account_id=7)
    place.upstream.account_id = 7
    place.run(60)
    assert place.upstream.count("token") == 2
